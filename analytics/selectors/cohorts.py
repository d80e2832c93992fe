"""Cohorts as the page shows them: a heat table by month, quarter, channel or category, and their curves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from django.db.models import Sum
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics import curves
from analytics.models import Cohort
from analytics.selectors import acquisition
from analytics.services import cohorts
from core.models import Cursor
from customers.models import Category

SPANS: Final = (12, 24, 36)
ROWS: Final = ("month", "quarter", "channel", "category")
KEYS_SHOWN: Final = 12
SPLIT_OF: Final = {"channel": Cohort.Split.CHANNEL, "category": Cohort.Split.CATEGORY}


@dataclass(frozen=True, kw_only=True)
class Query:
    """What the page's address asks for. `part` is a channel or a category that all rows are of: ("channel", "web")."""

    measure: str = "retention"
    rows: str = "month"
    months: int = 12
    part: tuple[str, str] | None = None

    @property
    def of(self) -> str:
        """The part as the address has it."""
        return ":".join(self.part) if self.part else ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table. `cost` is what a customer cost, minor units; `payback` the month that covered it."""

    key: str
    label: str
    customers: int
    cells: Sequence[curves.Cell]
    cost: float | None
    payback: int | None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The table, its last row for all together, and what the curves draw."""

    query: Query
    as_of: date
    rows: Sequence[Row]
    whole: Row
    retention: Sequence[curves.Cell]
    margin: Sequence[curves.Cell]

    @property
    def columns(self) -> range:
        return range(max((len(row.cells) for row in self.rows), default=0))


def as_of() -> date | None:
    """The business date that the cohorts are of; None before the first night."""
    return Cursor.objects.filter(reaction=cohorts.REACTION).values_list("as_of", flat=True).first()


def grid(query: Query, *, as_of: date) -> Grid:
    """Read at most six times, whatever the number of customers and rows."""
    first, last = _span(query, as_of=as_of)
    found = _lines(query, first=first, last=last, as_of=as_of)
    costs = _costs(query, found, first=first, last=last)
    every = _every(query, found, first=first, last=last, as_of=as_of)
    names = _names(query.rows, found)
    rows = [_row(query, key, names[key], lines, costs.get(key)) for key, lines in found.items()]
    shown = _shaded([*rows, _row(query, "", _("All"), every, _all_costs(query, first=first, last=last))], query.measure)
    return Grid(
        query=query,
        as_of=as_of,
        rows=shown[:-1],
        whole=shown[-1],
        retention=curves.cells(every, measure="retention", months=query.months),
        margin=curves.cells(every, measure="margin", months=query.months),
    )


def _span(query: Query, *, as_of: date) -> tuple[int, int]:
    """The first and the last month; quarters are whole."""
    last = curves.number(as_of)
    first = last - query.months + 1
    return first - first % 3 if query.rows == "quarter" else first, last


def with_measure(query: Query, measure: str) -> Query:
    return replace(query, measure=measure)


def _lines(query: Query, *, first: int, last: int, as_of: date) -> Mapping[str, list[curves.Line]]:
    """The monthly cohorts of each row, in the order of the rows."""
    chosen = Cohort.objects.filter(first_month__gte=first, first_month__lte=last)
    if query.rows in SPLIT_OF:
        split = SPLIT_OF[query.rows]
        keys = _largest(split, first=first)
        chosen = chosen.filter(split=split, key__in=keys)
    else:
        kind, key = query.part or ("", "")
        keys, chosen = [], chosen.filter(split=SPLIT_OF.get(kind, Cohort.Split.ALL), key=key)
    cells: dict[tuple[str, int], dict[int, tuple[int, int, int]]] = defaultdict(dict)
    values = chosen.values_list("key", "first_month", "month", "customers", "orders", "margin_cents")
    for key, month, after, customers, orders, margin in values:
        cells[key, month][after] = (customers, orders, margin)
    lines: dict[str, list[curves.Line]] = {key: [] for key in keys}
    for (key, month), found in sorted(cells.items()):
        row = key if keys else _period(query.rows, month)
        lines.setdefault(row, []).append(curves.line(first_month=month, cells=found, as_of=as_of))
    return lines


