from datetime import UTC, date, datetime, timedelta
from math import log
from random import Random

import pytest
from django.db import connection, transaction

from analytics.models import PurchaseSummary
from analytics.services import following, summaries
from core import feed
from core.models import Change, Cursor
from tests import factories, nights
from tests.factories import make_customer, make_order, make_refund, make_unmatched_return

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # the feed gives only what is committed
AS_OF = date(2026, 3, 31)
FIELDS = [
    *("orders", "order_days", "first_at", "last_at", "first_on", "last_on"),
    *("value_cents", "repeat_value_cents", "margin_cents"),
    *("prior_on", "log_gaps", "paid_days", "log_value", "log_value_sq", "refunded_cents"),
]


@pytest.fixture
def customer():
    return make_customer()


def refresh(as_of=AS_OF):
    feed.wait_until_readable()
    return summaries.refresh(as_of=as_of)


def summary(customer, as_of=AS_OF):
    """The customer's summary, computed from the start."""
    summaries.rebuild(table=summaries.TABLE, as_of=as_of)
    return PurchaseSummary.objects.filter(pk=customer.pk).first()


def refreshed(customer, as_of=AS_OF):
    refresh(as_of)
    return PurchaseSummary.objects.filter(pk=customer.pk).first()


def all_rows():
    return {row.pop("customer_id"): row for row in PurchaseSummary.objects.values("customer_id", *FIELDS)}


def test_it_works(customer):
    make_order(customer=customer, day=date(2026, 1, 5), value_cents=1000, margin_cents=400)
    make_order(customer=customer, day=date(2026, 2, 7), value_cents=3000, margin_cents=100)
    found = summary(customer)
    assert (found.orders, found.order_days) == (2, 2)
    assert (found.first_on, found.last_on) == (date(2026, 1, 5), date(2026, 2, 7))
    assert (found.value_cents, found.repeat_value_cents, found.margin_cents) == (4000, 3000, 500)


def test_two_orders_of_a_day_are_one_order_day(customer):
    make_order(customer=customer, at=datetime(2026, 1, 5, 8, tzinfo=UTC), day=date(2026, 1, 5))
    make_order(customer=customer, at=datetime(2026, 1, 5, 9, tzinfo=UTC), day=date(2026, 1, 5))
    found = summary(customer)
    assert (found.orders, found.order_days, found.repeat_value_cents) == (2, 1, 0)
    assert found.last_at - found.first_at == timedelta(hours=1)


class TestDetails:
    """What the models of regular buyers, of spend and of trends read."""

    def test_gaps_and_spends_of_the_order_days_after_the_first(self, customer):
        for day, cents in ((2, 5000), (4, 1000), (12, 3000), (28, 2000)):
            make_order(customer=customer, day=date(2026, 1, day), value_cents=cents)
        found = summary(customer)
        logs = [log(cents) for cents in (1000, 3000, 2000)]
        assert found.log_gaps == pytest.approx(log(2) + log(8) + log(16))
        assert (found.paid_days, found.prior_on) == (3, date(2026, 1, 4))
        assert found.log_value == pytest.approx(sum(logs))
        assert found.log_value_sq == pytest.approx(sum(each**2 for each in logs))

    def test_one_order_day_has_neither(self, customer):
        make_order(customer=customer, day=date(2026, 1, 5))
        found = summary(customer)
        assert (found.prior_on, found.log_gaps, found.paid_days) == (date(2026, 1, 5), 0.0, 0)

    def test_a_day_that_came_back_makes_one_long_gap(self, customer):
        for day in (1, 5, 9):
            order = make_order(customer=customer, day=date(2026, 1, day))
            if day == 5:
                make_refund(order=order, day=date(2026, 1, 20))
        found = summary(customer)
        assert (found.order_days, found.paid_days) == (2, 1)
        assert found.log_gaps == pytest.approx(log(8))

    def test_free_order_days_are_no_paid_days(self, customer):
        for day, cents in ((1, 900), (2, 0), (3, 700)):
            make_order(customer=customer, day=date(2026, 1, day), value_cents=cents)
        found = summary(customer)
        assert (found.order_days, found.paid_days) == (3, 1)
        assert found.log_value == pytest.approx(log(700))


def test_days_are_business_dates_and_not_days_in_utc(customer):
    factories.make_business(time_zone="Asia/Tokyo")
    late = datetime(2026, 1, 5, 20, tzinfo=UTC)
    make_order(customer=customer, at=late, day=date(2026, 1, 6))
    make_order(customer=customer, at=late + timedelta(hours=1), day=date(2026, 1, 6))
    assert (summary(customer).order_days, summary(customer).first_on) == (1, date(2026, 1, 6))


def test_a_zero_amount_order_counts_as_an_order(customer):
    make_order(customer=customer, value_cents=0)
    assert (summary(customer).orders, summary(customer).value_cents) == (1, 0)


@pytest.mark.parametrize("status", ["pending", "cancelled"])
def test_only_paid_orders_count(customer, status):
    make_order(customer=customer, status=status)
    assert summary(customer) is None


def test_guests_have_no_summary():
    make_order(customer=None)
    summaries.rebuild(table=summaries.TABLE, as_of=AS_OF)
    assert all_rows() == {}


def test_an_order_in_the_future_waits_for_its_day(customer):
    make_order(customer=customer, day=AS_OF + timedelta(days=1))
    assert summary(customer) is None
    assert summary(customer, AS_OF + timedelta(days=1)).orders == 1


