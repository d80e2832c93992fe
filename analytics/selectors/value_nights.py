"""What the kept nights predicted for the whole shop: the last one, its course, and the night nearest to a day.

Nights that have not added all of it up (MEASURED) tell 12 months at least, but cannot be compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from analytics.selectors import at_risk, worth
from core.models import Run

PERIODS: Final = (30, 90, 365, 0)  # days; 0 is everything
FIRST_PERIOD: Final = 90
MEASURED: Final = "contract_lifetime_cents"
MOST_POINTS: Final = 120
COLUMNS: Final = {name: columns[0] for name, *columns, _label in worth.HORIZONS}
LABELS: Final = {name: label for name, *_columns, label in worth.HORIZONS}
FIRST_HORIZON: Final = "lifetime"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A night's totals, money in minor units; None where the night did not add it up."""

    as_of: date
    customers: int  # with an order that stands
    orders: float | None  # expected within 12 months
    values: Mapping[str, int | None]  # by the horizon's name
    ends: Mapping[str, Sequence[int]]  # the 80 % interval by the horizon's name, where there is one
    at_risk_cents: int

    @property
    def at_risk_share(self) -> float | None:
        return self.at_risk_cents / self.values["12m"] if self.values["12m"] else None


def course(*, since: date, until: date, most: int | None = MOST_POINTS) -> list[Point]:
    """A point for each date with a night, its newest revision, oldest first; evenly thinned out to `most` of them."""
    nights = _published().filter(as_of__gte=since, as_of__lte=until).order_by("as_of", "-revision").distinct("as_of")
    chosen = thinned(list(nights.values_list("pk", flat=True)), most=most)
    found = Run.objects.filter(pk__in=chosen).order_by("as_of")
    kept = ("stats__all", "stats__segments__0", "stats__bands", "stats__ends")
    return [_point(*row) for row in found.values_list("as_of", *kept)]


def thinned(rows: Sequence[int], *, most: int | None) -> list[int]:
    """At most so many of them (two or more), the first and the last among them; None: all."""
    if most is None or len(rows) <= most:
        return list(rows)
    return [rows[round(place * (len(rows) - 1) / (most - 1))] for place in range(most)]


def of(run: Run) -> Point:
    stats = run.stats
    return _point(run.as_of, stats["all"], stats["segments"].get("0"), stats["bands"], stats.get("ends"))


def _point(
    as_of: date,
    whole: Mapping[str, int],
    gone: Mapping[str, int] | None,
    by_band: Mapping[str, Mapping[str, int]],
    ends: Mapping[str, Any] | None,
) -> Point:
    orders = whole.get("expected_milli")
    return Point(
        as_of=as_of,
        customers=whole["customers"] - (gone["customers"] if gone else 0),
        orders=None if orders is None else orders / 1000,
        values={name: whole.get(column) for name, column in COLUMNS.items()},
        ends={name: ends[column] for name, column in COLUMNS.items() if ends and column in ends},
        at_risk_cents=at_risk.of_bands(by_band),
    )


def nearest(day: date, *, before: date | None = None) -> Run | None:
    """The night for the date nearest to `day` that can be compared, of two the earlier; dates from `before` on do not
    count."""
    known = _published().filter(stats__all__has_key=MEASURED).defer("model", "settings")
    if before is not None:
        known = known.filter(as_of__lt=before)
    around = (
        known.filter(as_of__lte=day).order_by("-as_of", "-revision").first(),
        known.filter(as_of__gt=day).order_by("as_of", "-revision").first(),
    )
    return min((one for one in around if one), key=lambda one: abs((one.as_of - day).days), default=None)


def first_day() -> date | None:
    """The date of the first night that is kept."""
    return _published().order_by("as_of").values_list("as_of", flat=True).first()


def _published() -> QuerySet[Run]:
    return Run.objects.filter(published_at__isnull=False, stats__has_key="all")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two nights to compare, and the day that the earlier one was wanted for; None for the first that is kept."""

    before: Run
    after: Run
    wanted: date | None

    @property
    def is_exact(self) -> bool:
        return self.wanted in (None, self.before.as_of)


def pair(*, since: date | None, until: date, days: int) -> Pair | None:
    """The nights nearest to two days: to `until`, and to `since`, else to `days` (0: any number) before the other."""
    after = nearest(until)
    if after is None:
        return None
    wanted = since or (after.as_of - timedelta(days=days) if days else None)
    before = nearest(wanted or date.min, before=after.as_of)
    return Pair(before=before, after=after, wanted=wanted) if before else None
