"""Two people edit one thing of the programme at once: the second is told, and nothing is written over in silence."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import Role, User
from loyalty.models import Action, BirthdayGift, EarningRule, PriceList, ReferralPlan
from tests.factories import make_business
from tests.forms import inputs
from tests.loyalty.rewards import make_programme, make_tier

pytestmark = pytest.mark.django_db
CONFLICT = "Somebody else changed this while you did"


@pytest.fixture
def desk(client):
    make_business(currency="EUR")
    make_programme()
    client.force_login(User.objects.create(email="m@example.com", role=Role.MANAGER))
    return client


def make_action():
    return Action.objects.create(name="A review", code="review", points=5)


def make_list():
    return PriceList.objects.create(name="Gold prices", tier=make_tier(1))


def make_gift():
    return BirthdayGift.objects.update_or_create(id=1, defaults={"points": 5})[0]


def make_plan():
    return ReferralPlan.objects.update_or_create(id=1, defaults={"advocate_points": 5, "opened_at": timezone.now()})[0]


@pytest.mark.parametrize(
    ("make", "page", "to", "name", "values"),
    [
        (make_action, "/loyalty/actions/{pk}/edit/", None, "points", (7, 9)),
        (make_list, "/loyalty/prices/{pk}/edit/", None, "name", ("Theirs", "Mine")),
        (make_gift, "/loyalty/tiers/", "/loyalty/tiers/birthday/", "points", (7, 9)),
        (make_plan, "/loyalty/referrals/terms/", None, "advocate_points", (7, 9)),
    ],
)
def test_the_second_is_told_and_chooses(desk, make, page, to, name, values):
    row, (theirs, mine) = make(), values
    url = page.format(pk=row.pk)
    sent = inputs(desk.get(url), **{name: str(mine)})
    type(row).objects.filter(pk=row.pk).update(**{name: theirs})
    told = desk.post(to or url, sent)
    assert CONFLICT in told.content.decode()
    row.refresh_from_db()
    assert getattr(row, name) == theirs
    settled = inputs(told, **{name: str(mine), f"keep-{name}": "yours"})
    assert desk.post(to or url, settled).status_code == 302
    row.refresh_from_db()
    assert getattr(row, name) == mine


def test_a_rule_that_another_has_replaced_is_not_replaced_twice(desk):
    """Else both of the new ones would give points."""
    rule = EarningRule.objects.create(name="All", points=1, per_cents=100, starts_at=timezone.now() - timedelta(days=1))
    url = f"/loyalty/rules/{rule.pk}/edit/"
    first, second = (inputs(desk.get(url), points=points, save="1") for points in ("2", "3"))
    assert desk.post(url, first).status_code == 302
    told = desk.post(url, second)
    assert told.status_code == 422
    assert "This rule has ended meanwhile" in told.content.decode()
    assert list(EarningRule.objects.filter(ends_at=None).values_list("points", flat=True)) == [2]
