"""Who is looked at in a night, and from where. What the tables say is tested with each of them."""

from datetime import date, timedelta

import pytest
from django.db import connection

from analytics.models import MovedBasket
from analytics.services import baskets, cohorts, following, period_counts, profit, summaries
from core import feed
from core.models import Cursor
from customers.models import Category, Product
from tests.factories import make_customer, make_order, make_product, make_refund, make_unmatched_return

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # the feed gives only what is committed
AS_OF = date(2026, 3, 31)
DAY = timedelta(days=1)


@pytest.fixture
def people():
    people = [make_customer() for _ in range(12)]
    for person in people:
        make_order(customer=person, day=date(2026, 3, 1))
    return people


def ask(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


def looked_at(as_of=AS_OF, *names):
    """Customers whose rows a table would write anew, then how many facts of each name were gathered; None for all."""
    seen = []

    def exchange():
        following.gather(*names)
        seen.append(ask("SELECT customer_id FROM changed_customers ORDER BY 1"))
        seen.extend(ask(f"SELECT count(*) FROM {following.OF_CHANGED[name]}")[0] for name in names)
        return 0

    def rebuild():
        seen.append(None)
        return following.rebuild(
            table=period_counts.TABLE, columns=period_counts.COLUMNS, query=period_counts.DAYS, as_of=as_of
        )

    feed.wait_until_readable()
    following.follow(reaction="test", table=period_counts.TABLE, as_of=as_of, exchange=exchange, rebuild=rebuild)
    return seen


@committed
def test_it_works(people):
    assert looked_at() == [None]
    assert looked_at() == [[]]
    order = make_order(customer=people[1], day=date(2026, 3, 20))
    assert looked_at(AS_OF, "orders", "lines", "refunds", "returns") == [[people[1].pk], 2, 2, 0, 0]
    make_refund(order=order, day=date(2026, 3, 25))
    make_unmatched_return(customer=people[1], day=date(2026, 3, 25))
    assert looked_at(AS_OF, "orders", "refunds", "returns") == [[people[1].pk], 2, 1, 1]


@committed
def test_days_that_pass_show_what_was_written_before(people):
    order = make_order(customer=people[0], day=AS_OF + DAY)
    make_refund(order=make_order(customer=people[1], day=AS_OF), day=AS_OF + 2 * DAY)
    make_unmatched_return(customer=people[2], day=AS_OF + 3 * DAY)
    assert looked_at() == [None]
    found = [looked_at(AS_OF + days * DAY) for days in range(5)]
    assert found == [[[]], [[order.customer_id]], [[people[1].pk]], [[people[2].pk]], [[]]]


@committed
def test_many_who_changed_an_earlier_day_and_a_cursor_from_elsewhere_mean_everybody(people):
    looked_at()
    for person in people[:3]:
        make_order(customer=person)
    assert looked_at() == [None]
    assert looked_at(AS_OF - DAY) == [None]
    Cursor.objects.filter(reaction="test").update(xid=feed.horizon() + 10**9)
    assert looked_at(AS_OF) == [None]


@committed
def test_nothing_is_left_of_what_was_gathered(people):
    looked_at()
    looked_at(AS_OF, *following.EVERYBODY)
    assert ask("SELECT count(*) FROM pg_class WHERE relname LIKE 'changed\\_%'") == [0]


@committed
def test_each_table_looks_only_at_who_changed(people):
    units = profit.UnitCosts()
    steps = [
        lambda as_of: summaries.refresh(as_of=as_of).written,
        lambda as_of: baskets.refresh(as_of=as_of),
        lambda as_of: profit.refresh(as_of=as_of, units=units),
        lambda as_of: cohorts.refresh(as_of=as_of),
        lambda as_of: period_counts.follow(as_of=as_of),
    ]
    feed.wait_until_readable()
    assert [step(AS_OF) for step in steps] == [12] * 5
    make_order(customer=people[3])
    feed.wait_until_readable()
    assert [step(AS_OF + DAY) for step in steps] == [1] * 5
    assert [step(AS_OF + 2 * DAY) for step in steps] == [0] * 5


@committed
def test_cohorts_look_at_who_bought_a_product_that_moved():
    tea, cups = make_product(category=Category.objects.create(name="Tea")), make_product()
    buyers = [make_customer() for _ in range(12)]
    for number, buyer in enumerate(buyers):
        order = make_order(customer=buyer)
        order.lines.update(product=cups if number else tea)
    feed.wait_until_readable()
    assert (baskets.refresh(as_of=AS_OF), cohorts.refresh(as_of=AS_OF)) == (12, 12)
    Product.objects.filter(pk=tea.pk).update(category=Category.objects.create(name="Herbs"))
    assert baskets.refresh(as_of=AS_OF) == 1
    assert list(MovedBasket.objects.values_list("customer_id", flat=True)) == [buyers[0].pk]
    assert (cohorts.refresh(as_of=AS_OF), MovedBasket.objects.count()) == (1, 0)


@pytest.mark.parametrize("name", ["orders", "lines"])
def test_facts_of_a_customer_are_read_from_an_index_alone(people, name):
    """A column that the index does not hold would cost a page of the table for each order and line."""
    columns, which = following.COLUMNS[name], following.WHICH[name]
    index = {"orders": "paid_orders_of_a_customer", "lines": "counted_lines_of_a_customer"}[name]
    others = f"""SELECT o.indexrelid::regclass::text FROM pg_index i JOIN pg_index o USING (indrelid)
        WHERE i.indexrelid = '{index}'::regclass AND o.indexrelid <> i.indexrelid AND NOT o.indisunique"""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE changed_customers (customer_id bigint) ON COMMIT DROP")
        for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        for other in ask(others):  # among a dozen rows one index is as good as another
            cursor.execute(f"DROP INDEX {other}")
    copied = f"SELECT {columns} FROM changed_customers JOIN {following.EVERYBODY[name]} USING (customer_id) {which}"
    plan = "\n".join(ask(f"EXPLAIN {copied}"))
    assert f"Index Only Scan using {index}" in plan
