"""Referrals for staff: the terms, the list, what a person has to look at, and the decision."""

import pytest

from core.models import Role, User
from loyalty.models import Referral, ReferralPlan, ReferralStep
from loyalty.selectors import referrals as found
from loyalty.services import referrals
from tests.factories import make_business, make_customer
from tests.loyalty.shop import DAY, NOW, OPENED, line, open_programme, order, totals

URL = "/loyalty/referrals/"
TERMS = {"advocate_points": "400", "friend_points": "0", "least": "25.50", "window_days": "60", "pending_days": "14"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client):
    make_business(currency="EUR")
    open_programme()
    client.force_login(User.objects.create_user("m@example.com", "x", role=Role.MANAGER, name="Mia"))
    return client


@pytest.fixture
def held(desk):
    ReferralPlan.objects.create(opened_at=OPENED)
    ann, twin = make_customer(name="Ann"), make_customer(name="Twin")
    for person in (ann, twin):
        person.phones.create(number="+491701234567")
    code = referrals.code_for(customer_id=ann.pk, at=NOW).code
    return referrals.claim(text=code, customer_id=twin.pk, at=NOW)


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_switched_on_with_terms(desk):
    assert "Referrals are switched off" in page(desk, URL)
    desk.post(f"{URL}terms/", TERMS | {"is_open": "on", "most_friends": ""})
    plan = found.plan()
    assert (plan.advocate_points, plan.friend_points, plan.least_cents) == (400, 0, 2_550)
    assert (plan.window_days, plan.pending_days, plan.most_friends, plan.is_open) == (60, 14, None, True)
    assert "Nobody has recommended you yet" in page(desk, URL)
    desk.post(f"{URL}terms/", TERMS)
    assert not found.plan().is_open


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"advocate_points": "-1"}, "greater than or equal to 0"),
        ({"window_days": "0"}, "greater than or equal to 1"),
        ({"least": "-3"}, "Write a number"),
        ({"least": "1,234"}, "can be read in two ways"),
        ({"friend_points": "9999999999"}, "less than or equal to"),
    ],
)
def test_bad_terms_are_told_and_change_nothing(desk, wrong, said):
    answer = desk.post(f"{URL}terms/", TERMS | wrong)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert found.plan().advocate_points == 500


def test_steps(desk):
    desk.post(f"{URL}steps/", {"friends": "3", "points": "1000"})
    desk.post(f"{URL}steps/", {"friends": "3", "points": "1500"})
    assert "3 friends: 1,500 points more" in page(desk, f"{URL}terms/")
    assert desk.post(f"{URL}steps/", {"friends": "0", "points": "1"}).status_code == 400
    desk.post(f"{URL}steps/", {"remove": str(ReferralStep.objects.get().pk)})
    desk.post(f"{URL}steps/", {"remove": "nothing"})
    assert not ReferralStep.objects.exists()


def test_what_has_to_be_looked_at_comes_first_and_says_why(desk, held):
    assert "Twin" in page(desk, URL)
    shown = page(desk, f"{URL}{held.pk}/")
    assert "Both have the same phone number" in shown
    assert "+491701234567" in shown
    assert "None of these" in page(desk, f"{URL}?tab=rewarded")
    assert "Twin" in page(desk, f"{URL}?tab=nonsense")


def test_release(desk, held):
    order(held.friend, line("25.00"), at=NOW + DAY)
    referrals.follow(at=NOW + DAY)
    desk.post(f"{URL}{held.pk}/release/")
    held.refresh_from_db()
    assert (held.state, held.decided_by.name) == (Referral.State.CONVERTED, "Mia")
    assert sum(totals(held.advocate)) == 500
    again = desk.post(f"{URL}{held.pk}/release/", follow=True)
    assert "Somebody has decided this already" in again.content.decode()


def test_cancel_needs_a_reason(desk, held):
    assert desk.post(f"{URL}{held.pk}/cancel/", {"note": " "}).status_code == 400
    desk.post(f"{URL}{held.pk}/cancel/", {"note": "One household"})
    assert "One household" in page(desk, f"{URL}{held.pk}/")
    assert Referral.objects.get().state == Referral.State.CANCELLED


def test_none_of_that_name(desk):
    for path in ("", "release/", "cancel/"):
        assert desk.post(f"{URL}99999/{path}", {"note": "x"}).status_code in {404, 405}
