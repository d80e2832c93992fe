"""What the key figures of one night and one period are read from, each table at most once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from analytics import curves
from analytics.models import Cohort, DayTotals, PeriodCounts
from analytics.selectors import acquisition
from core.models import Run

MONTHS: Final = {30: 1, 90: 3, 365: 12}  # complete months that stand for a period where costs are by month
HORIZON: Final = 12  # months after the first order's in which customers are to earn what they cost
NIGHTS_SHOWN: Final = 60


@dataclass(frozen=True)
class Facts:
    """A published night and the days that end with it."""

    run: Run
    days: int

    @property
    def first(self) -> date:
        """The first day of the period."""
        return self.run.as_of - timedelta(days=self.days - 1)

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.days)

    @property
    def months(self) -> int:
        return MONTHS[self.days]

    @cached_property
    def counts(self) -> Sequence[PeriodCounts]:
        """The counts of each night for its own last days, oldest first."""
        found = PeriodCounts.objects.filter(days=self.days, as_of__lte=self.run.as_of).order_by("-as_of", "-until")
        own = [one for one in found[: 2 * NIGHTS_SHOWN] if one.until == one.as_of]
        return own[::-1]

    @cached_property
    def compared(self) -> dict[date, PeriodCounts]:
        """This night's counts by the last day of the period: now and before."""
        return {one.until: one for one in PeriodCounts.objects.filter(days=self.days, as_of=self.run.as_of)}

    @cached_property
    def totals(self) -> dict[date, tuple[int, int]]:
        """Orders and revenue by day, of the period and the one before."""
        start = self.first - timedelta(days=self.days)
        found = DayTotals.objects.filter(day__gte=start, day__lte=self.run.as_of)
        return {day: (orders, cents) for day, orders, cents in found.values_list("day", "orders", "value_cents")}

    @cached_property
    def last_month(self) -> int:
        """The last month that is over."""
        return curves.last_complete(self.run.as_of)

    @property
    def oldest_month(self) -> int:
        """As far back as any figure looks."""
        return self.last_month - HORIZON - 2 * max(MONTHS.values())

    @cached_property
    def lines(self) -> dict[int, curves.Line]:
        """The cohorts by month."""
        found = Cohort.objects.filter(split=Cohort.Split.ALL, key="", first_month__gte=self.oldest_month)
        cells: dict[int, dict[int, tuple[int, int, int]]] = {}
        values = found.values_list("first_month", "month", "customers", "orders", "margin_cents")
        for first, month, customers, orders, margin in values:
            if first + month <= curves.number(self.run.as_of):
                cells.setdefault(first, {})[month] = (customers, orders, margin)
        return {first: curves.line(first_month=first, cells=own, as_of=self.run.as_of) for first, own in cells.items()}

    @cached_property
    def costs(self) -> dict[int, int]:
        return acquisition.by_month(first=self.oldest_month, last=curves.number(self.run.as_of))

    def cohorts(self, *, until: int, months: int) -> list[curves.Line]:
        """Those of the `months` months up to `until` whose cost is known."""
        wanted = range(until - months + 1, until + 1)
        return [self.lines[month] for month in wanted if month in self.lines and month in self.costs]
