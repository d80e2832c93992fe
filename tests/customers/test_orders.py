"""Orders and refunds by hand, and margins that follow their rates: the same rules as the import."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import business
from core.models import Change
from customers.models import Category, Customer, Order, OrderLine, Product, Refund, UnmatchedReturn
from customers.services import imports, margins, orders, refunds
from customers.services.orders import Line
from customers.services.refunds import Back
from tests.customers import ledger
from tests.customers.rows import AT, order_row, return_row

pytestmark = pytest.mark.django_db

PLACED = datetime(2024, 1, 1, 9, tzinfo=UTC)
MUGS = Line(sku="mug", quantity=Decimal(12), unit_price=Decimal(10))
PLATES = Line(sku="plate", quantity=Decimal(3), unit_price=Decimal("3.335"), discount_cents=1)


def record(*lines, external_id="1", **facts):
    customer = orders.customer_of(source="api", external_id="ann", name="Ann")
    defaults: dict[str, Any] = {"source": "api", "customer": customer, "placed_at": PLACED}
    return orders.record(**defaults | facts, external_id=external_id, lines=lines or (MUGS, PLATES))


def refund(order, *lines, external_id="R1", day=5):
    return refunds.refund(
        order=order, external_id=external_id, refunded_at=datetime(2024, 1, day, 9, tzinfo=UTC), lines=lines
    )


def test_bought_120_returned_50_left_70():
    order = record(MUGS).order
    made = refund(order, Back(sku="mug", quantity=Decimal(5)))
    assert (made.net_cents, made.margin_cents, ledger.net()) == (5000, 2000, 7000)
    refund(order, Back(sku="mug", quantity=Decimal(7)), external_id="R2", day=9)
    order.refresh_from_db()
    assert (ledger.net(), order.fully_refunded_on) == (0, date(2024, 1, 9))
    ledger.check()


def test_an_order_by_hand_is_as_an_imported_one():
    record(tax_cents=160, shipping_cents=490)
    by_hand = ledger.facts()
    rows = [
        order_row(2, document="1", quantity=12, net=12000, tax_cents=160, shipping_cents=490),
        order_row(3, document="1", sku="plate", quantity=3, net=1000, tax_cents=160, shipping_cents=490),
    ]
    rows = [row._replace(product=row.sku, name="Ann") for row in rows]
    rows[1] = rows[1]._replace(unit_price=Decimal("3.335"), discount_cents=1)
    Order.objects.all().delete()
    imports.load(rows=rows, source="api", at=AT)
    assert ledger.facts() == by_hand


def test_the_same_again_changes_nothing():
    assert record().outcome == "created"
    before, fed = ledger.facts(), Change.objects.count()
    assert record().outcome == "unchanged"
    assert (ledger.facts(), Change.objects.count()) == (before, fed)
    order = Order.objects.get()
    refund(order, Back(sku="mug", quantity=Decimal(1)))
    before = ledger.facts()
    refund(order, Back(sku="mug", quantity=Decimal(1)))
    assert ledger.facts() == before


def test_a_change_is_an_update():
    record()
    assert record(replace(MUGS, quantity=Decimal(2))).outcome == "updated"
    assert Order.objects.get().net_cents == 2000
    assert OrderLine.objects.count() == 1
    ledger.check()


def test_tax_inclusive_prices_share_the_tax():
    settings = business.current()
    settings.prices_include_tax = True
    settings.save(update_fields=["prices_include_tax"])
    lines = [replace(MUGS, sku=sku, quantity=Decimal(1)) for sku in ("a", "b", "c")]
    record(*lines, tax_cents=100)
    assert list(OrderLine.objects.order_by("position").values_list("net_cents", flat=True)) == [966, 967, 967]


def test_what_came_back_cannot_be_unsold():
    refund(record().order, Back(sku="mug", quantity=Decimal(5)))
    before = ledger.facts()
    with pytest.raises(orders.RefundedLine, match="5 of line 1 of api:1 came back already"):
        record(replace(MUGS, quantity=Decimal(4)))
    with pytest.raises(orders.RefundedLine):
        record(PLATES)
    assert ledger.facts() == before


@pytest.mark.parametrize(
    "back",
    [
        Back(sku="mug", quantity=Decimal(13)),
        Back(sku="mug", quantity=Decimal(1), net_cents=12001),
        Back(sku="mug", quantity=Decimal(-1)),
        Back(sku="mug", quantity=Decimal(1), net_cents=-1),
        Back(sku="cup", quantity=Decimal(1)),
    ],
)
def test_no_more_comes_back_than_was_bought_or_paid(back):
    order = record().order
    before = ledger.facts()
    with pytest.raises(refunds.TooMuch):
        refund(order, back)
    assert ledger.facts() == before


def test_a_sku_on_two_lines_is_filled_in_their_order():
    order = record(replace(MUGS, quantity=Decimal(2)), PLATES, replace(MUGS, quantity=Decimal(4))).order
    made = refund(order, Back(sku="mug", quantity=Decimal(3), net_cents=1000))
    assert list(made.lines.order_by("line__position").values_list("line__position", "quantity", "net_cents")) == [
        (1, 2, 667),
        (3, 1, 333),
    ]


def test_margins_follow_a_new_rate():
    china = Category.objects.create(name="china", margin_rate=Decimal("0.25"))
    imports.load(
        rows=[
            order_row(2, document="1", quantity=3, net=3000),
            order_row(3, document="1", sku="plate", category="china"),
            order_row(4, document="1", sku="cup", unit_cost=Decimal(3)),
            order_row(5, document="2", customer="bob", sku="cup", unit_cost=Decimal(3)),
            return_row(6, document="R1", day=5, net=1000),
            return_row(7, document="R2", day=6, net=1000),
            return_row(8, document="R3", day=6, customer="cid", net=500),
        ],
        source="shop",
        at=AT,
    )
    assert margins.apply_margin_rates(business_rate=Decimal("0.4")) == 0
    Change.objects.all().delete()
    assert margins.apply_margin_rates(business_rate=Decimal("0.3333")) == 2
    found = dict(OrderLine.objects.filter(order__external_id="1").values_list("product__sku", "margin_cents"))
    assert found == {"mug": 1000, "plate": 250, "cup": 700}
    assert Order.objects.get(external_id="1").margin_cents == 1950
    assert sorted(Refund.objects.values_list("margin_cents", flat=True)) == [333, 334]
    assert UnmatchedReturn.objects.get().margin_cents == 167
    told = set(Change.objects.filter(kind="customer_orders").values_list("object_id", flat=True))
    assert told == set(Customer.objects.exclude(identities__external_id="bob").values_list("pk", flat=True))
    fed = Change.objects.count()
    assert margins.apply_margin_rates(business_rate=Decimal("0.3333")) == 0
    assert Change.objects.count() == fed
    china.margin_rate = Decimal("0.5")
    china.save(update_fields=["margin_rate"])
    assert margins.apply_margin_rates(business_rate=Decimal("0.3333")) == 1
    assert OrderLine.objects.get(product__sku="plate").margin_cents == 500


def test_rates_that_are_applied_cost_one_query(django_assert_num_queries):
    Product.objects.create(sku="mug")
    margins.apply_margin_rates(business_rate=Decimal("0.4"))
    with django_assert_num_queries(2):
        margins.apply_margin_rates(business_rate=Decimal("0.4000"))


def told_days():
    days = Change.objects.filter(kind=Change.Kind.DAY).values_list("object_id", flat=True)
    return {date(1970, 1, 1) + timedelta(days=day) for day in days}


def test_an_order_that_is_cancelled_names_the_days_of_its_refunds():
    refund(record(MUGS).order, Back(sku="mug", quantity=Decimal(1)))
    Change.objects.all().delete()
    assert record(MUGS, status="cancelled").outcome == "updated"
    assert told_days() == {date(2024, 1, 1), date(2024, 1, 5)}


def test_an_order_that_a_file_cancels_names_the_days_of_its_refunds():
    paid = order_row(2, document="1", quantity=3, net=3000)
    imports.load(rows=[paid, return_row(3, document="R1", day=5, net=1000)], source="shop", at=AT)
    Change.objects.all().delete()
    imports.load(rows=[paid._replace(status="cancelled")], source="shop", at=AT)
    assert told_days() >= {date(2024, 1, 5)}
