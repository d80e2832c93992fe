"""The figures of the first page: what the shop took in, what its customers are worth, who is about to leave."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import F, QuerySet, Sum

from analytics import definitions
from analytics.models import DayTotals, Score
from analytics.selectors import at_risk, report_card
from analytics.verdicts import Measure
from core.models import Business, Run
from crm.selectors import nights, people, segments

PERIODS: Final = (30, 90, 365)
FIRST_PERIOD: Final = 90
SPARK_POINTS: Final = 30
LEAVING_SHOWN: Final = 6


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """One key figure: its amount, the change against the period before, and its shape over the period."""

    slug: str
    amount: float | None
    before: float | None
    spark: Sequence[float]
    rising_is_good: bool = True

    @property
    def text(self) -> definitions.Figure:
        return definitions.FIGURES[self.slug]

    @property
    def change(self) -> float | None:
        """Relative change; None where there is nothing to compare with."""
        if self.amount is None or not self.before:
            return None
        return self.amount / self.before - 1

    @property
    def is_good(self) -> bool | None:
        """None for no change to speak of (under one in a thousand)."""
        if self.change is None or abs(self.change) < 0.0005:
            return None
        return (self.change > 0) == self.rising_is_good


def has_orders() -> bool:
    return DayTotals.objects.exists()


def last_day() -> date | None:
    """The last business date with totals; None for a shop without orders."""
    return DayTotals.objects.order_by("-day").values_list("day", flat=True).first()


def kpis(*, run: Run | None, day: date, days: int) -> list[Kpi]:
    """The four figures for the `days` days that end with `day`. Those of the nights are empty before the first."""
    nights_then = nights.since(day - timedelta(days=days)) if run else []
    earlier = nights.before(day - timedelta(days=days)) if run else None
    return [
        revenue(day=day, days=days),
        _of_nights("clv", run, earlier, nights_then, average_clv),
        _of_nights("active", run, earlier, nights_then, active_customers),
        _of_nights("risk", run, earlier, nights_then, value_at_risk, rising_is_good=False),
    ]


def revenue(*, day: date, days: int) -> Kpi:
    start = nights.period_start(day, days)
    earlier = start - timedelta(days=days)
    found = DayTotals.objects.filter(day__gte=earlier, day__lte=day).values_list("day", "value_cents")
    by_day = dict(found)
    return Kpi(
        slug="revenue",
        amount=sum(cents for on, cents in by_day.items() if on >= start),
        before=sum(cents for on, cents in by_day.items() if on < start),
        spark=_in_buckets([by_day.get(start + timedelta(days=i), 0) for i in range(days)]),
    )


def _in_buckets(values: Sequence[int]) -> list[int]:
    """Sums of equal stretches, at most SPARK_POINTS of them; a rest at the start is left out."""
    width = math.ceil(len(values) / SPARK_POINTS)
    rest = len(values) % width
    return [sum(values[i : i + width]) for i in range(rest, len(values), width)]


def average_clv(run: Run) -> float | None:
    total = run.stats["all"]
    return total["clv_cents"] / total["customers"] if total["customers"] else None


def active_customers(run: Run) -> float | None:
    return float(run.stats["all"]["active"])


def value_at_risk(run: Run) -> float | None:
    return float(at_risk.of_bands(run.stats["bands"]))


def _of_nights(
    slug: str, run: Run | None, earlier: Run | None, then: Sequence[Run], figure: Any, *, rising_is_good: bool = True
) -> Kpi:
    points = [value for other in then if (value := figure(other)) is not None]
    return Kpi(
        slug=slug,
        amount=figure(run) if run else None,
        before=figure(earlier) if earlier else None,
        spark=points,
        rising_is_good=rising_is_good,
    )


@dataclass(frozen=True, kw_only=True)
class Month:
    first: date
    revenue_cents: int
    before_cents: int | None  # the same month a year earlier; None before the first order
    clv_cents: float | None  # average predicted value of the last night of the month


def trend(*, day: date, months: int = 18) -> list[Month]:
    """Revenue and average predicted value by complete month up to `day`."""
    end = day + timedelta(days=1)
    last = _month_of(end, back=1)
    shown = [_month_of(last, back=back) for back in range(months - 1, -1, -1)]
    revenue_of = _revenue_by_month()
    first_ever = min(revenue_of, default=last)
    clv_of = _clv_by_month(since=shown[0])
    return [
        Month(
            first=month,
            revenue_cents=revenue_of.get(month, 0),
            before_cents=_a_year_before(month, revenue_of, first_ever),
            clv_cents=clv_of.get(month),
        )
        for month in shown
        if month >= first_ever
    ]


def _a_year_before(month: date, revenue_of: dict[date, int], first_ever: date) -> int | None:
    earlier = month.replace(year=month.year - 1)
    return revenue_of.get(earlier, 0) if earlier >= first_ever else None


def _month_of(day: date, *, back: int = 0) -> date:
    """The first of the month `back` months before the month of `day`."""
    number = day.year * 12 + day.month - 1 - back
    return date(number // 12, number % 12 + 1, 1)


def _revenue_by_month() -> dict[date, int]:
    found = DayTotals.objects.values("day__year", "day__month").annotate(cents=Sum("value_cents")).order_by()
    return {date(row["day__year"], row["day__month"], 1): int(row["cents"]) for row in found}


def _clv_by_month(*, since: date) -> dict[date, float]:
    runs = nights.since(since - timedelta(days=1))
    return {_month_of(run.as_of): value for run in runs if (value := average_clv(run)) is not None}


def leaving(run: Run) -> QuerySet[Score]:
    """Customers of the medium and high bands, the most valuable first: CLV counts what can still be kept.

    Whose value is mostly that of contracts is left to the renewals that are due: silence says little of it.
    """
    found = Score.objects.filter(run=run, churn_band__in=at_risk.BANDS, clv_cents__gte=2 * F("contract_cents"))
    return people.present(found).order_by("-clv_cents", "-customer_id")


def valuable_leaving(run: Run) -> list[people.Row]:
    return people.top(leaving(run), run=run, limit=LEAVING_SHOWN)


@dataclass(frozen=True, kw_only=True)
class Today:
    """All of the first page. Without orders only `status` is read; without a night no figure of one."""

    status: nights.Status
    days: int
    day: date | None = None
    kpis: Sequence[Kpi] = ()
    months: Sequence[Month] = ()
    states: Sequence[segments.SegmentState] = ()
    leaving: Sequence[people.Row] = ()
    slipped: Sequence[Measure] = ()  # of the report card


def read(*, business: Business, at: datetime, days: int) -> Today:
    status = nights.status(row=business, at=at)
    last = last_day()
    if last is None:
        return Today(status=status, days=days)
    run = status.shown
    day = run.as_of if run else min(last, status.due)
    return Today(
        status=status,
        days=days,
        day=day,
        kpis=kpis(run=run, day=day, days=days),
        months=trend(day=day),
        states=sorted(segments.states(run), key=lambda one: -one.clv_cents) if run else [],
        leaving=valuable_leaving(run) if run else [],
        slipped=report_card.slipped(run) if run else [],
    )
