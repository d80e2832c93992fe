"""Staged rows with believable defaults: a test names the facts that it is about."""

from datetime import UTC, datetime
from decimal import Decimal

from customers.importing.rows import OrderRow, PersonRow

AT = datetime(2024, 6, 1, 12, tzinfo=UTC)


def order_row(line=2, *, customer="ann", day=1, month=1, hour=9, sku="mug", quantity=1, net=1000, **facts):
    at = datetime(2024, month, day, hour, tzinfo=UTC)
    return OrderRow(
        line=line,
        customer=customer,
        at=at,
        day=at.date(),
        sku=sku,
        net_cents=net,
        quantity=Decimal(quantity),
        unit_price=Decimal(net) / 100 / (Decimal(quantity) or 1),
        **facts,
    )


def return_row(line=2, **facts):
    return order_row(line, is_return=True, **facts)


def person_row(line=2, *, customer="ann", **facts):
    return PersonRow(line=line, customer=customer, **facts)
