"""The Online Retail file (UCI, doi:10.24432/C5BW33): invoices of a gift wholesaler, one row per product line.

Cancelled invoices (C…) and stock corrections have negative quantities: returns. A negative price is an adjustment.
Customer ids went through a spreadsheet and read 17850.0.
"""

from decimal import Decimal
from typing import Final

from customers.importing.record import Record
from customers.importing.rows import OrderRow

ALIASES: Final = {
    name: (name,)
    for name in (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    )
}
REQUIRED: Final = tuple((name,) for name in ALIASES if name not in ("Description", "Country"))

SHIPPING: Final = frozenset({"POST", "DOT", "C2"})  # postage, the web shop's postage, carriage
FEES: Final = frozenset({"BANK CHARGES", "AMAZONFEE", "CRUK", "S"})  # S: samples given away
ADJUSTMENTS: Final = frozenset({"M", "D", "B"})  # manual, discount, bad debt


def kind_of(code: str) -> str:
    """What a stock code stands for. Vouchers and odd codes are goods."""
    if code in SHIPPING:
        return "shipping"
    if code in FEES:
        return "fee"
    return "adjustment" if code in ADJUSTMENTS or code.startswith("ADJUST") else "goods"


def parse(record: Record) -> OrderRow:
    """Raises ValueProblem for what cannot be used."""
    invoice, code = _needed(record, "InvoiceNo", 200), _needed(record, "StockCode", 100).upper()
    moment = record.moment("InvoiceDate")
    quantity, price = _number(record, record.quantity("Quantity"), "Quantity"), _price(record)
    is_return = quantity < 0
    if is_return and price < 0:
        raise record.problem("Quantity", "is negative, and so is the price")
    net = record.to_cents(quantity * price)
    kind = "adjustment" if price < 0 else kind_of(code)
    return OrderRow(
        line=record.line,
        customer=record.key("CustomerID").removesuffix(".0"),
        at=moment.at,
        day=moment.day,
        sku=code,
        net_cents=-net if is_return else net,
        document=invoice.upper(),
        is_return=is_return,
        date_only=moment.date_only,
        quantity=abs(quantity),
        unit_price=price,
        kind=kind,
        counts=kind in ("goods", "adjustment"),
        product=record.name("Description", longest=300),
        country=record.name("Country", longest=60),
    )


def _price(record: Record) -> Decimal:
    return _number(record, record.number("UnitPrice"), "UnitPrice")


def _number(record: Record, number: Decimal | None, field: str) -> Decimal:
    if number is None:
        raise record.problem(field, f"no {field}; expected a number")
    return number


def _needed(record: Record, field: str, longest: int) -> str:
    text = record.key(field, longest=longest)
    if not text:
        raise record.problem(field, f"no {field}")
    return text
