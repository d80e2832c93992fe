"""What comes back: spent points into their own lots, earned points out of theirs, and what is owed then."""

import pytest

from loyalty.models import Allocation, Lot, Posting
from loyalty.problems import InsufficientPoints, KeyReused, TooMuchBack, UnknownPosting
from loyalty.selectors import points as selector
from loyalty.services import points
from tests.factories import make_customer
from tests.loyalty.accounts import DAY, HOUR, NOW, account, disagreements, left, lifetime, totals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_agrees(db):
    yield
    assert disagreements() == []


@pytest.fixture
def customer():
    return make_customer()


def earn(customer, amount, key, at=NOW, **terms):
    return points.earn(customer_id=customer.pk, points=amount, key=key, at=at, **terms)


def redeem(customer, amount, key, at=NOW):
    return points.redeem(customer_id=customer.pk, points=amount, key=key, at=at)


def reverse(posting, amount, policy="within_balance", key="reverse", at=NOW):
    return points.reverse(posting_id=posting.pk, points=amount, key=key, at=at, policy=policy)


class TestGivingBack:
    def test_points_return_to_their_own_lots_the_last_first(self, customer):
        earn(customer, 30, "soon", expires_at=NOW + 2 * DAY)
        earn(customer, 70, "never")
        spent = redeem(customer, 50, "redeem")
        points.give_back(posting_id=spent.pk, points=25, key="one", at=NOW)
        assert left(customer) == [5, 70]
        points.give_back(posting_id=spent.pk, points=25, key="two", at=NOW)
        assert left(customer) == [30, 70]
        assert lifetime(customer) == (100, 0, 0, 0)

    def test_points_of_a_lot_that_expired_live_for_the_grace(self, customer):
        earn(customer, 30, "soon", expires_at=NOW + 2 * DAY)
        earn(customer, 70, "never")
        spent = redeem(customer, 50, "redeem")
        late = NOW + 10 * DAY
        points.give_back(posting_id=spent.pk, points=50, key="back", at=late, grace_days=30)
        assert totals(customer) == (100, 0, 0)
        assert left(customer) == [0, 70, 30]
        new = Lot.objects.latest("pk")
        assert (new.earned_at, new.active_at, new.expires_at) == (NOW, late, late + 30 * DAY)
        points.settle(customer_id=customer.pk, at=late + 30 * DAY)
        assert totals(customer) == (70, 0, 0)
        assert lifetime(customer) == (100, 0, 30, 0)

    def test_without_grace_they_expire_at_once(self, customer):
        earn(customer, 30, "soon", expires_at=NOW + 2 * DAY)
        spent = redeem(customer, 20, "redeem")
        points.give_back(posting_id=spent.pk, points=20, key="back", at=NOW + 10 * DAY)
        assert totals(customer) == (0, 0, 0)
        assert lifetime(customer) == (30, 0, 30, 0)

    def test_no_more_than_was_spent(self, customer):
        earn(customer, 30, "earn")
        spent = redeem(customer, 20, "redeem")
        points.give_back(posting_id=spent.pk, points=15, key="one", at=NOW)
        with pytest.raises(TooMuchBack):
            points.give_back(posting_id=spent.pk, points=6, key="two", at=NOW)
        assert totals(customer) == (25, 0, 0)

    def test_the_same_key_again_changes_nothing(self, customer):
        earn(customer, 30, "earn")
        spent = redeem(customer, 20, "redeem")
        for _ in range(2):
            points.give_back(posting_id=spent.pk, points=20, key="back", at=NOW)
        assert totals(customer) == (30, 0, 0)
        with pytest.raises(KeyReused):
            points.give_back(posting_id=spent.pk, points=19, key="back", at=NOW)

    def test_only_what_was_spent(self, customer):
        earned = earn(customer, 30, "earn")
        for posting_id in (earned.pk, 10**9):
            with pytest.raises(UnknownPosting):
                points.give_back(posting_id=posting_id, points=1, key="back", at=NOW)

    def test_what_returns_pays_a_debt_first(self, customer):
        earned = earn(customer, 30, "earn")
        spent = redeem(customer, 30, "redeem")
        reverse(earned, 20, "allow_negative")
        assert totals(customer) == (-20, 0, 0)
        points.give_back(posting_id=spent.pk, points=30, key="back", at=NOW)
        assert totals(customer) == (10, 0, 0)
        assert left(customer) == [10]


