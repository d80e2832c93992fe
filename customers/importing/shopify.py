"""Shopify's order export: one row per product line, the order's own fields only on its first row.

Columns as Shopify's help centre lists them under “Exporting orders to CSV”. Amounts are before or after tax as the
shop's prices are; `Subtotal` is the lines less all discounts, so that discounts on shipping stay out of the goods.
"""

from collections.abc import Sequence
from typing import Final

from customers.importing import shop_orders
from customers.importing.problems import ValueProblem
from customers.importing.record import Record
from customers.importing.rows import OrderRow
from customers.importing.shop_orders import Head, Line

ADDRESSES: Final = ("billing", "shipping")
ALIASES: Final = {
    "order": ("name",),
    "email": ("email",),
    "financial_status": ("financial_status",),
    "currency": ("currency",),
    "subtotal": ("subtotal",),
    "shipping": ("shipping",),
    "taxes": ("taxes",),
    "total": ("total",),
    "discount": ("discount_amount",),
    "date": ("created_at",),
    "cancelled_at": ("cancelled_at",),
    "refunded": ("refunded_amount",),
    "channel": ("source",),
    "quantity": ("lineitem_quantity",),
    "product": ("lineitem_name",),
    "price": ("lineitem_price",),
    "sku": ("lineitem_sku",),
    "line_discount": ("lineitem_discount",),
    "billing_name": ("billing_name",),
    "shipping_name": ("shipping_name",),
    **{f"{kind}_street": (f"{kind}_street", f"{kind}_address1") for kind in ADDRESSES},
    **{f"{kind}_postcode": (f"{kind}_zip",) for kind in ADDRESSES},
    **{f"{kind}_city": (f"{kind}_city",) for kind in ADDRESSES},
    **{f"{kind}_region": (f"{kind}_province",) for kind in ADDRESSES},
    **{f"{kind}_country": (f"{kind}_country",) for kind in ADDRESSES},
    "phone": ("phone",),
    "billing_phone": ("billing_phone",),
    "shipping_phone": ("shipping_phone",),
    "customer_id": ("customer_id", "customer:_id"),
}
REQUIRED: Final = (("order",), ("date",), ("quantity",), ("price",), ("product", "sku"))
LEFT_OUT: Final = ("accepts_marketing", "accepts_email_marketing", "accepts_sms_marketing")

STATUSES: Final = {
    **dict.fromkeys(("", "paid", "partially_refunded", "refunded"), "paid"),
    **dict.fromkeys(("pending", "authorized", "partially_paid", "unpaid", "expired"), "pending"),
    "voided": "cancelled",
}


def parse(records: Sequence[Record]) -> list[OrderRow]:
    """The rows of one order. Raises ValueProblem for what cannot be used."""
    first = records[0]
    shop_orders.check_currency(first)
    if not first.text("date"):
        raise ValueProblem("date", "", "no Created at: the first row of this order is not right above")
    lines = shop_orders.read_lines(records, read=_line)
    return shop_orders.rows_of(_head(first, sum(line.net_cents for line in lines)), lines)


def _line(record: Record) -> Line:
    quantity, price = record.quantity("quantity"), record.number("price")
    if quantity is None or price is None:
        field = "quantity" if quantity is None else "price"
        raise ValueProblem(field, "", f"no Lineitem {field}; expected a number")
    if quantity < 0 or price < 0:
        raise record.problem("quantity" if quantity < 0 else "price", "is negative; expected zero or more")
    discount = record.unsigned_cents("line_discount") or 0
    return Line(
        line=record.line,
        sku=shop_orders.sku_of(record, "sku", "product"),
        product=record.name("product", longest=300),
        quantity=quantity,
        unit_price=price,
        net_cents=record.to_cents(quantity * price) - discount,
        discount_cents=discount,
    )


def _head(first: Record, goods_cents: int) -> Head:
    country = shop_orders.full_name(first, "billing_country", "shipping_country")[:60]
    email = shop_orders.contact(first, "email")
    phone = shop_orders.phone_of(first, country, "phone", "billing_phone", "shipping_phone")
    refunded = first.unsigned_cents("refunded") or 0
    status = _status(first)
    if refunded and status == "paid":
        first.reader.note(first.line, "refunded", first.text("refunded"), shop_orders.NO_DAY)
    return Head(
        document=first.key("order"),
        customer=shop_orders.customer_of(first, email=email, phone=phone, id_field="customer_id"),
        moment=first.moment("date"),
        status=status,
        discount_cents=_discount(first, goods_cents),
        tax_cents=first.unsigned_cents("taxes"),
        shipping_cents=first.unsigned_cents("shipping"),
        total_cents=first.unsigned_cents("total") or 0,
        refunded_cents=refunded,
        is_refunded=first.text("financial_status").casefold() == "refunded",
        channel=first.name("channel", longest=60),
        name=shop_orders.full_name(first, "billing_name", "shipping_name"),
        email=email,
        phone=phone,
        country=country,
        place=shop_orders.place_of(first, *ADDRESSES),
    )


def _status(first: Record) -> str:
    if first.text("cancelled_at"):
        return "cancelled"
    text = first.text("financial_status").casefold().replace(" ", "_")
    if text not in STATUSES:
        raise first.problem("financial_status", "is not a status that Shopify has")
    return STATUSES[text]


def _discount(first: Record, goods_cents: int) -> int:
    """What the lines are more than the subtotal; without one, the discount as it is stated."""
    subtotal = first.unsigned_cents("subtotal")
    return (first.unsigned_cents("discount") or 0) if subtotal is None else max(0, goods_cents - subtotal)
