from datetime import date, timedelta
from random import Random

import pytest

from analytics.models import OrderDays, PeriodCounts
from analytics.services import following, period_counts
from core import feed
from customers.models import Order
from tests import nights
from tests.factories import make_customer, make_order, make_refund

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # the feed gives only what is committed
AS_OF = date(2026, 3, 31)
NAMES = ("started", "kept", "active", "buyers", "repeated", "orders")


def counts(days, *, back=0, as_of=AS_OF, active_days=90):
    period_counts.refresh(as_of=as_of, active_days=active_days)
    found = PeriodCounts.objects.get(as_of=as_of, days=days, until=as_of - timedelta(days=days * back))
    return {name: getattr(found, name) for name in NAMES}


def make_buyer(*ages, as_of=AS_OF):
    """A customer with orders so many days before `as_of`."""
    customer = make_customer()
    return customer, [make_order(customer=customer, day=as_of - timedelta(days=age)) for age in ages]


def test_it_works():
    make_buyer(10)  # new
    make_buyer(100, 5)  # stayed, and came again
    make_buyer(110)  # left: active a month ago, no longer now
    make_buyer(400)  # left long ago
    make_order(customer=None, day=AS_OF)
    assert counts(30) == {"started": 2, "kept": 1, "active": 2, "buyers": 2, "repeated": 1, "orders": 2}


def test_started_are_active_on_the_day_before_the_period():
    make_buyer(30)  # the last day before the period
    make_buyer(119)  # the first day that still counts then
    make_buyer(120)  # one day too long ago
    make_buyer(29)  # in the period
    found = counts(30)
    assert (found["started"], found["kept"], found["active"]) == (2, 1, 2)


def test_two_orders_of_one_day_are_no_return():
    make_buyer(3, 3)
    make_buyer(3, 2)
    found = counts(30)
    assert (found["buyers"], found["repeated"], found["orders"]) == (2, 1, 4)


def test_the_period_before():
    make_buyer(35, 40)  # came again within it
    make_buyer(45, 5)  # came for the first time then
    assert counts(30, back=1) == {"started": 0, "kept": 0, "active": 2, "buyers": 2, "repeated": 1, "orders": 3}


def test_an_order_that_came_back_is_none():
    _, (order,) = make_buyer(10)
    make_refund(order=order, day=AS_OF)
    assert counts(30)["buyers"] == 0


def test_an_order_that_comes_back_later_counts_until_then():
    _, (order,) = make_buyer(10)
    make_refund(order=order, day=AS_OF + timedelta(days=1))
    assert counts(30)["buyers"] == 1


def test_nobody():
    assert counts(365) == dict.fromkeys(NAMES, 0)


def test_again_for_the_same_night_replaces_its_counts():
    counts(30)
    counts(30)
    assert PeriodCounts.objects.count() == 2 * len(period_counts.PERIODS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("active_days", [1, 30, 90, 400])
def test_places_say_what_dates_say(seed, active_days):
    nights.make_random_shop(seed, first=date(2024, 1, 1))
    period_counts.refresh(as_of=AS_OF, active_days=active_days)
    for found in PeriodCounts.objects.all():
        assert {name: getattr(found, name) for name in NAMES} == plain(found, active_days)


@committed
@pytest.mark.parametrize("seed", range(3))
def test_changes_and_days_that_pass_give_what_dates_say(seed, monkeypatch):
    """Also of a night for a past date, which counts from the orders and leaves the kept days alone."""
    monkeypatch.setattr(following, "REBUILD_SHARE", 2.0)
    chance, people = Random(seed), nights.make_random_shop(seed)
    for passed in range(4):
        as_of = AS_OF + timedelta(days=passed)
        feed.wait_until_readable()
        period_counts.refresh(as_of=as_of, active_days=30)
        period_counts.refresh(as_of=as_of - timedelta(days=9), active_days=30, is_past=True)
        assert dict(OrderDays.objects.values_list("customer_id", "days")) == sorted_days(as_of)
        for found in PeriodCounts.objects.filter(as_of__in=[as_of, as_of - timedelta(days=9)]):
            assert {name: getattr(found, name) for name in NAMES} == plain(found, 30)
        for person in chance.sample(people, 3):
            nights.make_random_order(chance, person, AS_OF + timedelta(days=chance.randint(-400, 3)))


def sorted_days(as_of):
    return {customer: sorted(days) for customer, days in order_days(as_of).items()}


def plain(found, active_days):
    """The definitions, customer by customer."""
    days = order_days(found.as_of)
    before = found.until - timedelta(days=found.days)
    started = {who for who, on in days.items() if any_in(on, before, active_days)}
    active = {who for who, on in days.items() if any_in(on, found.until, active_days)}
    inside = {who: [day for day in on if before < day <= found.until] for who, on in days.items()}
    buyers = {who for who, on in inside.items() if on}
    return {
        "started": len(started),
        "kept": len(started & active),
        "active": len(active),
        "buyers": len(buyers),
        "repeated": sum(min(days[who]) < max(inside[who]) for who in buyers),
        "orders": sum(map(len, inside.values())),
    }


def any_in(days, last, length):
    return any(last - timedelta(days=length) < day <= last for day in days)


def order_days(as_of):
    found = {}
    for order in Order.objects.filter(status="paid", customer__isnull=False, placed_on__lte=as_of):
        if order.fully_refunded_on is None or order.fully_refunded_on > as_of:
            found.setdefault(order.customer_id, []).append(order.placed_on)
    return found
