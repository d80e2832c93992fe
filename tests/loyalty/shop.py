"""A shop with a programme: orders and refunds through the services that write facts, and what accounts hold."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from customers.models import Order
from customers.services import orders, refunds
from loyalty.models import Account, EarningRule, Lot, Posting, Programme
from loyalty.services import crediting
from tests.factories import numbers

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Policy = Programme.RefundPolicy


def open_programme(**settings):
    """Switched on, a point for each unit of money, two weeks to return, no expiry."""
    fields = {"opened_at": OPENED, "expiry": Programme.Expiry.NEVER, "pending_days": 14} | settings
    programme, _ = Programme.objects.update_or_create(id=1, defaults=fields)
    return programme


def make_rule(**fields):
    return EarningRule.objects.create(**{"name": "A point for each unit", "starts_at": OPENED} | fields)


def line(price, *, sku="BEANS", quantity=1, discount_cents=0, category=""):
    return orders.Line(
        sku=sku,
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
        discount_cents=discount_cents,
        category=category,
    )


def order(customer, *lines, at=NOW, number=None, status=Order.Status.PAID):
    """Written, or written over when there is one with the number."""
    return orders.record(
        source="shop",
        external_id=number or f"o{next(numbers)}",
        customer=customer,
        placed_at=at,
        lines=lines,
        status=status,
    ).order


def refund(placed, quantity, *, sku="BEANS", cents=None, at=NOW, name=None):
    return refunds.refund(
        order=placed,
        external_id=name or f"r{next(numbers)}",
        refunded_at=at,
        lines=[refunds.Back(sku=sku, quantity=Decimal(quantity), net_cents=cents)],
    )


def credit(*placed, at=NOW):
    return crediting.credit_orders(order_ids=[one.pk for one in placed], at=at)


def totals(customer):
    """(balance, pending)"""
    row = Account.objects.filter(customer=customer).first()
    return (row.balance, row.pending) if row else (0, 0)


def history(customer):
    """(kind, points, pending points) of each posting."""
    rows = Posting.objects.filter(account__customer=customer).order_by("id")
    return [(row.kind, row.points, row.pending_points) for row in rows]


def lots(customer):
    return list(Lot.objects.filter(account__customer=customer).order_by("id"))