def test_a_fully_refunded_order_is_none_and_its_day_no_order_day(customer):
    kept = make_order(customer=customer, day=date(2026, 1, 5), value_cents=700)
    make_refund(order=make_order(customer=customer, day=date(2026, 2, 5)), day=date(2026, 2, 9))
    found = summary(customer)
    assert (found.orders, found.order_days, found.value_cents) == (1, 1, 700)
    assert (found.last_on, found.last_at) == (kept.placed_on, kept.placed_at)


def test_times_are_those_of_orders_that_stand_also_within_a_day(customer):
    gone = make_order(customer=customer, at=datetime(2026, 1, 5, 8, tzinfo=UTC), day=date(2026, 1, 5))
    kept = make_order(customer=customer, at=datetime(2026, 1, 5, 9, tzinfo=UTC), day=date(2026, 1, 5))
    make_refund(order=gone)
    assert (summary(customer).first_at, summary(customer).last_at) == (kept.placed_at, kept.placed_at)


def test_a_partial_refund_takes_money_and_no_day(customer):
    make_order(customer=customer, day=date(2026, 1, 5), value_cents=1000)
    make_refund(order=make_order(customer=customer, day=date(2026, 1, 9), value_cents=500), value_cents=200)
    found = summary(customer)
    assert (found.order_days, found.value_cents, found.repeat_value_cents) == (2, 1300, 300)


def test_a_refund_counts_from_its_own_date_on(customer):
    order = make_order(customer=customer, day=date(2026, 3, 1), value_cents=1000)
    make_refund(order=order, day=date(2026, 4, 2))
    assert (summary(customer).orders, summary(customer).value_cents) == (1, 1000)
    later = summary(customer, date(2026, 4, 2))
    assert (later.orders, later.order_days, later.value_cents) == (0, 0, 0)
    assert later.first_on == order.placed_on


def test_an_unmatched_return_is_netted_from_the_customers_revenue(customer):
    make_order(customer=customer, day=date(2026, 1, 5), value_cents=1000)
    make_order(customer=customer, day=date(2026, 1, 9), value_cents=1000)
    make_unmatched_return(customer=customer, day=date(2026, 2, 1), value_cents=300)
    make_unmatched_return(customer=customer, day=AS_OF + timedelta(days=1), value_cents=111)
    assert (summary(customer).value_cents, summary(customer).repeat_value_cents) == (1700, 700)


def test_a_customer_with_returns_alone_has_no_summary(customer):
    make_unmatched_return(customer=customer)
    assert summary(customer) is None


@pytest.mark.parametrize("seed", range(6))
def test_sql_says_what_the_definitions_say(seed):
    nights.make_random_shop(seed)
    summaries.rebuild(table=summaries.TABLE, as_of=AS_OF)
    assert all_rows() == nights.plain_summaries(AS_OF)


@committed
@pytest.mark.parametrize("seed", range(4))
def test_what_changed_alone_gives_what_everything_gives(seed, monkeypatch):
    monkeypatch.setattr(following, "REBUILD_SHARE", 2.0)
    chance, people = Random(seed), nights.make_random_shop(seed, customers=20)
    for step in range(4):
        day = AS_OF + timedelta(days=step)
        refresh(day)
        assert all_rows() == nights.plain_summaries(day)
        for person in chance.sample(people, 3):
            nights.make_random_order(chance, person, AS_OF + timedelta(days=chance.randint(-40, 3)))


@committed
def test_only_who_changed_is_computed_again(customer):
    others = [make_customer() for _ in range(9)]
    for one in [customer, *others]:
        make_order(customer=one)
    refresh()
    make_order(customer=customer, day=date(2026, 3, 20))
    assert refresh().written == 1
    assert refresh().written == 0


@committed
def test_many_changes_are_one_pass_over_everything():
    people = [make_customer() for _ in range(5)]
    for one in people:
        make_order(customer=one)
    refresh()
    for one in people[:2]:
        make_order(customer=one)
    assert refresh().written == 5


@committed
def test_an_earlier_date_is_computed_from_the_start(customer):
    make_order(customer=customer, day=date(2026, 1, 5))
    make_order(customer=customer, day=date(2026, 3, 5))
    assert refreshed(customer).orders == 2
    assert refreshed(customer, date(2026, 2, 1)).orders == 1


@committed
def test_who_has_no_order_left_leaves(customer):
    order = make_order(customer=customer)
    assert refreshed(customer) is not None
    order.lines.all().delete()
    order.delete()
    feed.record(Change.Kind.CUSTOMER_ORDERS, [customer.pk])
    assert refreshed(customer) is None


@committed
def test_a_cursor_from_another_server_starts_again(customer):
    make_order(customer=customer)
    refresh()
    Cursor.objects.filter(reaction=summaries.REACTION).update(xid=feed.horizon() + 10**9)
    PurchaseSummary.objects.all().delete()
    assert refresh().written == 1


@committed
def test_a_backup_that_reads_does_not_stop_a_rebuild(customer, other_connection):
    make_order(customer=customer)
    refresh()
    with other_connection() as backup, backup.transaction():
        backup.execute("LOCK TABLE analytics_purchasesummary IN ACCESS SHARE MODE")
        with transaction.atomic():
            assert summaries.rebuild(table=summaries.TABLE, as_of=AS_OF) == 1
    assert len(all_rows()) == 1


@committed
def test_a_past_date_leaves_the_kept_summaries_alone(customer):
    make_order(customer=customer, day=date(2026, 1, 5))
    make_order(customer=customer, day=date(2026, 3, 5))
    refresh()
    assert summaries.build_past(run_id=7, as_of=date(2026, 2, 1)).written == 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT orders FROM {summaries.past_table(7)}")
        assert cursor.fetchall() == [(1,)]
        cursor.execute(f"DROP TABLE {summaries.past_table(7)}")
    assert PurchaseSummary.objects.get().orders == 2
