"""Customers counted over the last 30, 90 and 365 days and the same days before, once a night: what pages compare.

The days of each customer's orders are kept in order, so that the number of her orders until a day is a look-up, and
whether she bought in a period a comparison of two such numbers. Those of a night for a past date are gathered from the
orders.
"""

from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from analytics.models import PeriodCounts
from analytics.services import following

REACTION: Final = "order days"
TABLE: Final = "analytics_orderdays"
COLUMNS: Final = "customer_id, days"
PERIODS: Final = (30, 90, 365)

DAYS: Final = """
SELECT customer_id, array_agg(placed_on ORDER BY placed_on) AS days FROM {orders}
WHERE status = 'paid' AND placed_on <= %(as_of)s AND customer_id IS NOT NULL
    AND (fully_refunded_on IS NULL OR fully_refunded_on > %(as_of)s)
GROUP BY 1
"""

# The bounds are numbered from 1. OFFSET 0 has each look-up done once, not once for each figure that uses it. Most
# customers have not bought since most bounds, and comparing two days is cheaper than a look-up.
COUNT: Final = """
SELECT {figures} FROM (
    SELECT days, {places}
    FROM (SELECT days, cardinality(days) AS many, days[cardinality(days)] AS last FROM {source} kept OFFSET 0) ordered
    OFFSET 0
) people
"""
PLACE: Final = "CASE WHEN last <= date '{day}' THEN many ELSE width_bucket(date '{day}', days) END AS n{number}"
FIGURES: Final = {
    "started": "count(*) FILTER (WHERE {before} > {before_active})",
    "kept": "count(*) FILTER (WHERE {before} > {before_active} AND {until} > {until_active})",
    "active": "count(*) FILTER (WHERE {until} > {until_active})",
    "buyers": "count(*) FILTER (WHERE {until} > {before})",
    "repeated": "count(*) FILTER (WHERE {until} > {before} AND days[{until}] > days[1])",
    "orders": "coalesce(sum({until} - {before}), 0)",
}


class Window(NamedTuple):
    """The `days` days that end with `until`; customers are active with an order in the last `active_days`."""

    days: int
    until: date
    active_days: int

    @property
    def bounds(self) -> dict[str, date]:
        """The days between which figures are told, by name: the first day of each stretch is the one after."""
        before, active = self.until - timedelta(days=self.days), timedelta(days=self.active_days)
        return {
            "until": self.until,
            "until_active": self.until - active,
            "before": before,
            "before_active": before - active,
        }


def windows(*, as_of: date, active_days: int) -> list[Window]:
    """Each period that ends with `as_of`, and the same number of days before it."""
    ends = [(days, as_of - timedelta(days=days * back)) for days in PERIODS for back in (0, 1)]
    return [Window(days, until, active_days) for days, until in ends]


@transaction.atomic
def refresh(*, as_of: date, active_days: int, is_past: bool = False) -> int:
    """Count the periods that end with `as_of` and keep the counts beside those of other nights; returns how many.

    A past night leaves the days that are kept as they are.
    """
    if not is_past:
        follow(as_of=as_of)
    wanted = windows(as_of=as_of, active_days=active_days)
    source = f"({DAYS.format_map(following.EVERYBODY)})" if is_past else TABLE
    found = _counted(wanted, source=source, as_of=as_of)
    PeriodCounts.objects.filter(as_of=as_of).delete()
    PeriodCounts.objects.bulk_create(
        PeriodCounts(as_of=as_of, **window._asdict(), **figures) for window, figures in zip(wanted, found, strict=True)
    )
    return len(wanted)


def follow(*, as_of: date) -> int:
    """Bring the kept days to `as_of`, for the customers who changed; returns how many."""
    return following.follow(
        reaction=REACTION,
        table=TABLE,
        as_of=as_of,
        exchange=lambda: _exchange(as_of),
        rebuild=lambda: following.rebuild(table=TABLE, columns=COLUMNS, query=DAYS, as_of=as_of),
    )


def _exchange(as_of: date) -> int:
    following.gather("orders")
    return following.exchange(table=TABLE, columns=COLUMNS, query=DAYS, as_of=as_of)


def _counted(wanted: list[Window], *, source: str, as_of: date) -> list[dict[str, int]]:
    """The figures of each window, by name."""
    bounds = sorted({day for window in wanted for day in window.bounds.values()})
    numbers = {day: number for number, day in enumerate(bounds, start=1)}
    places = [PLACE.format(day=day.isoformat(), number=number) for day, number in numbers.items()]
    figures = [
        figure.format_map({name: f"n{numbers[day]}" for name, day in window.bounds.items()})
        for window in wanted
        for figure in FIGURES.values()
    ]
    query = COUNT.format(figures=", ".join(figures), places=", ".join(places), source=source)
    params: dict[str, Any] = {"as_of": as_of}
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        counts = iter(cursor.fetchone())
    return [dict(zip(FIGURES, counts, strict=False)) for _ in wanted]
