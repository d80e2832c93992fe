"""Plain factories: facts as an import would leave them, one changed thing per call.

Days are business dates; a time defaults to noon of the day in UTC, the zone of a fresh business.
"""

from datetime import UTC, date, datetime, time
from itertools import count

from django.db.models import Sum

from core import feed
from core.models import Business, Change
from customers.models import Customer, Identity, Order, OrderLine, Product, Refund, RefundLine, UnmatchedReturn

DAY = date(2026, 3, 10)
EPOCH = date(1970, 1, 1)
MARGIN_RATE = 0.4
numbers = count(1)


def make_business(**settings):
    business, _ = Business.objects.update_or_create(id=1, defaults=settings)
    return business


def make_customer(*, source="shop", external_id=None, **fields):
    number = next(numbers)
    customer = Customer.objects.create(**{"name": f"Customer {number}"} | fields)
    Identity.objects.create(customer=customer, source=source, external_id=external_id or f"c{number}")
    return customer


def make_product(*, sku=None, **fields):
    return Product.objects.create(sku=sku or f"SKU{next(numbers)}", **fields)


def make_order(*, customer=None, day=DAY, at=None, value_cents=10_000, margin_cents=None, **fields):
    """A paid order of one line; `customer=None` is a guest's."""
    at = at or datetime.combine(day, time(12), UTC)
    margin_cents = round(value_cents * MARGIN_RATE) if margin_cents is None else margin_cents
    money = {"net_cents": value_cents, "margin_cents": margin_cents}
    order = Order.objects.create(
        **{"source": "shop", "external_id": f"o{next(numbers)}", "value_cents": value_cents, **money}
        | {"customer": customer, "placed_at": at, "placed_on": day}
        | fields
    )
    OrderLine.objects.create(
        order=order,
        customer=customer,
        position=1,
        product=_any_product(),
        quantity=1,
        unit_price=value_cents / 100,
        **money,
    )
    _say(customer, day)
    return order


def make_refund(*, order, day=None, value_cents=None, at=None, **fields):
    """Money back for an order; without an amount all of it, and then the order no longer counts."""
    day = day or order.placed_on
    whole = value_cents is None
    value_cents = order.value_cents if whole else value_cents
    margin_cents = order.margin_cents if whole else round(value_cents * MARGIN_RATE)
    money = {"net_cents": value_cents, "margin_cents": margin_cents}
    refund = Refund.objects.create(
        **{"external_id": f"r{next(numbers)}", "value_cents": value_cents, **money, "customer": order.customer}
        | {"order": order, "refunded_on": day, "refunded_at": at or datetime.combine(day, time(12), UTC)}
        | fields
    )
    line = order.lines.get()
    RefundLine.objects.create(refund=refund, line=line, quantity=1 if whole else 0, **money)
    line.refunded_quantity, line.refunded_cents = int(whole), line.refund_lines.aggregate(all=Sum("net_cents"))["all"]
    line.save(update_fields=["refunded_quantity", "refunded_cents"])
    if whole:
        order.fully_refunded_on = day
        order.save(update_fields=["fully_refunded_on"])
    _say(order.customer, day)
    return refund


def make_unmatched_return(*, customer=None, day=DAY, value_cents=1_000, **fields):
    number = next(numbers)
    _say(customer, day)
    return UnmatchedReturn.objects.create(
        **{"source": "shop", "external_id": f"u{number}", "customer": customer, "product": _any_product()}
        | {"reason": UnmatchedReturn.Reason.NO_ORDER, "quantity": 1, "net_cents": value_cents}
        | {"value_cents": value_cents, "margin_cents": round(value_cents * MARGIN_RATE)}
        | {"returned_at": datetime.combine(day, time(12), UTC), "returned_on": day}
        | fields
    )


def _any_product():
    return Product.objects.order_by("id").first() or make_product()


def _say(customer, day):
    """What an import tells the change feed."""
    if customer is not None:
        feed.record(Change.Kind.CUSTOMER_ORDERS, [customer.pk])
    feed.record(Change.Kind.DAY, [(day - EPOCH).days])


def make_many(days_of_each, *, channel="", product=None, company=None):
    """Many customers at once, each with a paid order of one line on each of her days."""
    money = {"net_cents": 1_000, "margin_cents": 400}
    people = Customer.objects.bulk_create(Customer(name="One of many", company=company) for _ in days_of_each)
    orders = Order.objects.bulk_create(
        Order(
            source="shop",
            external_id=f"o{next(numbers)}",
            customer=person,
            placed_at=datetime.combine(day, time(12), UTC),
            placed_on=day,
            channel=channel,
            value_cents=1_000,
            **money,
        )
        for person, days in zip(people, days_of_each, strict=True)
        for day in days
    )
    bought = {"position": 1, "product": product or _any_product(), "quantity": 1, "unit_price": 10}
    OrderLine.objects.bulk_create(
        OrderLine(order=order, customer_id=order.customer_id, **bought, **money) for order in orders
    )
    feed.record(Change.Kind.CUSTOMER_ORDERS, [person.pk for person in people])
    feed.record(Change.Kind.DAY, [(day - EPOCH).days for days in days_of_each for day in days])
    return people
