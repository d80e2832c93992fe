"""What made the difference between the values of two nights, for the whole shop and by the segments of a scheme.

The value of orders is divided by its drivers (analytics.clv.drivers). What contracts are worth knows no frequency: it
is a part of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext

from analytics import schemes
from analytics.clv import drivers
from analytics.clv.drivers import NAMES, Drivers, Totals
from analytics.schemes import Scheme
from analytics.services import stats
from core.models import Run
from customers.models import Category

# Those in which every customer is in one segment at most; of tags she may have several.
SCHEMES: Final = tuple(scheme for scheme in schemes.ALL if scheme is not schemes.NEEDS)
NONE: Final = "0"
CONTRACTS: Final = "contracts"  # the part beside the drivers
PARTS: Final = (*NAMES, CONTRACTS)
COUNTED: Final = ("customers", "expected_milli", *stats.VALUES, *stats.VALUES.values())

Cell = Mapping[str, int]  # sums over some customers, as the nights' totals name them


@dataclass(frozen=True, kw_only=True)
class Change:
    """A group of customers on two nights, money in minor units; the parts add up to the difference."""

    label: str
    before: Totals  # of orders
    after: Totals
    contracts: tuple[int, int]  # their value before and after
    parts: Mapping[str, int]  # by name, as PARTS
    url: str = ""

    @property
    def before_cents(self) -> int:
        return round(self.before.lifetime) + self.contracts[0]

    @property
    def after_cents(self) -> int:
        return round(self.after.lifetime) + self.contracts[1]

    @property
    def difference_cents(self) -> int:
        return self.after_cents - self.before_cents

    @property
    def share(self) -> float | None:
        """The difference over the value before; None where there was none."""
        return self.difference_cents / self.before_cents if self.before_cents else None

    @property
    def factors(self) -> tuple[Drivers, Drivers]:
        """Before and after."""
        return drivers.drivers(self.before), drivers.drivers(self.after)


@dataclass(frozen=True, kw_only=True)
class BySegment:
    """A scheme's segments and their sum."""

    scheme: Scheme
    rows: Sequence[Change]
    total: Change

    @property
    def most(self) -> int:
        """The largest part of any segment, as an amount."""
        return max((abs(cents) for row in self.rows for cents in row.parts.values()), default=0)


def of_shop(before: Run, after: Run, *, column: str) -> Change:
    """`column`: the value that is compared, as the nights' totals name it."""
    return _change(gettext("All customers"), _shop(before), _shop(after), column=column)


def by_segment(before: Run, after: Run, *, scheme: Scheme, column: str) -> BySegment:
    """The segments with anybody in them on either night, in their order; who is in none comes last.

    The sum's parts are the sums of the segments' parts. Who went from one segment to another is one customer less there
    and one more here, so that they are not the parts of the shop as a whole; the difference is the same.
    """
    named = _segments(scheme)
    then, now = (_cells(night, scheme, [code for code, _label, _url in named]) for night in (before, after))
    rows = [_change(label, then[code], now[code], column=column, url=url) for code, label, url in named]
    rows.append(_change(gettext("In no segment"), then[NONE], now[NONE], column=column))
    shop = of_shop(before, after, column=column)
    parts = {name: sum(row.parts[name] for row in rows) for name in PARTS}
    shown = [row for row in rows if any((row.before.customers, row.after.customers, row.before_cents, row.after_cents))]
    return BySegment(scheme=scheme, rows=shown, total=replace(shop, parts=parts))


def _change(label: str, before: Cell, after: Cell, *, column: str, url: str = "") -> Change:
    then, now = (_of_orders(cell, column) for cell in (before, after))
    contracts = (before[stats.VALUES[column]], after[stats.VALUES[column]])
    parts = drivers.divide_whole(now, then) | {CONTRACTS: contracts[1] - contracts[0]}
    return Change(label=label, before=then, after=now, contracts=contracts, parts=parts, url=url)


def _of_orders(cell: Cell, column: str) -> Totals:
    return Totals(
        customers=cell["customers"],
        lifetime=cell[column] - cell[stats.VALUES[column]],
        year=cell["clv_cents"] - cell["contract_cents"],
        orders=cell["expected_milli"] / stats.MILLI,
    )


def _shop(night: Run) -> Cell:
    """Everybody; those without an order that stands are not counted, but may have contracts."""
    gone = night.stats["segments"].get(NONE, {})
    return _less(night.stats["all"], [{"customers": gone.get("customers", 0)}])


def _cells(night: Run, scheme: Scheme, codes: Sequence[str]) -> dict[str, Cell]:
    """By code, and by NONE who is in none of them: of no category, say, or of one that is gone."""
    kept = night.stats if scheme is schemes.RFM else night.stats["schemes"][scheme.slug]
    cells = {code: _less(kept["segments"].get(code, {}), []) for code in codes}
    return cells | {NONE: _less(_shop(night), cells.values())}


def _less(cell: Cell, others: Iterable[Cell]) -> Cell:
    others = list(others)
    return {name: cell.get(name, 0) - sum(other.get(name, 0) for other in others) for name in COUNTED}


def _segments(scheme: Scheme) -> list[tuple[str, str, str]]:
    """Code, name and address of each segment."""
    if scheme is schemes.PREFERENCE:
        named = Category.objects.order_by("name", "pk").values_list("pk", "name")
        return [(str(pk), name, _url(scheme, f"c{pk}")) for pk, name in named]
    return [(str(kind.code), gettext(kind.label), _url(scheme, kind.slug)) for kind in scheme.kinds]


def _url(scheme: Scheme, slug: str) -> str:
    if scheme is schemes.RFM:
        return reverse("desk:segment_detail", args=[slug])
    return reverse("desk:group_detail", args=[scheme.slug, slug])
