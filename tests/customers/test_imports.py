"""Staged rows become facts: stories with totals, the same again, changes, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from core import business
from core.models import Change
from customers.models import Category, Customer, Email, Order, OrderLine, Product, Refund, UnmatchedReturn
from customers.services import imports
from tests.customers import ledger
from tests.customers.rows import AT, order_row, return_row

pytestmark = pytest.mark.django_db


def load(*rows, source="shop"):
    report = imports.load(rows=rows, source=source, at=AT)
    ledger.check()
    return report


def changes(kind):
    return set(Change.objects.filter(kind=kind).values_list("object_id", flat=True))


def test_bought_120_returned_50_left_70():
    report = load(
        order_row(2, document="1", quantity=12, net=12000),
        return_row(3, document="R1", day=10, quantity=5, net=5000),
    )
    assert (report.orders_created, report.refund_lines, report.net_cents) == (1, 1, 7000)
    line, refund = OrderLine.objects.get(), Refund.objects.get()
    assert (line.refunded_quantity, line.refunded_cents, line.margin_cents) == (Decimal(5), 5000, 4800)
    assert (refund.net_cents, refund.value_cents, refund.margin_cents) == (5000, 5000, 2000)
    assert (refund.refunded_on, refund.order.fully_refunded_on) == (date(2024, 1, 10), None)
    load(return_row(4, document="R2", day=20, quantity=9, net=9000))
    line.refresh_from_db()
    order = Order.objects.get()
    assert (line.refunded_quantity, line.refunded_cents, order.fully_refunded_on) == (
        Decimal(12),
        12000,
        date(2024, 1, 20),
    )
    excess = UnmatchedReturn.objects.get()
    assert (excess.reason, excess.quantity, excess.net_cents) == ("excess", Decimal(2), 2000)
    assert ledger.net() == -2000
    assert order.margin_cents - ledger.total(Refund, "margin_cents") == 0


def test_the_same_rows_again_change_nothing():
    rows = [
        order_row(2, document="1", net=1000, email="ann@example.com", name="Ann", product="Mug"),
        order_row(3, document="1", sku="plate", net=500),
        order_row(4, customer="bob", net=700),
        order_row(5, customer="", net=300),
        order_row(6, customer="", net=300),
        return_row(7, document="R1", day=9, net=1000),
        return_row(8, customer="", document="R2", day=9, net=50),
    ]
    first = load(*rows)
    assert (first.customers_created, first.orders_created, first.guest_orders) == (2, 4, 2)
    before, fed = ledger.facts(), Change.objects.count()
    second = load(*rows)
    assert ledger.facts() == before
    assert Change.objects.count() == fed
    assert (second.customers_created, second.orders_created, second.orders_updated) == (0, 0, 0)
    assert (second.orders_unchanged, second.net_cents) == (4, first.net_cents)
    load(*reversed(rows))
    assert len(ledger.facts()["orders"]) == 4


def test_rows_without_an_id_are_told_apart_by_customer_and_time():
    load(
        order_row(2, hour=9),
        order_row(3, hour=9, sku="plate"),
        order_row(4, hour=10),
        order_row(5, customer="bob", hour=9),
    )
    assert sorted(Order.objects.values_list("external_id", "net_cents")) == [
        ("ann@2024-01-01T09:00:00Z", 2000),
        ("ann@2024-01-01T10:00:00Z", 1000),
        ("bob@2024-01-01T09:00:00Z", 1000),
    ]
    load(order_row(2, hour=9, net=1200))
    assert Order.objects.get(external_id="ann@2024-01-01T09:00:00Z").net_cents == 1200, "replaced as a set"


def test_a_changed_order_is_updated_and_both_days_are_told():
    load(order_row(2, document="1", day=1, net=1000), order_row(3, document="1", sku="plate", net=500))
    Change.objects.all().delete()
    report = load(order_row(2, document="1", day=3, quantity=2, net=1900))
    assert (report.orders_created, report.orders_updated) == (0, 1)
    order = Order.objects.get()
    assert (order.net_cents, order.margin_cents, order.placed_on) == (1900, 760, date(2024, 1, 3))
    assert order.lines.count() == 1
    epoch = date(1970, 1, 1)
    assert changes("day") == {(date(2024, 1, 1) - epoch).days, (date(2024, 1, 3) - epoch).days}
    assert changes("order") == {order.pk}
    assert changes("customer_orders") == {order.customer_id}


def test_an_order_that_changes_hands_tells_both_customers():
    load(order_row(2, document="1"), return_row(3, document="R1", day=2, net=1000))
    Change.objects.all().delete()
    load(order_row(2, document="1", customer="bob"))
    assert changes("customer_orders") == set(Customer.objects.values_list("pk", flat=True))
    assert Refund.objects.get().customer == Order.objects.get().customer


def test_what_came_back_cannot_be_unsold():
    load(order_row(2, document="1", quantity=5, net=5000), return_row(3, document="R1", day=2, quantity=3, net=3000))
    report = load(order_row(2, document="1", quantity=2, net=2000), order_row(3, document="2"))
    assert (report.imported, report.rejected, report.orders_created) == (1, 1, 1)
    assert report.rejects[0].reason == "is not what came back already: 3 of line 1 of order 1"
    assert OrderLine.objects.get(order__external_id="1").quantity == 5


def test_a_changed_return_is_taken_back_and_matched_again():
    load(order_row(2, document="1", quantity=5, net=5000), return_row(3, document="R1", day=2, quantity=3, net=3000))
    load(return_row(3, document="R1", day=4, quantity=7, net=7000))
    refund = Refund.objects.get()
    assert (refund.net_cents, refund.refunded_on) == (5000, date(2024, 1, 4))
    assert UnmatchedReturn.objects.get().net_cents == 2000
    assert Order.objects.get().fully_refunded_on == date(2024, 1, 4)
    load(return_row(3, document="R1", day=2, quantity=3, net=3000))
    assert not UnmatchedReturn.objects.exists()
    assert Order.objects.get().fully_refunded_on is None


def test_tax_and_shipping_of_the_order_count_once():
    load(
        order_row(2, document="1", tax_cents=160, shipping_cents=490),
        order_row(3, document="1", sku="plate", tax_cents=160, shipping_cents=490),
        order_row(4, document="2", tax_cents=160, shipping_cents=490),
        order_row(5, document="2", sku="plate", tax_cents=80),
    )
    found = Order.objects.order_by("external_id").values_list("net_cents", "tax_cents", "shipping_cents")
    assert list(found) == [(2000, 160, 490), (2000, 240, 490)]


def test_prices_that_include_tax():
    settings = business.current()
    settings.prices_include_tax = True
    settings.save(update_fields=["prices_include_tax"])
    load(
        order_row(2, document="1", net=1000, tax_cents=100),
        order_row(3, document="1", sku="plate", net=1000, tax_cents=100),
        order_row(4, document="1", sku="cup", net=1000, tax_cents=100),
        order_row(5, document="2", net=1000, tax_cents=160),
        order_row(6, document="2", sku="plate", net=500, tax_cents=80),
    )
    nets = OrderLine.objects.order_by("order__external_id", "position").values_list("net_cents", flat=True)
    assert list(nets) == [966, 967, 967, 840, 420]


def test_margin_is_by_cost_then_category_then_business():
    Category.objects.create(name="china", margin_rate=Decimal("0.25"))
    Product.objects.create(sku="costly", unit_cost=Decimal("7.125"))
    load(
        order_row(2, document="1", quantity=2, net=2000, unit_cost=Decimal("3.3333")),
        order_row(3, document="1", sku="costly"),
        order_row(4, document="1", sku="plate", category="china"),
        order_row(5, document="1", sku="cup"),
        order_row(6, document="1", sku="post", kind="shipping", counts=False),
    )
    assert list(OrderLine.objects.order_by("position").values_list("margin_cents", flat=True)) == [
        1333,
        287,
        250,
        400,
        400,
    ]
    order = Order.objects.get()
    assert (order.net_cents, order.value_cents, order.margin_cents) == (6000, 5000, 2270)


def test_a_cost_stays_as_it_was_on_the_day():
    product = Product.objects.create(sku="mug", unit_cost=Decimal(4))
    load(order_row(2, document="1", quantity=1, net=1000))
    product.unit_cost = Decimal(9)
    product.save(update_fields=["unit_cost"])
    load(order_row(2, document="1", quantity=2, net=2000))
    assert OrderLine.objects.get().unit_cost == 4


def test_an_order_is_gone_with_the_last_of_its_goods():
    load(
        order_row(2, document="1", quantity=2, net=2000),
        order_row(3, document="1", sku="post", kind="shipping", counts=False),
        order_row(4, document="1", sku="extra", kind="adjustment", net=100),
        return_row(5, document="R1", day=3, quantity=1, net=1000),
        return_row(6, document="R2", day=5, quantity=1, net=1000),
    )
    assert Order.objects.get().fully_refunded_on == date(2024, 1, 5)


def test_guest_returns_are_netted_from_totals_only():
    report = load(order_row(2, customer="", document="1"), return_row(3, customer="", document="R1", day=2))
    assert (report.net_cents, report.guest_orders, Refund.objects.count()) == (0, 1, 0)
    assert UnmatchedReturn.objects.get().reason == "guest"


def test_other_sources_have_other_orders():
    load(order_row(2, document="1"))
    load(return_row(2, document="R1", day=5), source="other")
    assert UnmatchedReturn.objects.get().reason == "no-order"
    assert Customer.objects.count() == 2


def test_people_are_never_joined_by_email():
    load(order_row(2, email="us@example.com"), order_row(3, customer="bob", email="us@example.com"))
    assert Customer.objects.count() == Email.objects.count() == 2


def test_orders_fill_in_names_but_overwrite_none():
    load(order_row(2, name=""))
    load(order_row(3, hour=10, name="Ánn Łee", country="Poland"))
    load(order_row(4, hour=11, name="Somebody"))
    customer = Customer.objects.get()
    assert (customer.name, customer.country, customer.sort_name) == ("Ánn Łee", "Poland", "ann lee")
    assert customer.search == "ann lee ann"


def test_a_product_is_named_as_most_of_its_paid_rows_do():
    load(
        *(
            order_row(line, document=str(line), product=name)
            for line, name in enumerate(["Mug", "Mug", "mug?"], start=2)
        ),
        *(order_row(line, document=str(line), net=0, product="damaged") for line in range(10, 15)),
    )
    assert Product.objects.get().name == "Mug"


def test_chunks_make_no_difference(monkeypatch):
    rows = [order_row(i, customer=f"c{i % 7}", document=str(i), quantity=3, net=300 * i) for i in range(2, 60)]
    rows += [return_row(i, customer=f"c{i % 7}", document=f"R{i}", day=9, net=100 * i) for i in range(60, 90)]
    with transaction.atomic():
        load(*rows)
        whole = ledger.facts()
        transaction.set_rollback(True)
    monkeypatch.setattr("customers.services.staging.LINES_PER_CHUNK", 5)
    load(*rows)
    assert ledger.facts() == whole


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({"refunded_quantity": 2}, "no_more_comes_back_than_was_bought"),
        ({"refunded_cents": 1001}, "no_more_is_paid_back_than_was_paid"),
        ({"quantity": -1}, "a_line_has_no_negative_quantity"),
        ({"position": 2}, "one_line_per_position"),
    ],
)
def test_the_database_refuses(changed, constraint):
    load(order_row(2, document="1"), order_row(3, document="1", sku="plate"))
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        OrderLine.objects.filter(position=1).update(**changed)


def test_zone_and_currency_are_fixed_once_orders_exist():
    load(order_row(2))
    with (
        pytest.raises(IntegrityError, match="fixed once orders or contracts exist"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE core_business SET currency = 'EUR'")


def test_texts_arrive_as_they_are():
    name = "tab\there, line\nend, back\\slash, \\N, \\t, 'quote', 😀"
    load(order_row(2, name=name), order_row(3, document="a\\b", product="\\N"))
    assert Customer.objects.get().name == name
    assert Order.objects.filter(external_id="a\\b").exists()
    assert Product.objects.get().name == "\\N"
