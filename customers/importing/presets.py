"""The kinds of files that can be read, by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from customers.importing import cdnow, generic, online_retail, persons
from customers.importing.columns import Aliases
from customers.importing.record import Record
from customers.importing.rows import OrderRow, PersonRow

R = TypeVar("R", OrderRow, PersonRow)


@dataclass(frozen=True, kw_only=True)
class Preset(Generic[R]):
    """`dates` and `numbers` are fields whose form is found out from the file first; none where the form is known."""

    name: str
    aliases: Aliases
    required: Sequence[Sequence[str]]
    parse: Callable[[Record], R]
    dates: Sequence[str] = ()
    numbers: Sequence[str] = ()


_MONEY: Final = ("amount", "unit_price", "unit_cost", "discount", "tax", "shipping", "quantity")

GENERIC: Final = Preset(
    name="generic",
    aliases=generic.ALIASES,
    required=generic.REQUIRED,
    parse=generic.parse,
    dates=("date",),
    numbers=_MONEY,
)
CDNOW: Final = Preset(name="cdnow", aliases=cdnow.ALIASES, required=cdnow.REQUIRED, parse=cdnow.parse)
ONLINE_RETAIL: Final = Preset(
    name="online_retail",
    aliases=online_retail.ALIASES,
    required=online_retail.REQUIRED,
    parse=online_retail.parse,
)
ORDERS: Final[Mapping[str, Preset[OrderRow]]] = {preset.name: preset for preset in (GENERIC, CDNOW, ONLINE_RETAIL)}
PEOPLE: Final = Preset(name="generic", aliases=persons.ALIASES, required=persons.REQUIRED, parse=persons.parse)
