from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from django.db import connection

from analytics.models import Basket, Shelf
from analytics.services import baskets, following
from core import feed
from core.models import Change
from customers.models import Category, Order, OrderLine, Product, RefundLine
from tests import nights
from tests.factories import make_customer, make_order, make_product, make_refund

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # the feed gives only what is committed
AS_OF = date(2026, 3, 31)


@pytest.fixture
def customer():
    return make_customer()


@pytest.fixture
def tea():
    return make_product(category=Category.objects.create(name="Tea"))


@pytest.fixture
def cups():
    return make_product(category=Category.objects.create(name="Cups"))


def add_line(order, product, cents, *, discount=0, counts=True):
    return OrderLine.objects.create(
        order=order,
        customer=order.customer,
        position=order.lines.count() + 1,
        product=product,
        quantity=1,
        unit_price=(cents + discount) / 100,
        discount_cents=discount,
        net_cents=cents,
        margin_cents=0,
        counts=counts,
    )


def order_of(customer, *bought, day=AS_OF, **fields):
    """An order of (product, cents) lines alone."""
    order = make_order(customer=customer, day=day, value_cents=0, **fields)
    order.lines.all().delete()
    for product, cents in bought:
        add_line(order, product, cents)
    return order


def basket(customer, as_of=AS_OF):
    """The customer's basket, computed from the start."""
    baskets.rebuild(table=baskets.TABLE, as_of=as_of)
    return Basket.objects.filter(pk=customer.pk).first()


def refreshed(customer, as_of=AS_OF):
    feed.wait_until_readable()
    written = baskets.refresh(as_of=as_of)
    return written, Basket.objects.filter(pk=customer.pk).first()


def test_it_works(customer, tea, cups):
    order_of(customer, (cups, 500), (tea, 400), day=date(2026, 1, 5), channel="shop")
    order_of(customer, (tea, 900), day=date(2026, 2, 5), channel="web")
    found = basket(customer)
    assert (found.first_on, found.first_channel) == (date(2026, 1, 5), "shop")
    assert (found.first_category_id, found.main_category_id) == (cups.category_id, tea.category_id)
    assert (found.gross_cents, found.discount_cents) == (1800, 0)


def test_discounts_are_part_of_gross(customer, tea):
    add_line(order_of(customer), tea, 800, discount=200)
    assert (basket(customer).gross_cents, basket(customer).discount_cents) == (1000, 200)


def test_lines_that_are_no_order_value_do_not_count(customer, tea, cups):
    order = order_of(customer, (tea, 100))
    add_line(order, cups, 900, counts=False)
    found = basket(customer)
    assert (found.main_category_id, found.gross_cents) == (tea.category_id, 100)


def test_of_equal_categories_the_older_one_wins(customer, tea, cups):
    order_of(customer, (cups, 500), (tea, 500))
    assert basket(customer).main_category_id == min(tea.category_id, cups.category_id)


def test_products_without_a_category_compete_with_none(customer, tea):
    order_of(customer, (make_product(), 900), (tea, 1))
    assert basket(customer).main_category_id == tea.category_id
    order_of(other := make_customer(), (make_product(), 900))
    assert (basket(other).first_category_id, basket(other).main_category_id) == (None, None)


def test_what_came_back_no_longer_counts_for_its_category(customer, tea, cups):
    order = order_of(customer, (cups, 900))
    make_refund(order=order, value_cents=700, day=AS_OF)
    add_line(order, tea, 500)
    assert basket(customer).main_category_id == tea.category_id
    assert basket(customer, AS_OF).gross_cents == 1400


def test_a_refund_takes_from_its_own_date_on(customer, tea, cups):
    order = order_of(customer, (cups, 900))
    make_refund(order=order, value_cents=700, day=AS_OF + timedelta(days=1))
    add_line(order, tea, 500)
    assert basket(customer).main_category_id == cups.category_id
    assert basket(customer, AS_OF + timedelta(days=1)).main_category_id == tea.category_id


def test_an_order_that_came_back_whole_is_no_first_order(customer, tea, cups):
    make_refund(order=order_of(customer, (cups, 900), day=date(2026, 1, 5), channel="shop"))
    order_of(customer, (tea, 100), day=date(2026, 2, 5), channel="web")
    found = basket(customer)
    assert (found.first_on, found.first_channel) == (date(2026, 2, 5), "web")
    assert (found.first_category_id, found.gross_cents) == (tea.category_id, 100)


def test_the_first_of_two_orders_of_a_day_goes_by_time(customer, tea, cups):
    order_of(customer, (tea, 100), at=datetime(2026, 3, 31, 9, tzinfo=UTC), channel="web")
    order_of(customer, (cups, 100), at=datetime(2026, 3, 31, 8, tzinfo=UTC), channel="shop")
    assert (basket(customer).first_channel, basket(customer).first_category_id) == ("shop", cups.category_id)