def _every(
    query: Query, found: Mapping[str, Sequence[curves.Line]], *, first: int, last: int, as_of: date
) -> list[curves.Line]:
    """All cohorts together; there may be more channels and categories than rows."""
    if query.rows in SPLIT_OF:
        found = _lines(replace(query, rows="month", part=None), first=first, last=last, as_of=as_of)
    return [line for lines in found.values() for line in lines]


def _largest(split: int, *, first: int) -> list[str]:
    sizes = Cohort.objects.filter(split=split, month=0, first_month__gte=first).values("key")
    return list(sizes.annotate(n=Sum("customers")).order_by("-n", "key").values_list("key", flat=True)[:KEYS_SHOWN])


def _period(rows: str, month: int) -> str:
    """`2026-03` or `2026-Q1`."""
    return f"{month // 12}-Q{month % 12 // 3 + 1}" if rows == "quarter" else f"{month // 12}-{month % 12 + 1:02}"


def _costs(
    query: Query, found: Mapping[str, Sequence[curves.Line]], *, first: int, last: int
) -> dict[str, dict[int, int]]:
    """Costs by month for each row. Costs are entered by channel: a category has none of its own."""
    if query.rows == "category" or (query.part and query.part[0] == "category"):
        return {}
    if query.rows == "channel":
        by_channel = acquisition.costs(first=first, last=last)
        return {key: by_channel.get(key, {}) for key in found}
    whole = _all_costs(query, first=first, last=last) or {}
    return dict.fromkeys(found, whole)


def _all_costs(query: Query, *, first: int, last: int) -> dict[int, int] | None:
    kind, key = query.part or ("", "")
    if kind == "category":
        return None
    return acquisition.by_month(first=first, last=last, channel=key if kind else None)


def _row(query: Query, key: str, label: str, lines: Sequence[curves.Line], costs: dict[int, int] | None) -> Row:
    known = [line for line in lines if line.first_month in (costs or {})]
    cost = acquisition.spend(known, costs or {}).per_customer
    return Row(
        key=key,
        label=label,
        customers=sum(line.size for line in lines),
        cells=curves.cells(lines, measure=query.measure, months=query.months),
        cost=cost,
        payback=None if cost is None else curves.payback(known, cost=cost),
    )


def _shaded(rows: Sequence[Row], measure: str) -> list[Row]:
    """Shades in proportion to the largest value; the whole of month 0 says nothing of retention."""
    skip = int(measure == "retention")
    values = [cell.value for row in rows for cell in row.cells[skip:] if cell.value is not None]
    most = max(values, default=0.0)
    return [
        replace(row, cells=[replace(cell, shade=curves.shade(cell.value or 0.0, most=most)) for cell in row.cells])
        for row in rows
    ]


def _names(rows: str, keys: Mapping[str, object]) -> dict[str, str]:
    if rows == "channel":
        return {key: key or _("No channel") for key in keys}
    if rows == "category":
        return categories(keys)
    return {key: period_name(key) for key in keys}


def categories(keys: Mapping[str, object]) -> dict[str, str]:
    known = dict(Category.objects.filter(pk__in=[int(key) for key in keys if key]).values_list("pk", "name"))
    return {key: known.get(int(key), "") if key else _("No category") for key in keys}


def period_name(key: str) -> str:
    """`Mar 2026`, `Q1 2026`."""
    year, part = key.rsplit("-", 1)
    if part.startswith("Q"):
        return pgettext("quarter of a year", "Q%(quarter)s %(year)s") % {"quarter": part[1:], "year": year}
    return formats.date_format(date(int(year), int(part), 1), pgettext("month of a year", "M Y"))


def parts() -> dict[str, dict[str, str]]:
    """The channels and categories to choose from, the largest first: key → name."""
    channels = dict.fromkeys(_largest(Cohort.Split.CHANNEL, first=0))
    named = dict.fromkeys(_largest(Cohort.Split.CATEGORY, first=0))
    return {"channel": _names("channel", channels), "category": _names("category", named)}
