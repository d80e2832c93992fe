"""The kinds of files that can be read, by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from customers.importing import agreements, cdnow, generic, online_retail, persons, shop_customers, shopify, woocommerce
from customers.importing.columns import Aliases
from customers.importing.record import Record
from customers.importing.rows import ContractRow, CostRow, OrderRow, PersonRow, SpendRow

R = TypeVar("R", OrderRow, PersonRow, ContractRow, SpendRow, CostRow)


@dataclass(frozen=True, kw_only=True)
class Preset(Generic[R]):
    """`parse` reads rows that stand next to each other and have the same value in the field `together`; without that
    field each row by itself.

    `dates` and `numbers` are fields whose form is found out from the file first; none where the form is known.
    `left_out` are columns that are not taken on purpose.
    """

    name: str
    aliases: Aliases
    required: Sequence[Sequence[str]]
    parse: Callable[[Sequence[Record]], Sequence[R]]
    together: str = ""
    dates: Sequence[str] = ()
    numbers: Sequence[str] = ()
    left_out: Sequence[str] = ()


def _each(parse: Callable[[Record], R]) -> Callable[[Sequence[Record]], Sequence[R]]:
    return lambda records: [parse(records[0])]


_MONEY: Final = ("amount", "unit_price", "unit_cost", "discount", "tax", "shipping", "quantity")

GENERIC: Final = Preset(
    name="generic",
    aliases=generic.ALIASES,
    required=generic.REQUIRED,
    parse=_each(generic.parse),
    dates=("date",),
    numbers=_MONEY,
)
CDNOW: Final = Preset(name="cdnow", aliases=cdnow.ALIASES, required=cdnow.REQUIRED, parse=_each(cdnow.parse))
ONLINE_RETAIL: Final = Preset(
    name="online_retail",
    aliases=online_retail.ALIASES,
    required=online_retail.REQUIRED,
    parse=_each(online_retail.parse),
)
SHOPIFY: Final = Preset(
    name="shopify",
    aliases=shopify.ALIASES,
    required=shopify.REQUIRED,
    parse=shopify.parse,
    together="order",
    dates=("date",),
    left_out=shopify.LEFT_OUT,
)
WOOCOMMERCE: Final = Preset(
    name="woocommerce",
    aliases=woocommerce.ALIASES,
    required=woocommerce.REQUIRED,
    parse=woocommerce.parse,
    together="order",
    dates=("date",),
    numbers=("price", "line_total", "net_sales", "total", "tax", "shipping", "discount", "refunded"),
    left_out=woocommerce.LEFT_OUT,
)
ORDERS: Final[Mapping[str, Preset[OrderRow]]] = {
    preset.name: preset for preset in (GENERIC, SHOPIFY, WOOCOMMERCE, CDNOW, ONLINE_RETAIL)
}

PEOPLE: Final = Preset(name="generic", aliases=persons.ALIASES, required=persons.REQUIRED, parse=_each(persons.parse))
SHOPIFY_PEOPLE: Final = Preset(
    name="shopify",
    aliases=shop_customers.SHOPIFY,
    required=shop_customers.REQUIRED,
    parse=_each(shop_customers.parse),
    left_out=shop_customers.SHOPIFY_LEFT_OUT,
)
WOOCOMMERCE_PEOPLE: Final = Preset(
    name="woocommerce",
    aliases=shop_customers.WOOCOMMERCE,
    required=shop_customers.REQUIRED,
    parse=_each(shop_customers.parse),
    left_out=shop_customers.WOOCOMMERCE_LEFT_OUT,
)
CUSTOMERS: Final[Mapping[str, Preset[PersonRow]]] = {
    preset.name: preset for preset in (PEOPLE, SHOPIFY_PEOPLE, WOOCOMMERCE_PEOPLE)
}

AGREED: Final = Preset(
    name="generic",
    aliases=agreements.ALIASES,
    required=agreements.REQUIRED,
    parse=_each(agreements.parse),
    dates=agreements.DATES,
    numbers=agreements.NUMBERS,
)
CONTRACTS: Final[Mapping[str, Preset[ContractRow]]] = {AGREED.name: AGREED}
KINDS: Final[Mapping[str, Mapping[str, Preset[Any]]]] = {
    "orders": ORDERS,
    "customers": CUSTOMERS,
    "contracts": CONTRACTS,
}