def test_an_order_without_lines_has_a_basket_of_nothing(customer):
    order_of(customer, channel="web")
    found = basket(customer)
    assert (found.first_channel, found.main_category_id, found.gross_cents) == ("web", None, 0)


@pytest.mark.parametrize("facts", [{"status": "pending"}, {"day": AS_OF + timedelta(days=1)}])
def test_orders_that_do_not_stand_fill_no_basket(customer, facts):
    make_order(customer=customer, **facts)
    assert basket(customer) is None


def test_guests_have_no_basket():
    make_order(customer=None)
    assert baskets.rebuild(table=baskets.TABLE, as_of=AS_OF) == 0


@committed
def test_only_who_changed_is_computed_again(customer):
    others = [make_customer() for _ in range(9)]
    for one in [customer, *others]:
        make_order(customer=one)
    assert refreshed(customer)[0] == 10
    make_order(customer=customer, day=date(2026, 3, 20), value_cents=5_000)
    written, found = refreshed(customer)
    assert (written, found.gross_cents) == (1, 15_000)
    assert refreshed(customer)[0] == 0


@committed
def test_a_product_in_another_category_changes_the_baskets_of_its_buyers(customer, tea, cups):
    for one in [customer, *(make_customer() for _ in range(9))]:
        order_of(one, (tea, 500) if one == customer else (cups, 500))
    refreshed(customer)
    Product.objects.filter(pk=tea.pk).update(category=Category.objects.create(name="Herbs"))
    written, found = refreshed(customer)
    tea.refresh_from_db()
    assert (written, found.main_category_id) == (1, tea.category_id)
    assert refreshed(customer)[0] == 0
    assert Shelf.objects.get(pk=tea.pk).category_id == tea.category_id


@committed
def test_who_has_no_order_left_leaves(customer):
    order = make_order(customer=customer)
    assert refreshed(customer)[1] is not None
    order.lines.all().delete()
    order.delete()
    feed.record(Change.Kind.CUSTOMER_ORDERS, [customer.pk])
    assert refreshed(customer)[1] is None


@committed
def test_a_past_date_leaves_the_kept_baskets_alone(customer):
    make_order(customer=customer, day=date(2026, 1, 5), value_cents=700)
    make_order(customer=customer, day=date(2026, 3, 5))
    refreshed(customer)
    assert baskets.build_past(run_id=7, as_of=date(2026, 2, 1)) == 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT gross_cents FROM {baskets.past_table(7)}")
        assert cursor.fetchall() == [(700,)]
        cursor.execute(f"DROP TABLE {baskets.past_table(7)}")
    assert Basket.objects.get().gross_cents == 10_700


@committed
@pytest.mark.parametrize("seed", range(3))
def test_what_changed_alone_gives_what_the_definitions_say(seed, monkeypatch):
    monkeypatch.setattr(following, "REBUILD_SHARE", 2.0)
    chance, people = Random(seed), nights.make_random_shop(seed, customers=20)
    kinds = [make_product(category=Category.objects.create(name=name)) for name in "abc"]
    for step in range(4):
        day = AS_OF + timedelta(days=step)
        for line in OrderLine.objects.order_by("id"):
            if chance.random() < 0.2:
                line.product = chance.choice(kinds)
                line.save(update_fields=["product"])
                feed.record(Change.Kind.CUSTOMER_ORDERS, [line.customer_id or 0])
        feed.wait_until_readable()
        baskets.refresh(as_of=day)
        assert all_rows() == plain_baskets(day)
        for person in chance.sample(people, 3):
            nights.make_random_order(chance, person, AS_OF + timedelta(days=chance.randint(-40, 3)))


def all_rows():
    fields = ("first_on", "first_channel", "first_category_id", "main_category_id", "gross_cents", "discount_cents")
    return {row.pop("customer_id"): tuple(row.values()) for row in Basket.objects.values("customer_id", *fields)}


def plain_baskets(as_of):
    """The definitions, order by order."""
    found = {}
    for order in Order.objects.filter(status="paid", customer__isnull=False, placed_on__lte=as_of):
        if order.fully_refunded_on is None or order.fully_refunded_on > as_of:
            found.setdefault(order.customer_id, []).append(order)
    return {customer: plain_basket(orders, as_of) for customer, orders in found.items()}


def plain_basket(orders, as_of):
    first = min(orders, key=lambda order: (order.placed_at, order.pk))
    lines = list(OrderLine.objects.filter(order__in=orders, counts=True).select_related("product"))
    return (
        first.placed_on,
        first.channel,
        largest([line for line in lines if line.order_id == first.pk], as_of),
        largest(lines, as_of),
        sum(line.net_cents + line.discount_cents for line in lines),
        sum(line.discount_cents for line in lines),
    )


def largest(lines, as_of):
    net = {}
    for line in lines:
        back = RefundLine.objects.filter(line=line, refund__refunded_on__lte=as_of)
        if category := line.product.category_id:
            net[category] = net.get(category, 0) + line.net_cents - sum(one.net_cents for one in back)
    return min(net, key=lambda category: (-net[category], category), default=None)
