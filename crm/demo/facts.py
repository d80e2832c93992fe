"""What the generator hands out: people, companies, products and orders as plain values.

Times are naive and in the shop's time zone. Money is decimal, in major units, net of tax.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Item:
    """A product as the price list of the opening day has it. `months` are those in which it is sold, none: all."""

    sku: str
    name: str
    category: str
    price: Decimal
    cost: Decimal
    kind: str = "goods"
    months: tuple[int, ...] = ()
    weight: float = 1.0  # how often it is chosen among the items beside it
    tax: Decimal = Decimal(0)


@dataclass(frozen=True)
class Firm:
    external_id: str
    name: str
    tax_number: str
    payment_terms_days: int
    contract_starts_on: date
    contract_ends_on: date


@dataclass(frozen=True)
class Person:
    external_id: str
    name: str
    emails: list[str]
    phone: str
    street: str
    postcode: str
    city: str
    country: str
    locale: str
    time_zone: str
    channel: str
    firm: Firm | None


@dataclass(frozen=True)
class Line:
    item: Item
    quantity: int
    unit_price: Decimal
    unit_cost: Decimal
    discount: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        return self.quantity * self.unit_price - self.discount


@dataclass(frozen=True)
class Return:
    """Goods that came back: position of the line, from 0, and how many pieces."""

    external_id: str
    returned_at: datetime
    lines: list[tuple[int, int]]


@dataclass(frozen=True)
class Sale:
    external_id: str
    buyer: int | None  # index into the shop's people; None: a guest
    placed_at: datetime
    status: str
    channel: str
    lines: list[Line]
    tax: Decimal
    returns: list[Return] = field(default_factory=list)

    @property
    def net(self) -> Decimal:
        return sum((line.net for line in self.lines), Decimal(0))


@dataclass(frozen=True)
class Decision:
    """What became of a term, and since when that was known; the value of the next term where it was renewed."""

    outcome: str
    on: date
    reason: str = ""
    value: Decimal | None = None


@dataclass(frozen=True)
class Deal:
    """A firm's contract. `decisions` are those of its terms, from the first on; the next term is open."""

    external_id: str
    firm: str
    contact: str  # the person's external id
    plan: str
    starts_on: date
    months: int
    value: Decimal  # of the first term
    margin: Decimal | None
    automatic: bool
    decisions: list[Decision] = field(default_factory=list)


@dataclass(frozen=True)
class Shop:
    people: list[Person]
    items: list[Item]
    sales: list[Sale]
    opened_on: date
    until: date
    deals: list[Deal] = field(default_factory=list)
