"""A shop that calls its points stars: nobody of it meets the word “points”."""

import re

import pytest
from django.utils import timezone

from core.models import Role, User
from loyalty.models import Action
from loyalty.services import crediting
from tests.factories import make_business, make_customer
from tests.loyalty.referrals import open_plan
from tests.loyalty.rewards import hold, make_reward, make_tier, redeem
from tests.loyalty.shop import line, make_rule, open_programme, order

PAGES = (
    *("/loyalty/", "/loyalty/settings/", "/loyalty/pause/", "/loyalty/try/", "/loyalty/liability/"),
    *("/loyalty/rules/add/", "/loyalty/actions/add/", "/loyalty/adjustments/", "/loyalty/postings/"),
    *(
        "/loyalty/tiers/",
        "/loyalty/tiers/rules/",
        "/loyalty/rewards/",
        "/loyalty/rewards/add/",
        "/loyalty/redemptions/",
    ),
    *(
        "/loyalty/referrals/",
        "/loyalty/referrals/terms/",
        "/loyalty/offers/",
        "/loyalty/offers/add/",
        "/loyalty/events/",
    ),
    *("/loyalty/prices/", "/till/", "/"),
)
OF_CUSTOMER = (
    "/loyalty/customers/{pk}/points/",
    "/loyalty/customers/{pk}/points/adjust/",
    "/loyalty/customers/{pk}/points/panel/",
    "/loyalty/customers/{pk}/points/latest/",
    "/customers/{pk}/",
    "/till/{pk}/",
)
# Where the settings ask for the names themselves.
EXCEPTIONS = (
    "Such as point or star.",
    "Such as points or stars.",
    "What one point is called",
    "What points are called",
)
HIDDEN = re.compile(r"<(script|style|option|template)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
SAID = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]*)"')


def words(html):
    """What people read or hear of a page."""
    told = " ".join([HIDDEN.sub(" ", html), *SAID.findall(html)])
    for exception in EXCEPTIONS:
        told = told.replace(exception, "")
    return told


def slips(html):
    return [told[0] for told in re.finditer(r".{0,40}\b[Pp]oints?\b.{0,40}", words(html))]


@pytest.fixture
def shop(client, db):
    """One of everything, at a customer who has stars."""
    make_business(currency="EUR")
    open_programme(pending_days=0, point_name="star", points_name="stars", expiry="months")
    make_rule(name="One for each euro")
    open_plan()
    make_tier(1)
    Action.objects.create(code="review", name="Review", points=50)
    ada, at = make_customer(), timezone.now()
    crediting.credit_orders(order_ids=[order(ada, line("900.00"), at=at).pk], at=at)
    redeem(ada, make_reward(), at=at)
    hold(ada, points=20, at=at)
    client.force_login(User.objects.create(email="admin@example.com", role=Role.ADMIN))
    return client, ada


def test_staff_read_stars(shop):
    client, ada = shop
    found = {}
    for path in (*PAGES, *(path.format(pk=ada.pk) for path in OF_CUSTOMER)):
        page = client.get(path, follow=True)
        assert page.status_code == 200, path
        found |= {path: told} if (told := slips(page.content.decode())) else {}
    assert not found


def test_the_navigation_does(shop):
    client, _ada = shop
    assert "Stars" in re.sub(r"\s+", " ", client.get("/customers/").content.decode())


def test_the_test_sees_a_slip():
    assert slips("<p>Your points</p>")
    assert slips('<svg aria-label="Points over time"></svg>')
    assert not slips('<a href="/points/">Stars</a> <p>What points are called</p>')
