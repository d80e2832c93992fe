"""Two accounts become one: points move, and so does what is written later."""

import pytest

from loyalty.models import Account, Posting
from loyalty.problems import AccountHasHolds, KeyReused, SameAccount
from loyalty.selectors import points as selector
from loyalty.services import merging, points
from tests.factories import make_customer
from tests.loyalty.accounts import DAY, NOW, account, disagreements, lifetime, totals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_agrees(db):
    yield
    assert disagreements() == []


@pytest.fixture
def ada():
    """40 points to spend and 5 pending."""
    ada = make_customer()
    points.earn(customer_id=ada.pk, points=100, key="ada", at=NOW)
    points.redeem(customer_id=ada.pk, points=60, key="ada spends", at=NOW)
    points.earn(customer_id=ada.pk, points=5, key="ada waits", at=NOW, active_at=NOW + DAY)
    return ada


@pytest.fixture
def twin():
    """20 points that expire tomorrow, and 7 pending."""
    twin = make_customer()
    points.earn(customer_id=twin.pk, points=30, key="twin", at=NOW, expires_at=NOW + DAY)
    points.redeem(customer_id=twin.pk, points=10, key="twin spends", at=NOW)
    points.earn(customer_id=twin.pk, points=7, key="twin waits", at=NOW, active_at=NOW + 2 * DAY)
    return twin


def merge(into, other, key="merge"):
    return merging.merge(into=into.pk, other=other.pk, key=key, at=NOW)


def owes(customer, amount):
    """Spends everything and has it taken back, with all that is pending, until so much is owed."""
    back = amount + account(customer).pending
    earned = points.earn(customer_id=customer.pk, points=back, key=f"debt:{customer.pk}", at=NOW)
    everything = account(customer).balance
    points.redeem(customer_id=customer.pk, points=everything, key=f"all:{customer.pk}", at=NOW)
    points.reverse(posting_id=earned.pk, points=back, key=f"r:{customer.pk}", at=NOW, policy="allow_negative")
    assert totals(customer) == (-amount, 0, 0)


def test_points_move(ada, twin):
    posting = merge(ada, twin)
    assert (posting.points, posting.pending_points) == (20, 7)
    assert totals(ada) == (60, 12, 0)
    assert totals(twin) == (0, 0, 0)
    assert lifetime(ada) == (142, 70, 0, 0)
    assert account(twin).merged_into == account(ada)
    moved = Posting.objects.filter(kind="merge").order_by("pk").values_list("customer_id", "points", "pending_points")
    assert list(moved) == [(ada.pk, 20, 7), (twin.pk, -20, -7)]


def test_their_time_goes_on(ada, twin):
    merge(ada, twin)
    points.settle(customer_id=ada.pk, at=NOW + DAY)
    assert totals(ada) == (45, 7, 0)  # 20 of the twin's expired, 5 of ada's became active
    points.settle(customer_id=twin.pk, at=NOW + 2 * DAY)
    assert totals(ada) == (52, 0, 0)


def test_both_names_lead_to_the_one_account(ada, twin):
    merge(ada, twin)
    for customer in (ada, twin):
        assert selector.standing(customer_id=customer.pk, at=NOW).balance == 60
        assert selector.statement(customer_id=customer.pk).count() == 8
    points.earn(customer_id=twin.pk, points=3, key="later", at=NOW)
    points.redeem(customer_id=twin.pk, points=63, key="all", at=NOW)
    assert totals(ada) == (0, 12, 0)


def test_what_was_earned_or_spent_before_returns_to_the_one_account(ada, twin):
    merge(ada, twin)
    spent, earned = Posting.objects.get(key="twin spends"), Posting.objects.get(key="twin")
    points.give_back(posting_id=spent.pk, points=10, key="back", at=NOW)
    assert totals(ada) == (70, 12, 0)
    points.reverse(posting_id=earned.pk, points=30, key="reverse", at=NOW, policy="within_balance")
    assert totals(ada) == (40, 12, 0)
    assert lifetime(ada) == (142, 60, 0, 30)


def test_what_was_written_before_is_known_by_its_key(ada, twin):
    merge(ada, twin)
    points.earn(customer_id=twin.pk, points=30, key="twin", at=NOW)
    points.redeem(customer_id=ada.pk, points=10, key="twin spends", at=NOW)
    assert totals(ada) == (60, 12, 0)


def test_a_chain_of_merges(ada, twin):
    third = make_customer()
    merge(ada, twin)
    merge(third, ada, key="again")
    assert totals(third) == (60, 12, 0)
    assert lifetime(third) == (142, 70, 0, 0)
    points.redeem(customer_id=twin.pk, points=60, key="all", at=NOW)
    assert totals(third) == (0, 12, 0)
    assert selector.statement(customer_id=third.pk).count() == 11


def test_a_debt_is_paid_by_the_other_s_points(ada, twin):
    owes(twin, 15)
    merge(ada, twin)
    assert totals(ada) == (25, 5, 0)
    assert not account(ada).may_owe


def test_a_debt_that_stays_is_paid_as_far_as_there_is_something(ada, twin):
    owes(ada, 50)
    merge(ada, twin)
    assert totals(ada) == (-30, 7, 0)
    points.settle(customer_id=ada.pk, at=NOW + 2 * DAY)
    assert totals(ada) == (-23, 0, 0)


def test_two_debts_are_one(ada, twin):
    owes(ada, 50)
    owes(twin, 15)
    merge(ada, twin)
    assert totals(ada) == (-65, 0, 0)


def test_who_never_had_points(ada):
    nobody = make_customer()
    merge(ada, nobody)
    assert totals(ada) == (40, 5, 0)
    points.earn(customer_id=nobody.pk, points=2, key="later", at=NOW)
    assert totals(ada) == (42, 5, 0)


@pytest.mark.parametrize("holder", ["ada", "twin"])
def test_points_on_hold_are_a_refusal_and_totals_stay(ada, twin, holder):
    who = {"ada": ada, "twin": twin}[holder]
    points.hold(customer_id=who.pk, points=10, key="hold", at=NOW, until=NOW + DAY)
    before = [totals(customer) for customer in (ada, twin)]
    with pytest.raises(AccountHasHolds, match="on hold"):
        merge(ada, twin)
    assert [totals(customer) for customer in (ada, twin)] == before
    assert not Account.objects.filter(merged_into__isnull=False).exists()


def test_the_same_merge_again_changes_nothing(ada, twin):
    first = merge(ada, twin)
    assert merge(ada, twin).pk == first.pk
    assert totals(ada) == (60, 12, 0)


def test_what_is_one_already_is_not_merged(ada, twin):
    merge(ada, twin)
    with pytest.raises(SameAccount):
        merge(twin, ada, key="back")
    with pytest.raises(SameAccount):
        merge(ada, ada, key="self")


def test_a_key_of_something_else(ada, twin):
    with pytest.raises(KeyReused):
        merge(ada, twin, key="ada")
    assert totals(ada) == (40, 5, 0)
