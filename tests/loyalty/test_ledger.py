"""The ledger by stories with totals: what comes, waits, goes and expires."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from loyalty.models import Account, Allocation, Lot, Posting
from loyalty.problems import BadPeriod, InsufficientPoints, KeyReused, NotPoints, PointsOverflow
from loyalty.selectors import points as selector
from loyalty.services import points
from tests.factories import make_customer
from tests.loyalty.accounts import DAY, HOUR, NOW, account, disagreements, left, lifetime, totals

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return make_customer()


@pytest.fixture(autouse=True)
def everything_agrees(db):
    yield
    assert disagreements() == []


def earn(customer, amount, key, at=NOW, **terms):
    return points.earn(customer_id=customer.pk, points=amount, key=key, at=at, **terms)


def redeem(customer, amount, key, at=NOW):
    return points.redeem(customer_id=customer.pk, points=amount, key=key, at=at)


class TestComingAndGoing:
    def test_earned_redeemed_and_given_back(self, customer):
        earn(customer, 120, "earn:order:81", order_id=81)
        spent = redeem(customer, 50, "redeem:1")
        assert totals(customer) == (70, 0, 0)
        points.give_back(posting_id=spent.pk, points=20, key="back:1", at=NOW, grace_days=30)
        assert totals(customer) == (90, 0, 0)
        assert lifetime(customer) == (120, 30, 0, 0)
        assert left(customer) == [90]
        assert list(Allocation.objects.order_by("id").values_list("points", flat=True)) == [50, -20]

    def test_a_posting_says_what_it_is_about(self, customer):
        posting = earn(customer, 120, "earn:order:81", order_id=81, reason="Order 81", by=7)
        row = Posting.objects.get()
        assert posting == row
        assert (row.customer_id, row.order_id, row.by_id, row.reason) == (customer.pk, 81, 7, "Order 81")
        assert (row.kind, row.points, row.pending_points, row.asked, row.at) == ("earn", 120, 0, 120, NOW)
        assert (posting.recorded_at, posting.at) == (row.recorded_at, NOW)

    def test_more_than_there_is_is_refused_and_changes_nothing(self, customer):
        earn(customer, 40, "a")
        with pytest.raises(InsufficientPoints, match="40 points") as refused:
            redeem(customer, 41, "b")
        assert refused.value.balance == 40
        assert totals(customer) == (40, 0, 0)
        assert Posting.objects.count() == 1

    def test_who_has_no_account_has_nothing_to_spend(self, customer):
        with pytest.raises(InsufficientPoints):
            redeem(customer, 1, "a")
        assert not Account.objects.exists()

    @pytest.mark.parametrize("amount", [0, -5])
    def test_no_points_are_no_posting(self, customer, amount):
        with pytest.raises(NotPoints):
            earn(customer, amount, "a")
        with pytest.raises(NotPoints):
            redeem(customer, amount, "b")
        assert not Posting.objects.exists()

    def test_too_many_points_are_a_refusal_with_a_name(self, customer):
        earn(customer, 10**12, "a")
        with pytest.raises(PointsOverflow, match="1,000,000,000,000"):
            earn(customer, 10**12 + 1, "b")
        assert totals(customer) == (10**12, 0, 0)

    def test_so_is_a_balance_that_no_column_holds(self, customer):
        earn(customer, 10**12, "a")
        nearly = 2**63 - 10**12
        Account.objects.update(balance=nearly, earned=nearly)
        with pytest.raises(PointsOverflow), transaction.atomic():
            earn(customer, 10**12, "b")
        Account.objects.update(balance=10**12, earned=10**12)

    def test_a_customer_who_does_not_exist_is_refused(self):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            points.earn(customer_id=10**9, points=1, key="a", at=NOW)

    def test_a_key_of_no_length_or_too_long_is_a_mistake_of_the_program(self, customer):
        for key in ("", "k" * 121):
            with pytest.raises(ValueError, match="1 to 120"):
                earn(customer, 1, key)


class TestTheSameKey:
    def test_again_gives_the_first_posting_and_changes_nothing(self, customer):
        first = earn(customer, 10, "a")
        assert earn(customer, 10, "a", at=NOW + DAY).pk == first.pk
        spent = redeem(customer, 4, "b")
        assert redeem(customer, 4, "b", at=NOW + DAY).pk == spent.pk
        assert totals(customer) == (6, 0, 0)

    def test_again_when_there_would_not_be_enough_any_more(self, customer):
        earn(customer, 10, "a")
        spent = redeem(customer, 10, "b")
        assert redeem(customer, 10, "b").pk == spent.pk

    def test_for_something_else_is_refused(self, customer):
        earn(customer, 10, "a")
        with pytest.raises(KeyReused, match="“a”"):
            earn(customer, 11, "a")
        with pytest.raises(KeyReused):
            redeem(customer, 10, "a")
        with pytest.raises(KeyReused):
            earn(make_customer(), 10, "a")
        assert totals(customer) == (10, 0, 0)


class TestOrderOfSpending:
    def test_soonest_expiring_first_then_oldest(self, customer):
        earn(customer, 10, "never")
        earn(customer, 10, "late", expires_at=NOW + 20 * DAY)
        earn(customer, 10, "soon, young", expires_at=NOW + 10 * DAY)
        earn(customer, 10, "soon, old", at=NOW - DAY, expires_at=NOW + 10 * DAY)
        redeem(customer, 25, "a")
        assert left(customer) == [10, 5, 0, 0]
        taken = Allocation.objects.order_by("pk").values_list("lot__posting__key", "points")
        assert list(taken) == [("soon, old", 10), ("soon, young", 10), ("late", 5)]

    def test_pending_points_are_not_spent(self, customer):
        earn(customer, 10, "a", active_at=NOW + DAY)
        assert totals(customer) == (0, 10, 0)
        with pytest.raises(InsufficientPoints):
            redeem(customer, 1, "b")
        redeem(customer, 10, "c", at=NOW + DAY)
        assert totals(customer) == (0, 0, 0)

    def test_expired_points_are_not_spent(self, customer):
        earn(customer, 10, "a", expires_at=NOW + DAY)
        redeem(customer, 1, "b", at=NOW + DAY - HOUR / 3600)
        with pytest.raises(InsufficientPoints) as refused:
            redeem(customer, 1, "c", at=NOW + DAY)
        assert refused.value.balance == 0
        assert lifetime(customer) == (10, 1, 9, 0)

    def test_points_expire_after_they_were_active(self, customer):
        with pytest.raises(BadPeriod):
            earn(customer, 10, "a", active_at=NOW + DAY, expires_at=NOW + DAY)
        with pytest.raises(BadPeriod):
            earn(customer, 10, "a", expires_at=NOW)


class TestTime:
    """What time has decided is posted before anything else is decided, as of when it happened."""

    def test_a_life_in_one_call(self, customer):
        earn(customer, 30, "a", active_at=NOW + 10 * DAY, expires_at=NOW + 40 * DAY)
        earn(customer, 7, "b", at=NOW + 100 * DAY)
        told = Posting.objects.order_by("pk").values_list("kind", "points", "pending_points", "at")
        assert list(told) == [
            ("earn", 0, 30, NOW),
            ("activate", 30, -30, NOW + 10 * DAY),
            ("expire", -30, 0, NOW + 40 * DAY),
            ("earn", 7, 0, NOW + 100 * DAY),
        ]
        assert totals(customer) == (7, 0, 0)
        assert lifetime(customer) == (37, 0, 30, 0)
        assert account(customer).due_at is None

    def test_the_next_thing_that_is_due_is_known(self, customer):
        earn(customer, 5, "a", expires_at=NOW + 9 * DAY)
        earn(customer, 5, "b", active_at=NOW + 3 * DAY)
        assert account(customer).due_at == NOW + 3 * DAY
        points.settle(customer_id=customer.pk, at=NOW + 3 * DAY)
        assert account(customer).due_at == NOW + 9 * DAY

    def test_settling_twice_is_settling_once(self, customer):
        earn(customer, 5, "a", active_at=NOW + DAY)
        for _ in range(2):
            points.settle(customer_id=customer.pk, at=NOW + DAY)
        assert Posting.objects.count() == 2
        assert totals(customer) == (5, 0, 0)

    def test_points_of_long_ago_expire_as_they_come(self, customer):
        """Crediting a history: the balance of that day is not the balance of today."""
        earn(customer, 5, "old", at=NOW - 400 * DAY, expires_at=NOW - 35 * DAY)
        earn(customer, 6, "new")
        assert totals(customer) == (6, 0, 0)
        earn(customer, 8, "older still", at=NOW - 500 * DAY, expires_at=NOW - 135 * DAY)
        assert selector.standing(customer_id=customer.pk, at=NOW).balance == 6
        points.settle(customer_id=customer.pk, at=NOW)
        assert totals(customer) == (6, 0, 0)

    def test_a_refusal_leaves_what_time_has_decided(self, customer):
        earn(customer, 5, "a", expires_at=NOW + DAY)
        with pytest.raises(InsufficientPoints):
            redeem(customer, 5, "b", at=NOW + DAY)
        assert Posting.objects.filter(kind="expire").count() == 1

    def test_before_1970(self, customer):
        past = NOW.replace(year=1965)
        earn(customer, 5, "a", at=past, active_at=past + DAY, expires_at=past + 2 * DAY)
        points.settle(customer_id=customer.pk, at=past + DAY)
        assert totals(customer) == (5, 0, 0)


class TestReading:
    def test_nobody_s_points(self, customer):
        assert selector.standing(customer_id=customer.pk, at=NOW) == selector.Points()
        assert not selector.statement(customer_id=customer.pk).exists()

    def test_it_is_exact_before_anything_is_posted(self, customer):
        earn(customer, 30, "a", expires_at=NOW + 5 * DAY)
        earn(customer, 20, "b", active_at=NOW + 2 * DAY, expires_at=NOW + 9 * DAY)
        seen = [selector.standing(customer_id=customer.pk, at=NOW + days * DAY) for days in (0, 2, 5, 9)]
        assert [(one.balance, one.pending) for one in seen] == [(30, 20), (50, 0), (20, 0), (0, 0)]
        assert seen[1].expiring() == [(NOW + 5 * DAY, 30), (NOW + 9 * DAY, 20)]
        assert [lot.left for lot in seen[2].lots] == [20]
        assert Posting.objects.count() == 2

    def test_a_debt_is_paid_by_what_comes_first_also_before_it_is_posted(self, customer):
        """The lot that is active first pays, though it expires, as it would have done had somebody posted in time."""
        first = earn(customer, 10, "a")
        redeem(customer, 10, "b")
        points.reverse(posting_id=first.pk, points=10, key="c", at=NOW, policy="allow_negative")
        earn(customer, 12, "d", active_at=NOW + DAY, expires_at=NOW + 3 * DAY)
        earn(customer, 5, "e", active_at=NOW + 2 * DAY)
        for at, balance in ((NOW, -10), (NOW + DAY, 2), (NOW + 2 * DAY, 7), (NOW + 3 * DAY, 5)):
            assert selector.standing(customer_id=customer.pk, at=at).balance == balance
        points.settle(customer_id=customer.pk, at=NOW + 3 * DAY)
        assert totals(customer) == (5, 0, 0)

    def test_the_statement_has_the_latest_first(self, customer):
        earn(customer, 30, "a")
        redeem(customer, 10, "b")
        assert [row.key for row in selector.statement(customer_id=customer.pk)] == ["b", "a"]


class TestItStands:
    """Not even our own programs can change what was written."""

    @pytest.mark.parametrize("table", ["loyalty_posting", "loyalty_allocation"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET points = 1", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_postings_and_allocations(self, customer, table, statement):
        earn(customer, 30, "a")
        redeem(customer, 10, "b")
        before = [list(model.objects.order_by("pk").values()) for model in (Posting, Allocation)]
        trigger = f"{table.removeprefix('loyalty_')}s_are_not_emptied"
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")  # off in tests: tests/conftest.py
            with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
                cursor.execute(statement.format(table))
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        assert [list(model.objects.order_by("pk").values()) for model in (Posting, Allocation)] == before

    def test_without_the_triggers_they_would_be_changed(self, customer):
        """The control."""
        earn(customer, 30, "a")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE loyalty_posting DISABLE TRIGGER postings_are_not_changed")
            cursor.execute("UPDATE loyalty_posting SET points = 1")
            assert Posting.objects.get().points == 1
            transaction.set_rollback(True)

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"balance": -1}, "points_are_not_overdrawn"),
            ({"pending": -1}, "pending_points_are_not_negative"),
            ({"held": -1}, "held_points_are_not_negative"),
            ({"spent": -1}, "lifetime_points_are_not_negative"),
        ],
    )
    def test_an_account_keeps_its_rules(self, customer, change, rule):
        earn(customer, 30, "a")
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Account.objects.update(**change)

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"points_left": 31}, "a_lot_holds_no_more_than_came"),
            ({"points_left": 0}, "an_empty_lot_is_called_empty"),
            ({"expires_at": NOW}, "a_lot_is_active_before_it_expires"),
        ],
    )
    def test_a_lot_keeps_its_rules(self, customer, change, rule):
        earn(customer, 30, "a")
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Lot.objects.update(**change)
