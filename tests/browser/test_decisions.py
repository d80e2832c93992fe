"""Staff in a browser: held referrals released and cancelled, and codes that the till refuses with the reason."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Code, Referral, Use
from tests.browser.conftest import go
from tests.factories import make_product
from tests.loyalty.offers import make_code, make_offer, redeem
from tests.loyalty.referrals import buy, claim, follow, make_person, open_plan
from tests.loyalty.rewards import make_member, make_programme
from tests.loyalty.shop import open_programme, totals

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONES = {"Ben": "+491701234567", "Cy": "+491707654321"}


@pytest.fixture
def friends(manager):
    """Ann recommended the shop to Ben and Cy, who have bought; she shares a phone number with either."""
    now = timezone.now()
    open_programme()
    open_plan()
    ann = make_person(name="Ann", phone=PHONES["Ben"])
    ann.phones.create(number=PHONES["Cy"])
    told = {name: make_person(name=name, phone=number) for name, number in PHONES.items()}
    for friend in told.values():
        claim(ann, friend, at=now - timedelta(days=2))
        buy(friend, at=now - timedelta(days=1))
    follow(now)
    return told | {"Ann": ann}


def held(friends):
    return [totals(friends[name]) for name in ("Ann", "Ben", "Cy")]


def open_held(page, name):
    go(page, "/loyalty/referrals/")
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_text("Both have the same phone number")).to_be_visible()


def test_a_person_releases_one_referral_and_cancels_another(open_page, friends):
    """Nobody has points while they are held; then both of the released one have theirs, pending, and Cy none."""
    assert held(friends) == [(0, 0)] * 3
    page = open_page("/loyalty/referrals/")
    open_held(page, "Ben")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("Released: it counts like any other now.")).to_be_visible()
    assert held(friends) == [(0, 500), (0, 300), (0, 0)]
    open_held(page, "Cy")
    page.locator("summary", has_text="Cancel it").click()
    page.get_by_label("Reason").fill("One household")
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("Cancelled: nobody gets points for it.")).to_be_visible()
    assert held(friends) == [(0, 500), (0, 300), (0, 0)]
    states = Referral.objects.order_by("pk").values_list("state", "decided_by__name", "note")
    assert list(states) == [("converted", "Mara Manager", ""), ("cancelled", "Mara Manager", "One household")]
    assert page.problems == []


@pytest.fixture
def ada(manager):
    """A mug that is sold at cost, and offers that a cap or a budget has used up, or that a margin floor stops."""
    make_programme()
    make_product(sku="MUG-1", name="Blue mug", unit_price="10.00", unit_cost="10.00")
    customer = make_member(0, name="Ada")
    offers = {
        "MINE": make_offer(max_per_customer=1),
        "SPENT": make_offer(budget_cents=1_000),
        "FLOOR": make_offer(line_floor=0),
    }
    for text, offer in offers.items():
        make_code(offer, text=text, max_uses=None)
        if text != "FLOOR":
            redeem(text, customer=customer, at=timezone.now())
    return customer


def test_the_till_says_why_a_code_takes_nothing_off(open_page, ada):
    """A cap, the budget and the margin floor in plain words; nothing comes off, and nothing more is used."""
    till = f"/till/{ada.pk}/?sku=MUG-1&quantity=1&price="
    used, page = Use.objects.count(), open_page(till)
    said = {
        "mine": "This customer has used the offer as often as one customer may.",
        "spent": "What was set aside for this offer is spent.",
        "floor": "The prices of this basket are too low already for this code.",
    }
    for text, reason in said.items():
        page.goto(till)
        page.get_by_label("Code, typed or scanned").first.fill(text)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.get_by_text(reason, exact=True)).to_be_visible()
        expect(page.locator(".till-pay")).to_contain_text("10.00")
        expect(page.get_by_role("button", name="Take")).to_have_count(0)
    assert (Use.objects.count(), Code.objects.get(offer__line_floor=0).used) == (used, 0)
    assert page.problems == []
