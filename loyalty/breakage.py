"""Breakage: the share of points that will expire unspent, by what became of lots of the past at the same age.

A chain ladder on what is left unspent. Lots that became active in one month are a cohort, whole months since are their
age. Of what a cohort had at an age some is used within the month; summed over all cohorts that were seen at that age
this gives the share that is kept, a development factor weighted by volume: T. Mack, Distribution-free calculation of
the standard error of chain ladder reserve estimates, ASTIN Bulletin 23 (1993), section 2, the estimator f_k. What is
left of a lot is expected to expire as far as it is kept through every month up to its last one, which is known. Where
each order moves the end of all points on (expiry by inactivity) no end is known: there the share that expired at each
age takes its place.

Nothing is guessed beyond what was seen: an age that fewer than FEWEST cohorts passed keeps nothing, so that its points
count as if all of them were spent. That makes a liability rather too high than too low.

Months are numbers (`number_of`), points whole numbers. The standard error is the jackknife's over cohorts (B. Efron and
C. Stein, The jackknife estimate of variance, Annals of Statistics 9 (1981), eq. 1.2).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Final

FEWEST: Final = 3  # cohorts that make an age known
ENOUGH: Final = 0.5  # of the points that may expire, to speak of a share at all


def number_of(day: date) -> int:
    """The month of a day, counted from the year 0."""
    return day.year * 12 + day.month - 1


def first_day_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What lots of one month lost in another; `came` in the month in which they became active."""

    active: int
    month: int
    came: int
    used: int  # redeemed or taken back, net of what returned
    expired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of lots now. `last` is the month of their last day, None for never."""

    active: int
    last: int | None
    points: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """A cohort at an age: what it had when the month began, and what became of that within it."""

    had: int
    used: int
    expired: int


Seen = Mapping[int, Mapping[int, Exposure]]  # age → cohort → exposure


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Of what a cohort had at an age, the share that was not used, and the share that expired in that month."""

    kept: float
    expired: float
    cohorts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Points whose last day is in a month, and how many of them are expected to expire."""

    points: int
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """`share` of all points that are left, None where too little was seen. `months`: what was expected of each."""

    share: float | None
    error: float | None  # standard error of the share
    known: float  # share of the points that may expire whose months ahead were all seen before
    cohorts: int
    months: Mapping[int, Ending]


def seen(cells: Iterable[Cell], *, until: int) -> dict[int, dict[int, Exposure]]:
    """The exposures of all cohorts in the months before `until`, which is the first that is not over."""
    cohorts: defaultdict[int, dict[int, Cell]] = defaultdict(dict)
    for cell in cells:
        cohorts[cell.active][cell.month] = cell
    ages: defaultdict[int, dict[int, Exposure]] = defaultdict(dict)
    for active, row in cohorts.items():
        # What refunds took before a lot was active was never there to be spent.
        had = sum(one.came for one in row.values()) - sum(one.used for one in row.values() if one.month < active)
        for month in range(active, until):
            if had <= 0:
                break
            one = row.get(month)
            used, expired = (one.used, one.expired) if one else (0, 0)
            ages[month - active][active] = Exposure(had, used, expired)
            had -= used + expired
    return dict(ages)


def rates(exposures: Seen, *, without: int | None = None) -> dict[int, Rate]:
    """By age, where at least FEWEST cohorts were seen; `without` leaves one of them out."""
    return {
        age: _rate([one for cohort, one in row.items() if cohort != without], len(row))
        for age, row in exposures.items()
        if len(row) >= FEWEST
    }


def _rate(row: Sequence[Exposure], cohorts: int) -> Rate:
    had = sum(one.had for one in row)
    used = min(max(sum(one.used for one in row) / had, 0.0), 1.0)
    expired = min(max(sum(one.expired for one in row) / had, 0.0), 1.0 - used)
    return Rate(kept=1.0 - used, expired=expired, cohorts=cohorts)


def estimate(
    left: Sequence[Left], exposures: Seen, *, now: int, rest: float, ends_move: bool = False, beside: int = 0
) -> Estimate:
    """`now` is the current month, `rest` the share of it that lies ahead; `beside`: points that surely go (holds)."""
    known_rates = rates(exposures)
    months, known = _ahead(left, known_rates, now=now, rest=rest, ends_move=ends_move)
    may_expire = sum(one.points for one in left if one.last is not None)
    whole = sum(one.points for one in left) + beside
    seen_share = known / may_expire if may_expire else 1.0
    told = whole > 0 and seen_share >= ENOUGH
    cohorts = {cohort for row in exposures.values() for cohort in row}
    share = sum(one.expected for one in months.values()) / whole if told else None

    def again(cohort: int) -> float:
        others = rates(exposures, without=cohort)
        found, _known = _ahead(left, others, now=now, rest=rest, ends_move=ends_move)
        return sum(one.expected for one in found.values()) / whole

    error = _jackknife([again(cohort) for cohort in sorted(cohorts)]) if told and may_expire else None
    return Estimate(share=share, error=error, known=seen_share, cohorts=len(cohorts), months=months)


def _ahead(
    left: Sequence[Left], known_rates: Mapping[int, Rate], *, now: int, rest: float, ends_move: bool
) -> tuple[dict[int, Ending], float]:
    """What ends by month, and how many of the points have all their months known."""
    points: defaultdict[int, int] = defaultdict(int)
    expected: defaultdict[int, float] = defaultdict(float)
    known = 0.0
    for one in left:
        if one.last is None:
            continue
        points[one.last] += one.points
        course = _moving if ends_move else _until_the_end
        fate, part = course(one, known_rates, now=now, rest=rest)
        known += part * one.points
        for month, share in fate.items():
            expected[month] += share * one.points
    months = {month: Ending(points=points[month], expected=expected[month]) for month in sorted({*points, *expected})}
    return months, known


def _until_the_end(
    one: Left, known_rates: Mapping[int, Rate], *, now: int, rest: float
) -> tuple[dict[int, float], float]:
    """The share that is kept through each month up to the last; nothing where one of them is unknown."""
    last = one.last if one.last is not None else now
    kept = 1.0
    for month in range(max(now, one.active), last + 1):
        rate = known_rates.get(month - one.active)
        if rate is None:
            return {}, 0.0
        kept *= rate.kept ** (rest if month == now else 1.0)
    return {max(last, now): kept}, 1.0


def _moving(one: Left, known_rates: Mapping[int, Rate], *, now: int, rest: float) -> tuple[dict[int, float], float]:
    """The share that expires in each month as far as ages are known, and the share whose end that shows."""
    alive = 1.0
    fate: dict[int, float] = {}
    for month in count(max(now, one.active)):
        rate = known_rates.get(month - one.active)
        if rate is None:
            return fate, 1 - alive
        part = rest if month == now else 1.0
        fate[month] = alive * rate.expired * part
        alive *= 1 - (1 - rate.kept + rate.expired) * part
    raise AssertionError  # count() does not end


def _jackknife(values: Sequence[float]) -> float | None:
    n = len(values)
    if n < FEWEST:
        return None
    mean = sum(values) / n
    return math.sqrt((n - 1) / n * sum((value - mean) ** 2 for value in values))
