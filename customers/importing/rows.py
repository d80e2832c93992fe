"""What a row of a file becomes: one order line, one returned line, one person or one contract, in plain values.

Amounts are integers in the currency's minor unit and never negative for a return: `is_return` turns the sign.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

ONE: Final = Decimal(1)
ZERO: Final = Decimal(0)
KEY_LENGTH: Final = 200


class OrderRow(NamedTuple):
    """One line of an order, or of a return when `is_return` (then `net_cents` is what was paid back).

    `document` is the id of the order or of the return at the source. Without one the rows of a (customer, time) are one
    order, and a guest's row is an order of its own. `of_order` names the order that a return belongs to, where known.
    `tax_cents` and `shipping_cents` are the order's: the same on each of its rows counts once, other values are added.
    """

    line: int  # in the file, the header is line 1
    customer: str  # id at the source, "" for a guest
    at: datetime  # with a time zone
    day: date  # of `at` in the business's time zone
    sku: str
    net_cents: int
    document: str = ""
    is_return: bool = False
    of_order: str = ""
    date_only: bool = False
    quantity: Decimal = ONE
    unit_price: Decimal = ZERO
    discount_cents: int = 0
    tax_cents: int | None = None
    shipping_cents: int | None = None
    unit_cost: Decimal | None = None  # None: the product's, else a margin rate
    kind: str = "goods"  # goods, shipping, fee or adjustment
    counts: bool = True  # whether it is part of the order's value
    product: str = ""  # its name
    category: str = ""
    status: str = "paid"  # paid, pending or cancelled
    channel: str = ""
    name: str = ""
    email: str = ""  # in lower case
    phone: str = ""  # E.164
    country: str = ""
    place: str = ""  # the address as customers.places.packed has it
    is_extra: bool = False  # worked out from another row: it does not count as a row of the file


class PersonRow(NamedTuple):
    """One person. What is "" is left as it is."""

    line: int
    customer: str  # id at the source
    name: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    company: str = ""
    country: str = ""
    city: str = ""
    street: str = ""
    postcode: str = ""
    region: str = ""
    locale: str = ""
    time_zone: str = ""
    channel: str = ""
    birthday: str = ""  # as customers.birthdays keeps it
    custom: Mapping[str, str | bool] = MappingProxyType({})  # fields of the business's own, by key


def key_of(row: OrderRow) -> tuple[str, bool]:
    """The document that a row belongs to, and whether an ordinal must follow: equal guest rows are told apart by it."""
    if row.document:
        return row.document, False
    time = row.day.isoformat() if row.date_only else row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if row.customer:
        return shorten(f"{row.customer}@{time}"), False
    return f"guest:{time}:{digest(row):x}", True


def shorten(key: str) -> str:
    """A key that fits into its column; what is cut off lives on in a hash."""
    return key if len(key) <= KEY_LENGTH else f"{key[:160]}#{_md5(key).hexdigest()}"


def digest(row: OrderRow) -> int:
    """64 bits that stand for the facts of a line. Sums of them stand for a document, whatever the order of its rows."""
    facts = (row.sku, row.quantity.normalize(), row.unit_price.normalize(), row.net_cents, row.discount_cents)
    cost = None if row.unit_cost is None else row.unit_cost.normalize()
    text = "\x1f".join(map(str, (*facts, cost, row.counts, row.of_order)))
    return int.from_bytes(_md5(text).digest()[:8])


def _md5(text: str) -> "hashlib._Hash":
    return hashlib.md5(text.encode(), usedforsecurity=False)


def content(rows: Sequence[OrderRow], *, prices_include_tax: bool) -> uuid.UUID:
    """What stands for an order: the same content again is no change. As customers.services.staging has it in SQL, for
    rows that all name the order's customer, time, status, channel, tax and shipping.
    """
    row = rows[0]
    at = min(row.at for row in rows).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    date_only = all(row.date_only for row in rows)
    head = (row.customer, at, "ft"[date_only], row.status, row.channel, row.tax_cents or 0, row.shipping_cents or 0)
    facts = (*head, "ft"[prices_include_tax], len(rows), sum(map(digest, rows)))
    return uuid.UUID(_md5("|".join(map(str, facts))).hexdigest())


class SpendRow(NamedTuple):
    """What a row of a file of acquisition costs says: never negative."""

    line: int
    channel: str
    month: date  # its first day
    amount_cents: int
    note: str


class ContractRow(NamedTuple):
    """One contract. What is "" or None is left as it is; `value_cents` is net, of a term."""

    line: int
    number: str  # its id at the source
    customer: str  # an id at a source, "" for a company without a contact
    company: str  # a name or an id at the source
    plan: str
    starts_on: date
    term_months: int
    renewals: int | None
    value_cents: int
    agreed_on: date | None = None
    margin_rate: Decimal | None = None
    renews_automatically: bool | None = None
    is_billed_by_orders: bool | None = None
    cancelled_on: date | None = None
    reason: str = ""


class CostRow(NamedTuple):
    """What a row of a file of customers' costs says. A quantity below zero takes an earlier cost back."""

    line: int
    external_id: str  # of the cost, at the source that tells it
    customer: str  # the id at the source that customers are known by
    day: date
    kind: str
    quantity: Decimal
    unit_cents: Decimal | None  # None: what one of the kind costs by the settings
