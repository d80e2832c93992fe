"""What exports of shop systems have in common: an order is several rows, and its discount and refund are the order's.

A discount of the order is spread over its lines by their net. What was paid back comes as one sum with tax and
shipping in it and without a day: the goods' part is its share of the order's total, and counts on the order's day.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from customers import places, pricing
from customers.importing import contacts
from customers.importing.dates import Moment
from customers.importing.problems import ValueProblem
from customers.importing.record import Record
from customers.importing.rows import ZERO, OrderRow, shorten
from customers.places import Place

SKU_LENGTH: Final = 100
NO_DAY: Final = "was paid back; the file does not say when, so it counts on the day of the order"


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What is said of the order as a whole. `total_cents` is what was to pay, with tax and shipping."""

    document: str
    customer: str
    moment: Moment
    status: str
    discount_cents: int = 0
    tax_cents: int | None = None
    shipping_cents: int | None = None
    total_cents: int = 0
    refunded_cents: int = 0
    is_refunded: bool = False  # all of it
    channel: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    place: str = ""


@dataclass(slots=True, kw_only=True)
class Line:
    """One product line: net before the order's discount; what came back of it where the file says so."""

    line: int
    sku: str
    product: str
    quantity: Decimal
    unit_price: Decimal
    net_cents: int
    discount_cents: int = 0
    back: tuple[Decimal, int] = field(default=(ZERO, 0))


def rows_of(head: Head, lines: Sequence[Line]) -> list[OrderRow]:
    """The order's lines, and its refund as rows of their own. A cancelled order has no refund: it does not count."""
    for line, share in zip(lines, _shares(head.discount_cents, lines), strict=True):
        line.net_cents -= share
        line.discount_cents += share
    bought = [_row(head, line) for line in lines]
    return bought if head.status == "cancelled" else [*bought, *_returned(head, lines)]


def _shares(discount_cents: int, lines: Sequence[Line]) -> list[int]:
    weights = [max(0, line.net_cents) for line in lines]
    return pricing.split(min(discount_cents, sum(weights)), weights)


def _row(head: Head, line: Line) -> OrderRow:
    return OrderRow(
        line=line.line,
        customer=head.customer,
        at=head.moment.at,
        day=head.moment.day,
        sku=line.sku,
        net_cents=line.net_cents,
        document=head.document,
        date_only=head.moment.date_only,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_cents=line.discount_cents,
        tax_cents=head.tax_cents,
        shipping_cents=head.shipping_cents,
        product=line.product,
        status=head.status,
        channel=head.channel,
        name=head.name,
        email=head.email,
        phone=head.phone,
        country=head.country,
        place=head.place,
    )


def _returned(head: Head, lines: Sequence[Line]) -> Iterator[OrderRow]:
    """All of it, what each line says, or a share of the sum that was paid back: then money without goods."""
    is_whole = head.is_refunded or 0 < head.total_cents <= head.refunded_cents
    if is_whole:
        parts = [(line.quantity, line.net_cents) for line in lines]
    elif any(line.back[1] or line.back[0] for line in lines):
        parts = [(line.back[0], min(line.back[1], line.net_cents)) for line in lines]
    else:
        parts = [(ZERO, cents) for cents in _shares(_goods_part(head, lines), lines)]
    tax_cents = head.tax_cents
    if tax_cents and not is_whole:
        tax_cents = pricing.round_half_up(Decimal(tax_cents) * head.refunded_cents / max(1, head.total_cents))
    for line, (quantity, cents) in zip(lines, parts, strict=True):
        if quantity or cents:
            yield _row(head, line)._replace(
                document=shorten(f"{head.document}/refund"),
                is_return=True,
                is_extra=True,
                of_order=head.document,
                quantity=quantity,
                net_cents=cents,
                discount_cents=0,
                tax_cents=tax_cents,
                shipping_cents=None,
            )


def _goods_part(head: Head, lines: Sequence[Line]) -> int:
    if not head.refunded_cents or not head.total_cents:
        return 0
    goods = sum(line.net_cents for line in lines)
    return pricing.round_half_up(Decimal(head.refunded_cents) * goods / head.total_cents)


def sku_of(record: Record, *fields: str) -> str:
    """The product's number, else its name: one of them names the product. Long ones end in a checksum."""
    text = next((text for name in fields if (text := " ".join(record.text(name).split()))), "unnamed")
    return text if len(text) <= SKU_LENGTH else f"{text[:60]}#{zlib.crc32(text.encode()):08x}"


def check_currency(record: Record) -> None:
    currency = record.text("currency")
    if currency and currency.upper() != record.reader.currency:
        raise record.problem("currency", f"is not the business's currency {record.reader.currency}")


def customer_of(record: Record, *, email: str, phone: str, id_field: str) -> str:
    """The e-mail: exports of orders and of customers both have it. Else the phone, else the shop's own number."""
    number = record.key(id_field).removeprefix("'")
    return email or phone or (f"id:{number}" if number.strip("0") else "")


def contact(record: Record, field: str, country: str = "") -> str:
    """An address or number; one that is wrong is left out with a note: the rest of the row is good all the same."""
    text = record.text(field).removeprefix("'")
    if not text:
        return ""
    try:
        if "email" in field:
            return contacts.email(text)
        return contacts.phone(text, region=contacts.region_of(country))
    except ValueProblem as problem:
        record.reader.note(record.line, field, text, f"{problem.reason}; left out")
        return ""


def phone_of(record: Record, country: str, *fields: str) -> str:
    """The first that is there."""
    field = next((field for field in fields if record.text(field)), fields[0])
    return contact(record, field, country)


def full_name(record: Record, whole: str, *parts: str) -> str:
    return record.name(whole, longest=200) or " ".join(filter(None, (record.name(part, longest=100) for part in parts)))


def place_of(record: Record, *kinds: str) -> str:
    """The first address with a street, of fields such as billing_street: parts of two addresses make none."""
    kind = next((kind for kind in kinds if record.text(f"{kind}_street")), "")
    if not kind:
        return ""
    return places.packed(
        Place(
            street=street_of(record, f"{kind}_street"),
            postcode=postcode_of(record, f"{kind}_postcode"),
            city=record.name(f"{kind}_city", longest=80),
            region=record.name(f"{kind}_region", longest=places.LONGEST_REGION),
        )
    )


def street_of(record: Record, field: str) -> str:
    """Both lines of it in one; field_2 is the second."""
    lines = (record.name(name, longest=places.LONGEST_STREET) for name in (field, f"{field}_2"))
    return ", ".join(filter(None, lines))[: places.LONGEST_STREET]


def postcode_of(record: Record, field: str) -> str:
    """Without the apostrophe that keeps spreadsheets from taking it for a number."""
    return record.name(field, longest=places.LONGEST_POSTCODE).removeprefix("'")


def read_lines(records: Sequence[Record], *, read: Callable[[Record], Line]) -> list[Line]:
    """The product lines; a problem carries the line that it is on."""
    lines = []
    for record in records:
        try:
            line = read(record)
        except ValueProblem as problem:
            problem.line = record.line
            raise
        lines.append(line)
    return lines
