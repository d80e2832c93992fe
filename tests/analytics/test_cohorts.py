from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest

from analytics.models import Cohort, CohortMember, PeriodCounts
from analytics.services import baskets, cohorts, following
from core import feed
from core.models import Change
from customers.models import Category, Order, OrderLine, Product, Refund, UnmatchedReturn
from tests import nights
from tests.factories import make_customer, make_order, make_refund, make_unmatched_return

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # the feed gives only what is committed
AS_OF = date(2026, 3, 31)
JANUARY, FEBRUARY, MARCH = date(2026, 1, 10), date(2026, 2, 10), date(2026, 3, 10)


def number(day):
    return day.year * 12 + day.month - 1


def refresh(as_of=AS_OF):
    feed.wait_until_readable()
    baskets.refresh(as_of=as_of)
    return cohorts.refresh(as_of=as_of)


def rows(split=Cohort.Split.ALL, key=""):
    found = Cohort.objects.filter(split=split, key=key).order_by("first_month", "month")
    return [(one.first_month, one.month, one.customers, one.orders, one.value_cents, one.margin_cents) for one in found]


def everything():
    return set(
        Cohort.objects.values_list(
            "split", "key", "first_month", "month", "customers", "orders", "value_cents", "margin_cents"
        )
    )


def test_it_works():
    anna, bob = make_customer(), make_customer()
    make_order(customer=anna, day=JANUARY, value_cents=1000, margin_cents=300, channel="web")
    make_order(customer=anna, day=JANUARY, value_cents=500, margin_cents=100)
    make_order(customer=anna, day=MARCH, value_cents=2000, margin_cents=700)
    make_order(customer=bob, day=JANUARY, value_cents=100, margin_cents=50, channel="store")
    make_order(customer=None, day=JANUARY)
    assert refresh() == 2
    first = number(JANUARY)
    assert rows() == [(first, 0, 2, 3, 1600, 450), (first, 2, 1, 1, 2000, 700)]
    assert rows(Cohort.Split.CHANNEL, "web") == [(first, 0, 1, 2, 1500, 400), (first, 2, 1, 1, 2000, 700)]
    assert rows(Cohort.Split.CHANNEL, "store") == [(first, 0, 1, 1, 100, 50)]


def test_by_the_category_of_the_first_order():
    tea = Category.objects.create(name="Tea")
    Product.objects.create(sku="T", category=tea)
    make_order(customer=make_customer(), day=JANUARY, value_cents=1000, margin_cents=300)
    refresh()
    assert rows(Cohort.Split.CATEGORY, str(tea.pk)) == [(number(JANUARY), 0, 1, 1, 1000, 300)]


def test_money_back_counts_in_its_own_month():
    order = make_order(customer=make_customer(), day=JANUARY, value_cents=1000, margin_cents=400)
    make_refund(order=order, day=MARCH, value_cents=250)
    make_unmatched_return(customer=order.customer, day=FEBRUARY, value_cents=50)
    refresh()
    first = number(JANUARY)
    assert rows() == [(first, 0, 1, 1, 1000, 400), (first, 1, 0, 0, -50, -20), (first, 2, 0, 0, -250, -100)]


def test_a_first_order_that_came_back_is_none():
    """The second order is the first that stands; what the first one left counts in its month 0."""
    anna = make_customer()
    make_refund(order=make_order(customer=anna, day=JANUARY, value_cents=1000, margin_cents=400), day=FEBRUARY)
    make_order(customer=anna, day=MARCH, value_cents=700, margin_cents=200)
    refresh()
    assert rows() == [(number(MARCH), 0, 1, 1, 700, 200)]


def test_whose_every_order_came_back_is_in_no_cohort():
    make_refund(order=make_order(customer=make_customer()))
    assert refresh() == 0
    assert rows() == []


def test_years_before_1970_and_a_gap_of_years():
    anna = make_customer()
    make_order(customer=anna, day=date(1969, 12, 31), value_cents=100, margin_cents=10)
    make_order(customer=anna, day=date(2026, 1, 1), value_cents=100, margin_cents=-90)
    refresh()
    first = 1969 * 12 + 11
    assert rows() == [(first, 0, 1, 1, 100, 10), (first, 56 * 12 + 1, 1, 1, 100, -90)]


@committed
def test_the_first_month_moves_with_the_first_order():
    anna = make_customer()
    order = make_order(customer=anna, day=JANUARY, value_cents=1000, margin_cents=400)
    make_order(customer=anna, day=MARCH, value_cents=700, margin_cents=200)
    make_order(customer=make_customer(), day=JANUARY, value_cents=10, margin_cents=1)
    for _ in range(12):  # few of many: the others stay as they are
        make_order(customer=make_customer(), day=FEBRUARY, value_cents=0)
    refresh()
    make_refund(order=order, day=FEBRUARY)
    assert refresh() == 1
    assert [row for row in rows() if row[0] != number(FEBRUARY)] == [
        (number(JANUARY), 0, 1, 1, 10, 1),
        (number(MARCH), 0, 1, 1, 700, 200),
    ]


