"""Key figures of the last 30, 90 or 365 days beside the same days before, from what the nights have added up."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics import curves, definitions
from analytics.models import PeriodCounts
from analytics.selectors import acquisition, at_risk, nights
from analytics.selectors.kpi_facts import HORIZON, Facts
from analytics.services.period_counts import PERIODS
from core.models import Run

__all__ = ["FIRST_PERIOD", "HORIZON", "PERIODS", "Facts"]

FIRST_PERIOD: Final = 90
SPARK_POINTS: Final = 30

NOBODY_ACTIVE: Final = _("nobody was active before these days")
NOBODY_BOUGHT: Final = _("no known customer has ordered in these days")
NOBODY_LEFT: Final = _("nobody left in these days")
NO_ORDERS: Final = _("there were no paid orders in these days")
NO_COST: Final = _("no acquisition cost entered for these months")
NOBODY_CAME: Final = _("nobody ordered for the first time in the months with a cost")
NO_SPEND: Final = _("nothing was spent in these months")
TOO_YOUNG: Final = _("no month of first orders has had its twelve months yet")
NOT_PAID_BACK: Final = _("the margin has not covered the cost yet")
NO_VALUE: Final = _("no value is predicted")
NO_NIGHT: Final = _("no night has run yet")


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A figure for a period: its amount, or why there is none; and what it is made of, by name."""

    value: float | None = None
    reason: str | Promise = ""
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """One key figure, the same for the period before, and its course: (day or first day of a month, amount)."""

    slug: str
    now: Amount
    before: Amount
    course: Sequence[tuple[date, float]] = ()

    @property
    def text(self) -> definitions.Figure:
        return definitions.KPIS[self.slug]

    @property
    def spark(self) -> list[float]:
        return [amount for _day, amount in self.course]

    @property
    def change(self) -> float | None:
        """Relative change; None where there is nothing to compare with."""
        if self.now.value is None or not self.before.value:
            return None
        return (self.now.value - self.before.value) / abs(self.before.value)

    @property
    def is_good(self) -> bool | None:
        """None for no change to speak of (under one in a thousand)."""
        if self.change is None or abs(self.change) < 0.0005:
            return None
        return (self.change > 0) == self.text.rising_is_good


def read(*, run: Run, days: int) -> list[Kpi]:
    facts = Facts(run=run, days=days)
    return [kpi(slug, facts) for slug in definitions.KPIS]


def kpi(slug: str, facts: Facts) -> Kpi:
    return READERS[slug](slug, facts)


# Figures of counts


def _counted(figure: Callable[[PeriodCounts], Amount]) -> "Reader":
    def reader(slug: str, facts: Facts) -> Kpi:
        now, before = (facts.compared.get(day) for day in (facts.run.as_of, facts.run.as_of - facts.length))
        course = [(one.as_of, value) for one in facts.counts if (value := figure(one).value) is not None]
        return Kpi(slug=slug, now=_of(now, figure), before=_of(before, figure), course=course)

    return reader


def _of(counts: PeriodCounts | None, figure: Callable[[PeriodCounts], Amount]) -> Amount:
    return figure(counts) if counts else Amount(reason=NO_NIGHT)


def _retention(counts: PeriodCounts) -> Amount:
    parts = {"started": counts.started, "kept": counts.kept}
    if not counts.started:
        return Amount(reason=NOBODY_ACTIVE, parts=parts)
    return Amount(value=counts.kept / counts.started, parts=parts)


def _churn(counts: PeriodCounts) -> Amount:
    parts = {"started": counts.started, "lost": counts.started - counts.kept}
    if not counts.started:
        return Amount(reason=NOBODY_ACTIVE, parts=parts)
    return Amount(value=1 - counts.kept / counts.started, parts=parts)


def _repeat(counts: PeriodCounts) -> Amount:
    parts = {"buyers": counts.buyers, "repeated": counts.repeated}
    if not counts.buyers:
        return Amount(reason=NOBODY_BOUGHT, parts=parts)
    return Amount(value=counts.repeated / counts.buyers, parts=parts)


def _frequency(counts: PeriodCounts) -> Amount:
    parts = {"orders": counts.orders, "buyers": counts.buyers}
    if not counts.buyers:
        return Amount(reason=NOBODY_BOUGHT, parts=parts)
    return Amount(value=counts.orders / counts.buyers, parts=parts)


def _lifespan(counts: PeriodCounts) -> Amount:
    """In years of 365 days."""
    lost = counts.started - counts.kept
    parts = {"started": counts.started, "lost": lost, "days": counts.days}
    if not counts.started:
        return Amount(reason=NOBODY_ACTIVE, parts=parts)
    if not lost:
        return Amount(reason=NOBODY_LEFT, parts=parts)
    return Amount(value=counts.days * counts.started / lost / 365, parts=parts)


# Figures of day totals


def _order_value(slug: str, facts: Facts) -> Kpi:
    days = [facts.first + timedelta(days=number) for number in range(facts.days)]
    width = math.ceil(facts.days / SPARK_POINTS)
    stretches = [days[start : start + width] for start in range(facts.days % width, facts.days, width)]
    course = [(part[0], value) for part in stretches if (value := _average(part, facts).value) is not None]
    return Kpi(
        slug=slug,
        now=_average(days, facts),
        before=_average([day - facts.length for day in days], facts),
        course=course,
    )


