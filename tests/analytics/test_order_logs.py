"""The order log from the database says what the summaries in SQL say."""

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.clv.history import History
from analytics.services import order_logs, scoring, summaries
from core import pgcopy
from tests import nights
from tests.factories import make_customer, make_order, make_refund, make_unmatched_return

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 3, 31)


def number(day):
    return (day - date(1970, 1, 1)).days


def sql_history(as_of, currency="USD"):
    summaries.rebuild(table=summaries.TABLE, as_of=as_of)
    columns = pgcopy.read(
        f"SELECT {', '.join(scoring.HISTORY)} FROM {summaries.TABLE} ORDER BY customer_id", {}, scoring.HISTORY
    )
    return scoring.history(columns, as_of=as_of, currency=currency), columns["customer_id"]


def assert_equal(found, expected):
    for name in History.__slots__:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-9), name


def test_it_works():
    customer = make_customer()
    make_order(customer=customer, day=date(2026, 1, 5), value_cents=1000, margin_cents=250)
    make_order(customer=customer, day=date(2026, 2, 7), value_cents=3000, margin_cents=100)
    log, ids = order_logs.read(as_of=AS_OF, currency="USD")
    history, rows = log.history(number(AS_OF))

    assert (ids.tolist(), rows.tolist()) == ([customer.pk], [0])
    assert (log.end, log.start) == (number(AS_OF), number(date(2026, 1, 5)))
    assert (history.order_days.tolist(), history.value.tolist(), history.margin.tolist()) == ([2], [40.0], [3.5])


@pytest.mark.parametrize("seed", range(6))
def test_any_day_looks_as_the_summaries_say(seed):
    nights.make_random_shop(seed, customers=15)
    log, ids = order_logs.read(as_of=AS_OF + timedelta(days=30), currency="USD")

    for days in (0, 20, 45, 70, 88, 89, 92, 110):
        as_of = nights.FIRST + timedelta(days=days)
        expected, customers = sql_history(as_of)
        found, rows = log.history(number(as_of))
        assert ids[rows].tolist() == customers.tolist()
        assert_equal(found, expected)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_dated_later_is_not_read(seed):
    nights.make_random_shop(seed)
    log, _ = order_logs.read(as_of=AS_OF, currency="USD")
    whole, _ = order_logs.read(as_of=AS_OF + timedelta(days=60), currency="USD")

    assert int(np.max(log.seen_on)) <= number(AS_OF)
    assert_equal(log.history(number(AS_OF))[0], whole.history(number(AS_OF))[0])


def test_a_refund_that_is_dated_before_its_order_counts_from_the_order_on():
    customer = make_customer()
    make_refund(order=make_order(customer=customer, day=date(2026, 2, 5)), day=date(2026, 2, 1), value_cents=400)
    log, _ = order_logs.read(as_of=AS_OF, currency="USD")

    assert log.history(number(date(2026, 2, 4)))[1].size == 0
    assert log.history(number(date(2026, 2, 5)))[0].value.tolist() == [96.0]


@pytest.mark.parametrize("status", ["pending", "cancelled"])
def test_only_paid_orders_of_customers_are_read(status):
    make_order(customer=make_customer(), status=status)
    make_refund(order=make_order(customer=None))
    make_unmatched_return(customer=None)
    log, ids = order_logs.read(as_of=AS_OF, currency="USD")

    assert (log.customer.size, ids.size) == (0, 0)


def test_money_without_decimals_and_days_before_1970():
    customer = make_customer()
    make_order(customer=customer, day=date(1965, 5, 1), value_cents=1200)
    make_order(customer=customer, day=date(1969, 12, 31), value_cents=800)
    log, _ = order_logs.read(as_of=date(1969, 12, 31), currency="JPY")
    history, _ = log.history(number(date(1969, 12, 31)))

    assert (history.value.tolist(), history.last_age.tolist()) == ([2000.0], [0])
    assert_equal(history, sql_history(date(1969, 12, 31), "JPY")[0])


# Samples


def test_a_sample_is_whole_customers_with_all_they_did():
    nights.make_random_shop(1, customers=40)
    whole, everyone = order_logs.read(as_of=AS_OF, currency="USD")
    part, some = order_logs.read(as_of=AS_OF, currency="USD", sample=20)
    history, rows = whole.history(number(AS_OF))
    chosen = np.isin(everyone[rows], some)

    assert 0 < some.size < everyone.size
    assert_equal(part.history(number(AS_OF))[0], history.take(np.flatnonzero(chosen)))


def test_a_smaller_sample_is_part_of_a_larger():
    nights.make_random_shop(1, customers=40)
    larger, smaller = (set(order_logs.read(as_of=AS_OF, currency="USD", sample=size)[1]) for size in (20, 10))

    assert smaller
    assert smaller < larger


@pytest.mark.parametrize(
    ("customers", "sample", "times"),
    [(0, 100, 0), (100, 100, 0), (101, 100, 1), (200, 100, 1), (201, 100, 2), (400, 100, 2), (1_000_000, 100_000, 4)],
)
def test_customers_are_halved_until_they_fit(customers, sample, times):
    assert order_logs.halvings(customers, sample) == times
    assert customers / 2**times <= sample


class TestDiscounts:
    def share(self, day):
        log, ids = order_logs.read(as_of=AS_OF, currency="USD")
        found = order_logs.read_discounts(as_of=AS_OF, currency="USD", sample=None, ids=ids)
        return found.share(log, number(day)).tolist()

    def buy(self, customer, day, *, value_cents, discount_cents=0):
        order = make_order(customer=customer, day=day, value_cents=value_cents)
        order.lines.update(discount_cents=discount_cents)
        return order

    def test_share_of_what_was_bought_by_then_at_full_price(self):
        customer = make_customer()
        self.buy(customer, date(2026, 1, 5), value_cents=800, discount_cents=200)
        self.buy(customer, date(2026, 2, 5), value_cents=2600, discount_cents=400)
        assert self.share(date(2026, 1, 31)) == [0.2]
        assert self.share(AS_OF) == [pytest.approx(600 / 4000)]

    def test_what_came_back_was_bought(self):
        order = self.buy(make_customer(), date(2026, 1, 5), value_cents=800, discount_cents=200)
        make_refund(order=order, day=date(2026, 1, 9), value_cents=300)
        assert self.share(AS_OF) == [0.2]

    def test_nothing_is_taken_off_without_discounts(self):
        make_order(customer=make_customer(), day=date(2026, 1, 5))
        assert self.share(AS_OF) == [0.0]
        assert self.share(date(2025, 12, 31)) == [0.0]