@committed
def test_another_category_of_a_product_moves_its_customers():
    tea, mugs = Category.objects.create(name="Tea"), Category.objects.create(name="Mugs")
    product = Product.objects.create(sku="T", category=tea)
    make_order(customer=make_customer(), day=JANUARY, value_cents=1000)
    refresh()
    Product.objects.filter(pk=product.pk).update(category=mugs)
    refresh()
    assert rows(Cohort.Split.CATEGORY, str(tea.pk)) == []
    assert rows(Cohort.Split.CATEGORY, str(mugs.pk)) == [(number(JANUARY), 0, 1, 1, 1000, 400)]


@committed
def test_nothing_new_is_no_work():
    make_order(customer=make_customer())
    assert (refresh(), refresh()) == (1, 0)


@committed
def test_an_earlier_day_is_made_anew():
    make_order(customer=make_customer(), day=MARCH)
    refresh()
    assert refresh(FEBRUARY) == 0
    assert rows() == []


@committed
def test_a_night_adds_them_up_and_a_past_one_leaves_them():
    make_order(customer=make_customer(), day=JANUARY, value_cents=1000, margin_cents=400)
    assert nights.pass_night(AS_OF).state == "done"
    expected = [(number(JANUARY), 0, 1, 1, 1000, 400)]
    assert rows() == expected
    assert nights.pass_night(date(2025, 12, 31)).state == "done"
    assert rows() == expected
    assert set(PeriodCounts.objects.values_list("as_of", flat=True)) == {AS_OF, date(2025, 12, 31)}


@committed
@pytest.mark.parametrize("seed", range(4))
def test_changes_give_what_a_rebuild_gives_and_the_definitions_say(seed, monkeypatch):
    """Orders, refunds, returns, other customers for orders, other channels, and days that pass."""
    monkeypatch.setattr(following, "REBUILD_SHARE", 2.0)
    chance, people = Random(seed), nights.make_random_shop(seed)
    give_categories(chance)
    for passed in range(4):
        as_of = date(2026, 3, 10) + timedelta(days=8 * passed)
        refresh(as_of)
        kept, members = everything(), set(CohortMember.objects.values_list("customer_id", "first_month"))
        assert {row for row in kept if row[0] == Cohort.Split.ALL} == plain_cohorts(as_of)
        cohorts.rebuild(as_of=as_of)
        assert everything() == kept
        assert set(CohortMember.objects.values_list("customer_id", "first_month")) == members
        for person in chance.sample(people, 3):
            nights.make_random_order(chance, person, nights.FIRST + timedelta(days=chance.randint(0, 99)))
        change_something(chance, people)


def give_categories(chance):
    for name in ("Tea", "Mugs"):
        category = Category.objects.create(name=name)
        Product.objects.create(sku=name, category=category)
    products = list(Product.objects.all())
    for line in OrderLine.objects.order_by("pk"):
        OrderLine.objects.filter(pk=line.pk).update(product=chance.choice(products))


def change_something(chance, people):
    """What corrections, merges and an undo leave behind."""
    order = chance.choice(list(Order.objects.filter(customer__isnull=False, refunds=None).order_by("pk")))
    other = chance.choice(people)
    feed.record(Change.Kind.CUSTOMER_ORDERS, [order.customer_id, other.pk])
    order.lines.update(customer=other)
    Order.objects.filter(pk=order.pk).update(customer=other, channel=chance.choice(["web", "store", ""]))
    gone = chance.choice(list(Order.objects.filter(customer__isnull=False, refunds=None).order_by("pk")))
    feed.record(Change.Kind.CUSTOMER_ORDERS, [gone.customer_id])
    gone.lines.all().delete()
    gone.delete()


def plain_cohorts(as_of):
    """The definitions, customer by customer and row by row."""
    cells = Counter()
    buyers = {}
    stands = [
        order
        for order in Order.objects.filter(status="paid", customer__isnull=False, placed_on__lte=as_of)
        if order.fully_refunded_on is None or order.fully_refunded_on > as_of
    ]
    first = {}
    for order in stands:
        month = number(order.placed_on)
        first[order.customer_id] = min(month, first.get(order.customer_id, month))
    for order in stands:
        key = first[order.customer_id], number(order.placed_on) - first[order.customer_id]
        buyers.setdefault(key, set()).add(order.customer_id)
        cells[*key, "orders"] += 1
    for customer, day, value, margin in plain_money(as_of):
        if customer in first:
            key = first[customer], max(number(day) - first[customer], 0)
            cells[*key, "value"] += value
            cells[*key, "margin"] += margin
    keys = {key[:2] for key in cells}
    counted = {
        (0, "", *key, len(buyers.get(key, ())), *(cells[*key, name] for name in ("orders", "value", "margin")))
        for key in keys
    }
    return {row for row in counted if any(row[4:])}


def plain_money(as_of):
    for order in Order.objects.filter(status="paid", placed_on__lte=as_of):
        yield order.customer_id, order.placed_on, order.value_cents, order.margin_cents
    for refund in Refund.objects.filter(order__status="paid", refunded_on__lte=as_of).select_related("order"):
        yield refund.order.customer_id, refund.refunded_on, -refund.value_cents, -refund.margin_cents
    for lost in UnmatchedReturn.objects.filter(returned_on__lte=as_of):
        yield lost.customer_id, lost.returned_on, -lost.value_cents, -lost.margin_cents
