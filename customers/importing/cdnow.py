"""The CDNOW sample (Fader, Hardie and Lee 2005): one row per purchase of CDs, days without times."""

from decimal import Decimal
from typing import Final

from customers.importing.problems import ValueProblem
from customers.importing.record import Record
from customers.importing.rows import ONE, OrderRow

ALIASES: Final = {
    "customer_id": ("customer_id",),
    "date": ("date",),
    "cds": ("cds", "quantity"),
    "amount": ("amount",),
}
REQUIRED: Final = (("customer_id",), ("date",), ("amount",))


def parse(record: Record) -> OrderRow:
    """Raises ValueProblem for what cannot be used."""
    moment, amount = record.moment("date"), record.number("amount")
    quantity = record.quantity("cds")
    if amount is None:
        raise ValueProblem("amount", "", "no amount; expected a number such as 12.50")
    if amount < 0 or (quantity or ONE) < 0:
        field = "amount" if amount < 0 else "cds"
        raise record.problem(field, "is negative; expected zero or more")
    many = ONE if quantity is None else quantity
    return OrderRow(
        line=record.line,
        customer=record.key("customer_id"),
        at=moment.at,
        day=moment.day,
        sku="CD",
        net_cents=record.to_cents(amount),
        date_only=moment.date_only,
        quantity=many,
        unit_price=round(amount / many, 4) if many else Decimal(0),
        product="CD",
    )
