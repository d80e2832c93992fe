"""Customers counted over the last 30, 90 and 365 days and the same days before, once a night: what pages compare.

One pass over the orders. Each customer's orders become a set of bits, one for each stretch of days between the bounds
of all periods; whether she bought in a period is then a test of bits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection, transaction

from analytics.models import PeriodCounts

PERIODS: Final = (30, 90, 365)

# What came back is asked with OR: of "IS NOT FALSE" the planner expects one row, and counts on one core.
COUNT: Final = """
WITH people AS (
    SELECT customer_id, bit_or(1 << width_bucket(placed_on, %(starts)s::date[])) AS bits,
        min(placed_on) AS first_on, ARRAY[{lasts}] AS lasts
    FROM customers_order o
    WHERE status = 'paid' AND placed_on <= %(as_of)s AND customer_id IS NOT NULL
        AND (fully_refunded_on IS NULL OR fully_refunded_on > %(as_of)s)
    GROUP BY 1
), counted AS (
    SELECT number,
        count(*) FILTER (WHERE bits & started <> 0) AS started,
        count(*) FILTER (WHERE bits & started <> 0 AND bits & active <> 0) AS kept,
        count(*) FILTER (WHERE bits & active <> 0) AS active,
        count(*) FILTER (WHERE bits & inside <> 0) AS buyers,
        count(*) FILTER (WHERE bits & inside <> 0 AND (bits & earlier <> 0 OR lasts[number] > first_on)) AS repeated
    FROM people, unnest(%(started)s::int[], %(active)s::int[], %(inside)s::int[], %(earlier)s::int[])
        WITH ORDINALITY AS wanted (started, active, inside, earlier, number)
    WHERE bits & (started | active | inside) <> 0
    GROUP BY 1
)
SELECT number, started, kept, active, buyers, repeated FROM counted ORDER BY 1
"""
ORDERS: Final = """
SELECT width_bucket(placed_on, %(starts)s::date[]) AS stretch, count(*) FROM customers_order
WHERE status = 'paid' AND placed_on >= %(first)s AND placed_on <= %(as_of)s AND customer_id IS NOT NULL
    AND (fully_refunded_on IS NULL OR fully_refunded_on > %(as_of)s)
GROUP BY 1
"""
LAST: Final = "max(placed_on) FILTER (WHERE placed_on <= date '{until}')"


@dataclass(frozen=True, kw_only=True)
class Window:
    """The `days` days that end with `until`; customers are active with an order in the last `active_days`."""

    days: int
    until: date
    active_days: int

    @property
    def before(self) -> date:
        """The day before the period."""
        return self.until - timedelta(days=self.days)

    @property
    def spans(self) -> dict[str, tuple[date, date]]:
        """First and last day of what is asked about the period, by name."""
        within = timedelta(days=self.active_days - 1)
        return {
            "started": (self.before - within, self.before),
            "active": (self.until - within, self.until),
            "inside": (self.before + timedelta(days=1), self.until),
            "earlier": (date.min, self.before),
        }


def windows(*, as_of: date, active_days: int) -> list[Window]:
    """Each period that ends with `as_of`, and the same number of days before it."""
    ends = [(days, as_of - timedelta(days=days * back)) for days in PERIODS for back in (0, 1)]
    return [Window(days=days, until=until, active_days=active_days) for days, until in ends]


@transaction.atomic
def refresh(*, as_of: date, active_days: int) -> int:
    """Count the periods that end with `as_of` and keep the counts beside those of other nights; returns how many."""
    wanted = windows(as_of=as_of, active_days=active_days)
    PeriodCounts.objects.filter(as_of=as_of).delete()
    PeriodCounts.objects.bulk_create(_counted(wanted, as_of=as_of))
    return len(wanted)


def _counted(wanted: list[Window], *, as_of: date) -> Iterable[PeriodCounts]:
    starts = _starts(wanted)
    found = _people(wanted, starts, as_of)
    orders = _orders(starts, as_of)
    for number, window in enumerate(wanted, start=1):
        inside = bits(starts, *window.spans["inside"])
        yield PeriodCounts(
            as_of=as_of,
            days=window.days,
            until=window.until,
            active_days=window.active_days,
            orders=sum(count for stretch, count in orders.items() if inside >> stretch & 1),
            **found.get(number, dict.fromkeys(("started", "kept", "active", "buyers", "repeated"), 0)),
        )


def _starts(wanted: list[Window]) -> list[date]:
    """Where a stretch begins: the first day of each span, and the day after its last."""
    bounds = {bound for window in wanted for first, last in window.spans.values() for bound in (first, _after(last))}
    return sorted(bounds - {date.min})


def _after(day: date) -> date:
    return day + timedelta(days=1)


def bits(starts: list[date], first: date, last: date) -> int:
    """The bits of the stretches from `first` to `last`. Stretch 0 lies before all starts."""
    low = starts.index(first) + 1 if first in starts else 0
    high = starts.index(_after(last)) + 1
    return (1 << high) - (1 << low)


def _people(wanted: list[Window], starts: list[date], as_of: date) -> dict[int, dict[str, int]]:
    params: dict[str, Any] = {"as_of": as_of, "starts": starts}
    for name in ("started", "active", "inside", "earlier"):
        params[name] = [bits(starts, *window.spans[name]) for window in wanted]
    lasts = ", ".join(LAST.format(until=window.until.isoformat()) for window in wanted)
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(lasts=lasts), params)
        names = ("started", "kept", "active", "buyers", "repeated")
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in cursor.fetchall()}


def _orders(starts: list[date], as_of: date) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(ORDERS, {"as_of": as_of, "starts": starts, "first": starts[0]})
        return dict(cursor.fetchall())
