"""The plain order file: one row per order line, or per order. `amount` is net of tax and after discount.

A negative quantity or amount is a return, a negative price an adjustment. Tax and shipping are the order's: the same on
each of its rows counts once, different ones are added.
"""

from decimal import Decimal
from typing import Final

from customers.importing import contacts
from customers.importing.dates import Moment
from customers.importing.problems import ValueProblem
from customers.importing.record import Record
from customers.importing.rows import ONE, OrderRow, shorten

ALIASES: Final = {
    "customer_id": ("customer_id", "customer"),
    "date": ("placed_at", "date", "order_date"),
    "amount": ("amount",),
    **{name: (name,) for name in ("order_id", "email", "name", "phone", "country", "category", "quantity")},
    **{name: (name,) for name in ("unit_price", "unit_cost", "discount", "tax", "shipping", "currency", "channel")},
    "product": ("product", "sku"),
    "product_name": ("product_name",),
    "status": ("status",),
}
REQUIRED: Final = (("customer_id",), ("date",), ("amount", "unit_price"))

UNNAMED: Final = ("unnamed", "Not named in the file")
ADJUSTMENT: Final = ("adjustment", "Adjustment")
STATUSES: Final = {
    **dict.fromkeys(("", "paid", "complete", "completed", "fulfilled", "shipped", "delivered", "closed"), "paid"),
    **dict.fromkeys(("pending", "open", "processing", "authorized", "on_hold", "on-hold", "unpaid"), "pending"),
    **dict.fromkeys(("cancelled", "canceled", "void", "voided", "failed"), "cancelled"),
}


def parse(record: Record) -> OrderRow:
    """Raises ValueProblem for what cannot be used."""
    _check_currency(record)
    customer, document = record.key("customer_id"), record.key("order_id")
    moment = record.moment("date")
    quantity, price, net, is_return = _money(record)
    sku, product, kind = _product(record, price)
    country = record.name("country", longest=60)
    return OrderRow(
        line=record.line,
        customer=customer,
        at=moment.at,
        day=moment.day,
        sku=sku,
        net_cents=net,
        document=_return_of(document, moment) if is_return else document,
        is_return=is_return,
        of_order=document if is_return else "",
        date_only=moment.date_only,
        quantity=quantity,
        unit_price=abs(price) if is_return else price,
        discount_cents=record.unsigned_cents("discount") or 0,
        tax_cents=_magnitude(record.cents("tax"), is_return=is_return),
        shipping_cents=_magnitude(record.cents("shipping"), is_return=is_return),
        unit_cost=_cost(record),
        kind=kind,
        counts=kind == "goods",
        product=product,
        category=record.name("category", longest=120),
        status=_status(record),
        channel=record.name("channel", longest=60),
        name=record.name("name", longest=200),
        email=_contact(record, "email", ""),
        phone=_contact(record, "phone", country),
        country=country,
    )


def _check_currency(record: Record) -> None:
    currency = record.text("currency")
    if currency and currency.upper() != record.reader.currency:
        raise ValueProblem("currency", currency, f"is not the business's currency {record.reader.currency}")


def _money(record: Record) -> tuple[Decimal, Decimal, int, bool]:
    """Quantity, price, net and whether it is a return. Of a return, quantity and net are without their sign."""
    quantity = record.quantity("quantity")
    price, amount = record.number("unit_price"), record.number("amount")
    net = _net(record, quantity, price, amount)
    if quantity is not None and quantity < 0:
        if net > 0:
            raise record.problem("quantity", "is negative, but the amount is not")
        return -quantity, _price(price, amount, quantity), -net, True
    many = ONE if quantity is None else quantity
    is_return = net < 0 and not (price is not None and price < 0)
    return many, _price(price, amount, many), -net if is_return else net, is_return


def _net(record: Record, quantity: Decimal | None, price: Decimal | None, amount: Decimal | None) -> int:
    if amount is not None:
        return record.to_cents(amount)
    if price is None:
        expected = "expected an amount, or a quantity and a unit price"
        raise ValueProblem("amount", "", f"no amount; {expected}")
    discount = record.unsigned_cents("discount") or 0
    many = ONE if quantity is None else quantity
    return record.to_cents(many * price) - (discount if many >= 0 else -discount)


def _price(price: Decimal | None, amount: Decimal | None, quantity: Decimal) -> Decimal:
    if price is not None:
        return price
    return round(amount / quantity, 4) if amount and quantity else Decimal(0)


def _product(record: Record, price: Decimal) -> tuple[str, str, str]:
    """SKU, name and kind. The column `product` is both unless `product_name` is there, too."""
    if price < 0:
        return (*ADJUSTMENT, "adjustment") if _is_adjustment(record) else (*_named(record), "goods")
    return (*_named(record), "goods")


def _named(record: Record) -> tuple[str, str]:
    sku = record.key("product", longest=100)
    return (sku, record.name("product_name", longest=300) or sku) if sku else UNNAMED


def _is_adjustment(record: Record) -> bool:
    price, quantity = record.number("unit_price"), record.quantity("quantity")
    return price is not None and price < 0 and (quantity is None or quantity >= 0)


def _cost(record: Record) -> Decimal | None:
    cost = record.number("unit_cost")
    if cost is not None and cost < 0:
        raise record.problem("unit_cost", "is negative; expected zero or more")
    return cost


def _status(record: Record) -> str:
    text = record.text("status").casefold().replace(" ", "_")
    if text not in STATUSES:
        raise record.problem("status", "is not a status; expected paid, pending or cancelled")
    return STATUSES[text]


def _contact(record: Record, field: str, country: str) -> str:
    """An address or number; one that is wrong is left out with a note: the order is good all the same."""
    text = record.text(field)
    if not text:
        return ""
    try:
        if field == "email":
            return contacts.email(text)
        return contacts.phone(text, region=contacts.region_of(country))
    except ValueProblem as problem:
        record.reader.note(record.line, field, text, f"{problem.reason}; left out")
        return ""


def _magnitude(cents: int | None, *, is_return: bool) -> int | None:
    return abs(cents) if cents is not None and is_return else cents


def _return_of(document: str, moment: Moment) -> str:
    """An order can have returns on several days: each is a document of its own."""
    if not document:
        return ""
    time = moment.day.isoformat() if moment.date_only else f"{moment.at:%Y-%m-%dT%H:%M:%SZ}"
    return shorten(f"{document}@{time}")