def _average(days: Sequence[date], facts: Facts) -> Amount:
    found = [facts.totals[day] for day in days if day in facts.totals]
    orders, cents = sum(one for one, _cents in found), sum(cents for _orders, cents in found)
    parts = {"revenue": cents, "paid_orders": orders}
    return Amount(value=cents / orders, parts=parts) if orders else Amount(reason=NO_ORDERS, parts=parts)


# Figures of cohorts and costs


def _by_cohort(figure: Callable[[Facts, int, int], Amount], *, lag: int) -> "Reader":
    """A figure of the cohorts of some months up to one, `lag` months before the last that is over."""

    def reader(slug: str, facts: Facts) -> Kpi:
        last = facts.last_month - lag
        course = [
            (curves.first_day(month), value)
            for month in range(last - HORIZON, last + 1)
            if (value := figure(facts, month, 1).value) is not None
        ]
        return Kpi(
            slug=slug,
            now=figure(facts, last, facts.months),
            before=figure(facts, last - facts.months, facts.months),
            course=course,
        )

    return reader


def _cac(facts: Facts, until: int, months: int) -> Amount:
    wanted = range(until - months + 1, until + 1)
    known = [month for month in wanted if month in facts.costs]
    if not known:
        return Amount(reason=NO_COST)
    cents = sum(facts.costs[month] for month in known)
    customers = sum(facts.lines[month].size for month in known if month in facts.lines)
    parts = {"cost": cents, "won": customers}
    return Amount(value=cents / customers, parts=parts) if customers else Amount(reason=NOBODY_CAME, parts=parts)


def _ltv_to_cac(facts: Facts, until: int, months: int) -> Amount:
    known = facts.cohorts(until=until, months=months)
    cost = _cost_of(known, facts, until=until, months=months)
    if cost.value is None:
        return cost
    earned = curves.pooled(known, measure="margin", month=HORIZON).value or 0.0
    parts = {**cost.parts, "earned_each": earned, "cost_each": cost.value}
    return Amount(value=earned / cost.value, parts=parts) if cost.value else Amount(reason=NO_SPEND, parts=parts)


def _payback(facts: Facts, until: int, months: int) -> Amount:
    known = facts.cohorts(until=until, months=months)
    cost = _cost_of(known, facts, until=until, months=months)
    if cost.value is None:
        return cost
    month = curves.payback(known, cost=cost.value)
    parts = {**cost.parts, "cost_each": cost.value}
    return Amount(reason=NOT_PAID_BACK, parts=parts) if month is None else Amount(value=month, parts=parts)


def _cost_of(known: Sequence[curves.Line], facts: Facts, *, until: int, months: int) -> Amount:
    """Cost per customer of the cohorts."""
    if not any(until - months < month <= until for month in facts.lines):
        return Amount(reason=TOO_YOUNG)
    spent = acquisition.spend(known, facts.costs)
    if spent.per_customer is None:
        return Amount(reason=NO_COST)
    return Amount(value=spent.per_customer, parts={"won": spent.customers, "cost": spent.cents})


# Figures of nights


def _risk_share(slug: str, facts: Facts) -> Kpi:
    """The bands alone are read of each night: all that a night keeps is much more."""
    then = facts.run.as_of - facts.length
    earlier = nights.before(then)
    published = Run.objects.filter(published_at__isnull=False, as_of__gt=then, as_of__lte=facts.run.as_of)
    stats = published.order_by("as_of", "revision").values_list("as_of", "stats__bands", "stats__all")
    shares = {day: _at_risk(bands_of, whole).value for day, bands_of, whole in stats}
    before = _at_risk(earlier.stats["bands"], earlier.stats["all"]) if earlier else Amount(reason=NO_NIGHT)
    return Kpi(
        slug=slug,
        now=_at_risk(facts.run.stats["bands"], facts.run.stats["all"]),
        before=before,
        course=[(day, share) for day, share in shares.items() if share is not None],
    )


def _at_risk(by_band: Mapping[str, Mapping[str, int]], everybody: Mapping[str, int]) -> Amount:
    risky = at_risk.of_bands(by_band)
    whole = everybody["clv_cents"]
    parts = {"value_at_risk": risky, "value": whole}
    return Amount(value=risky / whole, parts=parts) if whole > 0 else Amount(reason=NO_VALUE, parts=parts)


Reader = Callable[[str, Facts], Kpi]
READERS: Final[dict[str, Reader]] = {
    "retention": _counted(_retention),
    "churn": _counted(_churn),
    "repeat": _counted(_repeat),
    "order-value": _order_value,
    "frequency": _counted(_frequency),
    "lifespan": _counted(_lifespan),
    "cac": _by_cohort(_cac, lag=0),
    "ltv-cac": _by_cohort(_ltv_to_cac, lag=HORIZON),
    "payback": _by_cohort(_payback, lag=HORIZON),
    "risk-share": _risk_share,
}
