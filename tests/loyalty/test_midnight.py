"""What time has decided (loyalty.services.settling, midnight): many accounts at once, as one after another."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction

from loyalty.models import Account, Posting
from loyalty.services import midnight, points, settling, verifying
from tests.factories import make_business, make_customer
from tests.loyalty.shop import totals

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FACTS = {
    "loyalty_posting": "account_id, kind, points, pending_points, held_points, asked, key, at",
    "loyalty_lot": "account_id, points, points_left, state, earned_at, active_at, expires_at",
    "loyalty_allocation": "lot_id, points, (SELECT key FROM loyalty_posting p WHERE p.id = posting_id)",
    "loyalty_account": "id, balance, pending, held, earned, spent, expired, reversed, may_owe, due_at",
    "loyalty_hold": "account_id, points, until, state",
}


def facts():
    """Every row of the ledger but for the numbers that say in which order they were written."""
    with connection.cursor() as cursor:
        rows = {}
        for table, columns in FACTS.items():
            cursor.execute(f"SELECT {columns} FROM {table}")
            rows[table] = sorted(cursor.fetchall(), key=repr)
        return rows


def make_history(seed, customers=12):
    """Accounts with lots that wait, live and end, holds, points spent, debts, and points that came back."""
    chance = Random(seed)
    for person in range(customers):
        customer = make_customer()
        for number in range(chance.randint(1, 5)):
            at = NOW - chance.randint(0, 40) * DAY
            active = at + chance.choice([0, 0, 5, 14, 60]) * DAY
            ends = chance.choice([None, active + chance.randint(1, 60) * DAY])
            key = f"{seed}:{person}:{number}"
            earned = points.earn(
                customer_id=customer.pk,
                points=chance.randint(1, 500),
                key=key,
                at=at,
                active_at=active,
                expires_at=ends,
            )
        _spend(chance, customer, f"{seed}:{person}", earned)


def _spend(chance, customer, key, earned):
    points.settle(customer_id=customer.pk, at=NOW - DAY)
    balance = Account.objects.get(customer=customer).balance
    at = NOW - timedelta(hours=12)
    kind = chance.choice(["nothing", "redeem", "hold", "debt"])
    if kind == "redeem" and balance > 1:
        spent = points.redeem(customer_id=customer.pk, points=balance // 2, key=f"redeem:{key}", at=at)
        points.give_back(posting_id=spent.pk, points=1, key=f"back:{key}", at=at, grace_days=5)
    elif kind == "hold" and balance:
        points.hold(
            customer_id=customer.pk, points=balance, key=f"hold:{key}", at=at, until=at + chance.choice([1, 30]) * DAY
        )
    elif kind == "debt" and balance:
        points.redeem(customer_id=customer.pk, points=balance, key=f"redeem:{key}", at=at)
        points.reverse(posting_id=earned.pk, points=earned.asked, key=f"reverse:{key}", at=at, policy="allow_negative")


@pytest.fixture(autouse=True)
def sound_ledger(db):
    yield
    assert [result for result in verifying.verify() if result.wrong] == []


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("days", [1, 20, 100])
def test_the_same_rows_as_one_after_another(seed, days):
    make_history(seed)
    at, before = NOW + days * DAY, facts()
    with transaction.atomic():
        for customer in Account.objects.order_by("id").values_list("customer_id", flat=True):
            points.settle(customer_id=customer, at=at)
        alone = facts()
        transaction.set_rollback(True)
    assert facts() == before
    with transaction.atomic():
        settling.activate_all(at=at)
        settling.settle_all(at=at)
        assert facts() == alone
        transaction.set_rollback(True)
    settling.settle_all(at=at)
    assert facts() == alone
    assert alone != before


def test_it_works():
    customer = make_customer()
    for key, active, ends in (("a", 5, 30), ("b", 0, 10), ("c", 5, 6)):
        points.earn(
            customer_id=customer.pk,
            points=100,
            key=key,
            at=NOW,
            active_at=NOW + active * DAY,
            expires_at=NOW + ends * DAY,
        )
    assert settling.settle_all(at=NOW + 10 * DAY) == 1
    account = Account.objects.get()
    assert (account.balance, account.pending, account.expired) == (100, 0, 200)
    assert account.due_at == NOW + 30 * DAY
    told = Posting.objects.exclude(kind="earn").order_by("id").values_list("kind", "points")
    assert list(told) == [("activate", 100), ("activate", 100), ("expire", -100), ("expire", -100)]


def test_again_there_is_nothing_to_do():
    points.earn(customer_id=make_customer().pk, points=100, key="a", at=NOW, active_at=NOW + DAY)
    assert [settling.settle_all(at=NOW + at * DAY) for at in (0, 1, 1, 9)] == [0, 1, 0, 0]
    assert Account.objects.get().due_at is None


def test_the_night_makes_active_first_and_lets_expire_later():
    business = make_business(time_zone="Europe/Berlin")
    customer = make_customer()
    day = datetime(2026, 3, 10, 23, tzinfo=UTC)  # the 11th begins
    points.earn(customer_id=customer.pk, points=100, key="a", at=NOW, active_at=day)
    points.earn(customer_id=customer.pk, points=50, key="b", at=NOW, expires_at=day)
    night = {"as_of": date(2026, 3, 10), "business": business, "at": day + timedelta(hours=2)}
    assert (midnight.activate(**night), totals(customer)) == (1, (150, 0))
    assert (midnight.expire(**night), totals(customer)) == (1, (100, 0))


def test_a_day_that_is_not_over_decides_nothing_ahead():
    business = make_business()
    points.earn(customer_id=make_customer().pk, points=50, key="b", at=NOW, expires_at=NOW + timedelta(hours=6))
    assert midnight.expire(as_of=NOW.date(), business=business, at=NOW + timedelta(hours=5)) == 0


def test_some_of_many(monkeypatch):
    monkeypatch.setattr(settling, "AT_ONCE", 2)
    for number in range(5):
        points.earn(customer_id=make_customer().pk, points=100, key=f"{number}", at=NOW, active_at=NOW + DAY)
    assert [settling.settle_all(at=NOW + DAY, most=3), settling.settle_all(at=NOW + DAY)] == [3, 2]
    assert Account.objects.filter(balance=100, pending=0).count() == 5


def test_a_lot_that_expires_a_second_time():
    customer = make_customer()
    points.earn(customer_id=customer.pk, points=100, key="a", at=NOW, expires_at=NOW + DAY)
    spent = points.redeem(customer_id=customer.pk, points=60, key="r", at=NOW)
    settling.settle_all(at=NOW + DAY)
    points.give_back(posting_id=spent.pk, points=60, key="g", at=NOW + DAY, grace_days=0)
    settling.settle_all(at=NOW + 2 * DAY)
    assert Account.objects.get().balance == 0
    assert Posting.objects.filter(kind="expire").count() == 2


def test_nobody_has_an_account():
    assert settling.settle_all(at=NOW) == 0
