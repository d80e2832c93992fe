"""Arithmetic of cohorts: what a customer of them did by each month after the first order, and when she had paid back.

Months are numbers, 12 × year + month − 1; month k of a cohort is the k-th calendar month after that of the first order.
Money is in minor units.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import Final

SHADES: Final = 10


def number(day: date) -> int:
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def last_complete(as_of: date) -> int:
    """The last month that is over at the end of `as_of`."""
    return number(as_of + timedelta(days=1)) - 1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One month's new customers; the sequences have a place for each month that has begun, from month 0."""

    first_month: int
    size: int
    complete: int  # how many of the months are over
    active: Sequence[int]  # customers with an order in the month
    orders: Sequence[int]
    margin: Sequence[int]


def line(*, first_month: int, cells: dict[int, tuple[int, int, int]], as_of: date) -> Line:
    """From the months with something in them (month → active, orders, margin) to all that have begun."""
    begun = range(number(as_of) - first_month + 1)
    active, orders, margin = zip(*(cells.get(month, (0, 0, 0)) for month in begun), strict=True)
    complete = last_complete(as_of) - first_month + 1
    return Line(
        first_month=first_month,
        size=active[0],
        complete=complete,
        active=active,
        orders=tuple(accumulate(orders)),
        margin=tuple(accumulate(margin)),
    )


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A measure in one month; `customers` is how many it is the mean of, None for no cohort that old."""

    value: float | None
    customers: int
    is_complete: bool
    shade: int = 0


Measure = Callable[[Line], Sequence[int]]
MEASURES: Final[dict[str, Measure]] = {
    "retention": lambda one: one.active,
    "orders": lambda one: one.orders,
    "margin": lambda one: one.margin,
}


def pooled(lines: Iterable[Line], *, measure: str, month: int) -> Cell:
    """The mean per customer over the cohorts whose month is over; where there is none, over those that are in it."""
    begun = [one for one in lines if month < len(one.active)]
    over = [one for one in begun if month < one.complete]
    chosen, values = over or begun, MEASURES[measure]
    customers = sum(one.size for one in chosen)
    amount = sum(values(one)[month] for one in chosen)
    return Cell(value=amount / customers if customers else None, customers=customers, is_complete=bool(over))


def cells(lines: Sequence[Line], *, measure: str, months: int) -> list[Cell]:
    """Month 0 to `months` − 1, as far as the oldest cohort has come."""
    reach = max((len(one.active) for one in lines), default=0)
    return [pooled(lines, measure=measure, month=month) for month in range(min(months, reach))]


def payback(lines: Sequence[Line], *, cost: float) -> int | None:
    """The first month by whose end a customer's margin has covered `cost`; None when none has yet."""
    for month, cell in enumerate(cells(lines, measure="margin", months=10**4)):
        if cell.value is not None and cell.value >= cost:
            return month
    return None


def shade(value: float, *, most: float) -> int:
    """0 to 10 for a heat table; nothing and losses are 0."""
    return min(SHADES, round(SHADES * value / most)) if most > 0 and value > 0 else 0
