"""Nights in the tests' own process, and what they must say, computed the slow and plain way."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import log
from random import Random

import pytest
from django.db import connection
from django.utils import timezone

from analytics.services import partitions
from core import engine
from crm import night
from customers.models import Order, Refund, UnmatchedReturn
from tests import factories

FIRST = date(2026, 1, 1)
AS_OF = date(2026, 3, 31)
DAY = timedelta(days=1)


def pass_night(as_of=AS_OF, *, steps=night.STEPS):
    """Begin a night and see it through; returns the run as it ended."""
    started = night.start(as_of=as_of, at=timezone.now())
    return engine.drive(run_id=started.run.pk, steps=steps)


def score_rows(run):
    """All columns of the run's scores but its number, by customer."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {partitions.table_of(run.pk)} ORDER BY customer_id")
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["customer_id"]: {name: row[name] for name in names if name != "run_id"} for row in rows}


def make_random_shop(seed, *, customers=12, first=FIRST, last=AS_OF):
    """Facts of every kind, some of them after `last`."""
    chance = Random(seed)
    span = (last - first).days
    people = [factories.make_customer() for _ in range(customers)]
    for person in [*people, None]:
        for _ in range(chance.choice([0, 1, 1, 2, 4, 7])):
            make_random_order(chance, person, first + timedelta(days=chance.randint(0, span + 5)))
    for person in chance.sample(people, customers // 3):
        factories.make_unmatched_return(customer=person, day=first + timedelta(days=chance.randint(0, span + 5)))
    factories.make_unmatched_return(customer=None, day=last)
    return people


def make_random_order(chance, person, day):
    at = datetime(day.year, day.month, day.day, chance.randint(0, 23), chance.randint(0, 59), tzinfo=UTC)
    status = chance.choices(["paid", "pending", "cancelled"], [8, 1, 1])[0]
    value = chance.choice([0, 999, 5_000, 12_345])
    order = factories.make_order(customer=person, day=day, at=at, value_cents=value, status=status)
    back = day + timedelta(days=chance.randint(0, 20))
    if chance.random() < 0.25:
        factories.make_refund(order=order, day=back)
    elif value and chance.random() < 0.2:
        factories.make_refund(order=order, day=back, value_cents=value // 3)
    return order


def plain_summaries(as_of):
    """What the definitions say of each customer: a day counts with an order that stands, refunds on their own date."""
    orders = defaultdict(list)
    for order in Order.objects.filter(status="paid", customer__isnull=False, placed_on__lte=as_of):
        orders[order.customer_id].append(order)
    return {customer: _plain_summary(customer, found, as_of) for customer, found in orders.items()}


def _plain_summary(customer, orders, as_of):
    standing = [o for o in orders if o.fully_refunded_on is None or o.fully_refunded_on > as_of]
    days = sorted({o.placed_on for o in standing})
    shown = standing or orders
    refunds = [r for r in Refund.objects.filter(order__in=orders) if r.refunded_on <= as_of]
    lost = list(UnmatchedReturn.objects.filter(customer=customer, returned_on__lte=as_of))
    day_of = {o.pk: o.placed_on for o in orders}
    later = [o for o in orders if days and o.placed_on > days[0]]
    later_refunds = [r for r in refunds if days and day_of[r.order_id] > days[0]]
    again = money(later) - money(later_refunds) - money(lost) if len(days) > 1 else 0
    return {
        "orders": len(standing),
        "order_days": len(days),
        "first_at": min(o.placed_at for o in shown),
        "last_at": max(o.placed_at for o in shown),
        "first_on": min(o.placed_on for o in shown),
        "last_on": max(o.placed_on for o in shown),
        "value_cents": money(orders) - money(refunds) - money(lost),
        "repeat_value_cents": again,
        "margin_cents": margin(orders) - margin(refunds) - margin(lost),
        "refunded_cents": money(r for r in refunds if r.refunded_on > day_of[r.order_id]) + money(lost),
        **_plain_details(days, orders, refunds, day_of, first_on=min(o.placed_on for o in shown)),
    }


def _plain_details(days, orders, refunds, day_of, *, first_on):
    """Gaps between order days, and the logarithms of what was left of each one after the first."""
    spent = [
        money(o for o in orders if o.placed_on == day) - money(r for r in refunds if day_of[r.order_id] == day)
        for day in days[1:]
    ]
    logs = [log(cents) for cents in spent if cents > 0]
    return {
        "prior_on": days[-3] if len(days) > 2 else first_on,
        "log_gaps": pytest.approx(sum(log((after - before).days) for before, after in pairwise(days))),
        "paid_days": len(logs),
        "log_value": pytest.approx(sum(logs)),
        "log_value_sq": pytest.approx(sum(each * each for each in logs)),
    }


def money(rows):
    return sum(row.value_cents for row in rows)


def margin(rows):
    return sum(row.margin_cents for row in rows)


def plain_totals():
    """What each business date sold and took back: orders, buyers, net value, money back and margin, by day."""
    paid = Order.objects.filter(status="paid")
    refunds = [(refund.refunded_on, refund) for refund in Refund.objects.filter(order__in=paid)]
    returns = [(found.returned_on, found) for found in UnmatchedReturn.objects.all()]
    days = {order.placed_on for order in paid} | {day for day, _ in refunds + returns}
    return {day: _plain_day([o for o in paid if o.placed_on == day], on(day, refunds + returns)) for day in days}


def on(day, dated):
    return [row for its_day, row in dated if its_day == day]


def _plain_day(orders, back):
    buyers = {order.customer_id for order in orders} - {None}
    return (
        len(orders),
        len(buyers),
        money(orders) - money(back),
        money(back),
        margin(orders) - margin(back),
    )
