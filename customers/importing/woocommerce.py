"""Order exports from WooCommerce: the columns of the export plugins in wide use, and of WooCommerce's own reports.

WooCommerce has no order export with products of its own. Known are the columns of Advanced Order Export (“Order
Number”, “Item Cost”), Customer/Order/Coupon Export in its form with one row per item, and Order Import Export with
“line items in separate rows” (order_id, item_total), and the report Analytics → Orders (“Order #”, “Net Sales”), which
names customers by their names only: its orders are guests'.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from customers.importing import shop_orders
from customers.importing.problems import ValueProblem
from customers.importing.record import Record
from customers.importing.rows import ONE, ZERO, OrderRow
from customers.importing.shop_orders import Head, Line

ALIASES: Final = {
    "order": ("order_number", "order_number_formatted", "order_id", "order_#", "order"),
    "status": ("order_status", "status"),
    "date": ("order_date", "date", "date_created"),
    "email": ("billing_email", "email_(billing)", "customer_email", "email"),
    "customer_id": ("customer_user_id", "customer_user", "customer_id", "user_id"),
    "name": ("billing_full_name", "full_name_(billing)", "billing_name", "customer_name"),
    "first_name": ("billing_first_name", "first_name_(billing)"),
    "last_name": ("billing_last_name", "last_name_(billing)"),
    "phone": ("billing_phone", "phone_(billing)"),
    "billing_street": ("billing_address_1", "address_1&2_(billing)", "address_1_(billing)", "billing_address"),
    "billing_street_2": ("billing_address_2", "address_2_(billing)"),
    "billing_postcode": ("billing_postcode", "postcode_(billing)"),
    "billing_city": ("billing_city", "city_(billing)"),
    "billing_region": ("billing_state", "state_code_(billing)", "state_(billing)"),
    "country": ("billing_country", "country_code_(billing)", "country_(billing)", "billing_country_code"),
    "currency": ("order_currency", "currency"),
    "channel": ("attribution", "created_via"),
    "total": ("order_total_amount", "order_total", "total"),
    "tax": ("order_total_tax_amount", "tax_total", "order_total_tax", "order_tax_amount", "order_tax", "tax"),
    "shipping": ("order_shipping_amount", "shipping_total", "order_shipping", "shipping"),
    "discount": ("cart_discount_amount", "discount_total", "cart_discount", "order_discount", "discount"),
    "refunded": ("order_refund_amount", "refunded_total", "refund_amount", "order_refund", "refund"),
    "net_sales": ("n_revenue", "net_sales", "net_revenue"),
    "sku": ("sku", "item_sku", "product_sku", "line_item_sku"),
    "product": ("item_name", "product_name", "line_item_name", "product(s)"),
    "quantity": ("quantity", "item_quantity", "line_item_quantity", "qty"),
    "kept": ("quantity_(_refund)",),
    "price": ("item_cost", "item_price", "price"),
    "line_total": ("item_total", "line_total", "order_line_(w/o_tax)", "line_item_total"),
    "back": ("item_refunded", "order_line_total_refunded"),
    "back_quantity": ("item_refunded_qty", "item_refunded_quantity"),
}
REQUIRED: Final = (("order",), ("date",), ("line_total", "price", "net_sales"))
LEFT_OUT: Final = ("accepts_marketing", "marketing_opt_in", "newsletter", "mailchimp_woocommerce_is_subscribed")

STATUSES: Final = {
    **dict.fromkeys(("", "completed", "processing", "refunded", "partially-refunded", "shipped", "delivered"), "paid"),
    **dict.fromkeys(("pending", "pending-payment", "on-hold", "checkout-draft", "draft"), "pending"),
    **dict.fromkeys(("cancelled", "canceled", "failed", "trash"), "cancelled"),
}


def parse(records: Sequence[Record]) -> list[OrderRow]:
    """The rows of one order. Raises ValueProblem for what cannot be used."""
    first = records[0]
    shop_orders.check_currency(first)
    if not first.text("date"):
        raise ValueProblem("date", "", "no order date: the first row of this order is not right above")
    lines = shop_orders.read_lines(records, read=_line)
    head = _head(first)
    if head.is_refunded and not any(line.net_cents or line.quantity for line in lines):
        head = _cancelled(head)
    return shop_orders.rows_of(head, lines)


def _cancelled(head: Head) -> Head:
    """Nothing is left of it in the file, so that it is no order any more."""
    return replace(head, status="cancelled")


def _line(record: Record) -> Line:
    quantity = _quantity(record)
    total, price = _total(record), record.number("price")
    if total is None and price is None:
        raise ValueProblem("price", "", "no amount; expected an item's total or its price")
    net = record.to_cents(quantity * (price or ZERO)) if total is None else total
    if net < 0:
        raise record.problem("line_total" if total is not None else "price", "is negative; expected zero or more")
    back_cents, back_quantity = abs(record.cents("back") or 0), abs(record.quantity("back_quantity") or ZERO)
    if price is None:
        price = round(Decimal(net).scaleb(-record.reader.exponent) / quantity, 4) if quantity else ZERO
    return Line(
        line=record.line,
        sku=shop_orders.sku_of(record, "sku", "product"),
        product=record.name("product", longest=300),
        quantity=quantity,
        unit_price=price,
        net_cents=net,
        back=(min(back_quantity, quantity), back_cents),
    )


def _total(record: Record) -> int | None:
    total = record.cents("line_total")
    return record.cents("net_sales") if total is None else total


def _quantity(record: Record) -> Decimal:
    """A quantity that is less what came back is taken as it is: then nothing more comes back."""
    quantity = record.quantity("quantity")
    if quantity is None:
        quantity = record.quantity("kept")
    if quantity is not None and quantity < 0:
        raise record.problem("quantity", "is negative; expected zero or more")
    return ONE if quantity is None else quantity


def _head(first: Record) -> Head:
    country = first.name("country", longest=60)
    email, phone = shop_orders.contact(first, "email"), shop_orders.contact(first, "phone", country)
    status = _status(first)
    refunded = 0 if _is_kept_only(first) else abs(first.cents("refunded") or 0)
    if refunded and status == "paid":
        first.reader.note(first.line, "refunded", first.text("refunded"), shop_orders.NO_DAY)
    return Head(
        document=first.key("order").removeprefix("#"),
        customer=shop_orders.customer_of(first, email=email, phone=phone, id_field="customer_id"),
        moment=first.moment("date"),
        status=status,
        discount_cents=_discount(first),
        tax_cents=None if first.reader.prices_include_tax else first.unsigned_cents("tax"),  # nets are without tax here
        shipping_cents=first.unsigned_cents("shipping"),
        total_cents=first.unsigned_cents("total") or 0,
        refunded_cents=refunded,
        is_refunded=_status_text(first) == "refunded",
        channel=first.name("channel", longest=60),
        name=shop_orders.full_name(first, "name", "first_name", "last_name"),
        email=email,
        phone=phone,
        country=country,
        place=shop_orders.place_of(first, "billing"),
    )


def _is_kept_only(first: Record) -> bool:
    return "kept" in first.positions and "quantity" not in first.positions and "line_total" not in first.positions


def _discount(first: Record) -> int:
    """Totals of lines are after discounts; prices are before."""
    has_totals = first.text("line_total") or first.text("net_sales")
    return 0 if has_totals else abs(first.cents("discount") or 0)


def _status_text(first: Record) -> str:
    return first.text("status").casefold().replace(" ", "-").replace("_", "-").removeprefix("wc-")


def _status(first: Record) -> str:
    text = _status_text(first)
    if text not in STATUSES:
        raise first.problem("status", "is not a status that WooCommerce has")
    return STATUSES[text]
