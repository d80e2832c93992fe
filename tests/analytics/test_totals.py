from datetime import date, timedelta
from importlib import import_module
from random import Random

import pytest
from django.db import connection

from analytics.models import DayTotals
from analytics.services import totals
from core import feed
from core.models import Change
from tests import nights
from tests.factories import make_customer, make_order, make_refund, make_unmatched_return

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # the feed gives only what is committed
DAY = date(2026, 3, 10)


def refresh():
    """Add up what changed; the first time, everything."""
    feed.wait_until_readable()
    return totals.refresh()


def rows():
    found = DayTotals.objects.values_list("day", "orders", "buyers", "value_cents", "refunds_cents", "margin_cents")
    return {day: figures for day, *figures in found}


def test_it_works():
    anna = make_customer()
    make_order(customer=anna, day=DAY, value_cents=1000, margin_cents=300)
    make_order(customer=anna, day=DAY, value_cents=500, margin_cents=100)
    make_order(customer=None, day=DAY, value_cents=200, margin_cents=50)
    assert refresh() == 1
    assert rows() == {DAY: [3, 1, 1700, 0, 450]}


def test_money_back_counts_on_its_own_day_matched_or_not():
    order = make_order(customer=make_customer(), day=DAY, value_cents=1000, margin_cents=400)
    make_refund(order=order, day=DAY + timedelta(days=2))
    make_unmatched_return(day=DAY + timedelta(days=2), value_cents=50, margin_cents=20)
    refresh()
    assert rows() == {DAY: [1, 1, 1000, 0, 400], DAY + timedelta(days=2): [0, 0, -1050, 1050, -420]}


def test_unpaid_orders_and_their_refunds_count_nothing():
    order = make_order(customer=make_customer(), status="cancelled")
    make_refund(order=order)
    refresh()
    assert rows() == {}


@committed
def test_a_day_that_lost_its_orders_is_gone():
    order = make_order(day=DAY)
    refresh()
    order.lines.all().delete()
    order.delete()
    feed.record(Change.Kind.DAY, [(DAY - date(1970, 1, 1)).days])
    refresh()
    assert rows() == {}


@committed
def test_nothing_new_is_no_work():
    make_order()
    assert (refresh(), refresh()) == (1, 0)


@committed
@pytest.mark.parametrize("seed", range(4))
def test_sql_says_what_the_definitions_say_day_by_day(seed):
    chance, people = Random(seed), nights.make_random_shop(seed)
    for _ in range(3):
        refresh()
        assert {day: tuple(figures) for day, figures in rows().items()} == nights.plain_totals()
        for person in chance.sample(people, 3):
            nights.make_random_order(chance, person, nights.FIRST + timedelta(days=chance.randint(0, 99)))


def test_days_from_before_there_were_fingerprints_get_theirs():
    for day in (DAY, DAY + timedelta(days=1)):
        make_order(customer=make_customer(), day=day)
    refresh()
    known = dict(DayTotals.objects.values_list("day", "fingerprint"))
    again = import_module("analytics.migrations.0017_fingerprints_of_old_days").AGAIN

    with connection.cursor() as cursor:
        cursor.execute(again)
        assert refresh() == 0
        DayTotals.objects.filter(day=DAY).update(fingerprint=0)
        cursor.execute(again)
    assert refresh() == 2
    assert dict(DayTotals.objects.values_list("day", "fingerprint")) == known