class TestTakingBack:
    def test_out_of_its_own_lot_while_it_is_pending(self, customer):
        earn(customer, 40, "other")
        earned = earn(customer, 30, "earn", active_at=NOW + DAY)
        taken = reverse(earned, 10)
        assert (taken.points, taken.pending_points, taken.asked) == (0, -10, 10)
        assert totals(customer) == (40, 20, 0)
        assert lifetime(customer) == (70, 0, 0, 10)

    def test_then_out_of_its_own_lot(self, customer):
        earn(customer, 40, "sooner", expires_at=NOW + DAY)
        earned = earn(customer, 30, "earn")
        reverse(earned, 30, "only_pending")
        assert left(customer) == [40, 0]

    @pytest.mark.parametrize(
        ("policy", "balance", "pending", "found"),
        [("only_pending", 10, 0, 5), ("within_balance", 0, 0, 15), ("allow_negative", -5, 0, 20)],
    )
    def test_what_was_spent_is_taken_as_far_as_the_policy_goes(self, customer, policy, balance, pending, found):
        """Of 20 spent points 5 are found pending, 10 to spend, and 5 are gone."""
        earned = earn(customer, 20, "earn")
        redeem(customer, 20, "redeem")
        earn(customer, 10, "to spend")
        earn(customer, 5, "pending", active_at=NOW + DAY)
        taken = reverse(earned, 20, policy)
        assert -(taken.points + taken.pending_points) == found
        assert totals(customer) == (balance, pending, 0)
        assert lifetime(customer) == (35, 20, 0, found)
        assert taken.asked == 20

    def test_line_by_line_it_adds_up(self, customer):
        earned = earn(customer, 100, "earn")
        for number, amount in enumerate((33, 33, 34)):
            reverse(earned, amount, key=f"refund:{number}")
        assert totals(customer) == (0, 0, 0)
        with pytest.raises(TooMuchBack):
            reverse(earned, 1, key="refund:4")

    def test_the_same_refund_twice_takes_once(self, customer):
        earned = earn(customer, 100, "earn")
        first = reverse(earned, 40)
        assert reverse(earned, 40).pk == first.pk
        assert totals(customer) == (60, 0, 0)
        with pytest.raises(KeyReused):
            reverse(earned, 41)

    def test_only_what_was_earned(self, customer):
        earn(customer, 100, "earn")
        spent = redeem(customer, 10, "redeem")
        with pytest.raises(UnknownPosting):
            reverse(spent, 1)

    def test_a_policy_that_nobody_knows_is_a_mistake_of_the_program(self, customer):
        with pytest.raises(ValueError, match="gently"):
            reverse(earn(customer, 100, "earn"), 1, "gently")

    def test_it_takes_nothing_where_nothing_is_left(self, customer):
        earned = earn(customer, 20, "earn")
        redeem(customer, 20, "redeem")
        taken = reverse(earned, 20)
        assert (taken.points, taken.pending_points) == (0, 0)
        assert totals(customer) == (0, 0, 0)


class TestDebt:
    @pytest.fixture
    def debtor(self, customer):
        """Who owes 20 points."""
        earned = earn(customer, 20, "first")
        redeem(customer, 20, "spent")
        reverse(earned, 20, "allow_negative", key="taken")
        return customer

    def test_nothing_can_be_spent(self, debtor):
        with pytest.raises(InsufficientPoints, match="-20"):
            redeem(debtor, 1, "redeem")
        assert account(debtor).may_owe

    def test_what_is_earned_pays_it_first(self, debtor):
        earn(debtor, 15, "one")
        assert totals(debtor) == (-5, 0, 0)
        earn(debtor, 15, "two")
        assert totals(debtor) == (10, 0, 0)
        assert left(debtor) == [0, 0, 10]
        assert not account(debtor).may_owe
        redeem(debtor, 10, "redeem")
        assert totals(debtor) == (0, 0, 0)

    def test_pending_points_pay_when_they_become_active(self, debtor):
        earn(debtor, 50, "one", active_at=NOW + DAY)
        assert totals(debtor) == (-20, 50, 0)
        points.settle(customer_id=debtor.pk, at=NOW + DAY)
        assert totals(debtor) == (30, 0, 0)

    def test_so_do_points_of_a_hold(self, customer):
        earned = earn(customer, 30, "first")
        held = points.hold(customer_id=customer.pk, points=30, key="hold", at=NOW, until=NOW + HOUR)
        reverse(earned, 20, "allow_negative")
        assert totals(customer) == (-20, 0, 30)
        assert selector.standing(customer_id=customer.pk, at=NOW + HOUR).balance == 10
        points.release(hold_id=held.pk, at=NOW, key="release")
        assert totals(customer) == (10, 0, 0)

    def test_postings_and_allocations_say_how_it_was_paid(self, debtor):
        earn(debtor, 15, "one")
        paid = Allocation.objects.get(posting__key="one")
        assert (paid.points, paid.lot.posting.key) == (15, "one")
        taken = Posting.objects.get(key="taken")
        assert (taken.points, taken.allocations.count()) == (-20, 0)
