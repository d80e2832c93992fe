"""Somebody redeems the other's points, or sends an order of hers, while two customers are merged."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from crm import joining
from customers.models import Merge, Order
from customers.services import buyers, people_lock
from customers.services.buyers import Buyer
from loyalty.models import Redemption
from loyalty.services import points, rewards
from tests.factories import make_business, make_customer, make_order
from tests.loyalty import shop
from tests.loyalty.accounts import NOW, disagreements, totals
from tests.loyalty.planted import planted

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST = 20  # seconds: far more than any of this takes


@pytest.fixture
def pair(transactional_db):
    make_business()
    shop.open_programme()
    ada, twin = make_customer(external_id="ada"), make_customer(external_id="twin")
    points.earn(customer_id=ada.pk, points=120, key="ada", at=NOW)
    points.earn(customer_id=twin.pk, points=30, key="twin", at=NOW)
    return ada, twin


def merge(pair):
    ada, twin = pair
    return joining.merge(into=ada.pk, other=twin.pk, by=None, at=NOW)


def redeem(twin):
    wish = rewards.Wish(customer_id=twin.pk, points=20)
    return rewards.redeem(wish=wish, key="till", at=NOW, place="till").redemption


def in_thread(pool, action):
    def run():
        try:
            return action()
        finally:
            connections.close_all()

    return pool.submit(run)


def wait_until(is_so):
    end = time.monotonic() + LONGEST
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
        cursor.execute("""
            SELECT EXISTS (SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock')""")
        return cursor.fetchone()[0]


def redeemed_beside(pair):
    """The merge is done and not yet committed when somebody wants the other's points."""
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        merge(pair)
        redeeming = in_thread(pool, lambda: redeem(pair[1]))
        wait_until(lambda: redeeming.done() or somebody_waits())
        transaction.on_commit(lambda: redeeming.result(LONGEST))


def test_who_waits_for_the_merge_redeems_from_the_one_account(pair):
    redeemed_beside(pair)
    ada, _twin = pair
    assert totals(ada) == (130, 0, 0)
    assert Redemption.objects.get().customer == ada
    assert disagreements() == []


def test_without_the_lock_points_would_be_spent_twice(pair):
    """The control: the till looks at the account as it was before."""
    with planted("loyalty_lock", "FOR NO KEY UPDATE", ""):
        redeemed_beside(pair)
    assert disagreements() != []


def test_without_looking_again_the_redemption_would_stay_with_the_other(pair, monkeypatch):
    """The control: the row names who asked, and not whose points they are by now."""
    monkeypatch.setattr(rewards, "_of", lambda outcome, wish: wish)
    redeemed_beside(pair)
    assert Redemption.objects.get().customer == pair[1]


def ordered_beside(pair):
    """A program has found the other by her name and writes an order when the merge begins."""
    found, go_on = threading.Event(), threading.Event()

    @transaction.atomic
    def write():
        ((_key, customer_id),) = buyers.settle(buyers=[Buyer(source="shop", external_id="twin")]).items()
        found.set()
        go_on.wait(LONGEST)
        make_order(customer=next(one for one in pair if one.pk == customer_id))

    with ThreadPoolExecutor(2) as pool:
        writing = in_thread(pool, write)
        assert found.wait(LONGEST)
        merging = in_thread(pool, lambda: merge(pair))
        wait_until(lambda: merging.done() or somebody_waits())
        go_on.set()
        writing.result(LONGEST)
        merging.result(LONGEST)
    return Order.objects.get().customer


def test_an_order_that_is_being_written_is_the_one_customer_s(pair):
    assert ordered_beside(pair) == pair[0]


def test_without_waiting_for_writers_it_would_be_nobody_s(pair, monkeypatch):
    """The control: the order comes after everything was moved."""
    monkeypatch.setattr(people_lock, "writing", lambda: None)
    assert ordered_beside(pair) == pair[1]


def test_two_who_merge_the_same_pair_at_once_merge_once(pair):
    with ThreadPoolExecutor(4) as pool:
        done = [in_thread(pool, lambda: merge(pair)) for _ in range(4)]
        assert len({one.result(LONGEST) for one in done}) == 1
    assert Merge.objects.count() == 1
    assert totals(pair[0]) == (150, 0, 0)


def test_who_waits_too_long_is_told_so(pair, other_connection, monkeypatch):
    monkeypatch.setattr(joining, "WAIT_SECONDS", 0.05)
    lock = other_connection()
    lock.autocommit = False
    lock.execute("SELECT 1 FROM customers_customer FOR NO KEY UPDATE")
    with pytest.raises(joining.Busy, match="Try again"):
        merge(pair)
    lock.close()
    merge(pair)


def test_an_import_that_is_being_written_comes_first(pair, other_connection):
    lock = other_connection()
    lock.execute("SELECT pg_advisory_lock(7301001)")
    with pytest.raises(joining.CannotMerge, match="import"):
        merge(pair)
    lock.close()
    merge(pair)
