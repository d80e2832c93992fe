"""How many of the points that are left will expire unspent, what a point costs, and so what they owe customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Sum
from django.utils import timezone

from core.models import Business
from loyalty import breakage
from loyalty.breakage import Cell, Estimate, Left
from loyalty.models import LotMonth, LotsLeft, Programme, Tally
from loyalty.worth import RATE_POINTS

MONTHS_AHEAD = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What became of points that are not in lots any more."""

    redeemed: int
    taken_back: int
    expired: int

    @property
    def all(self) -> int:
        return self.redeemed + self.taken_back + self.expired


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeRow:
    """What was seen of one age: months since lots became active."""

    age: int
    kept: float  # of what there was when the month began
    expired: float
    cohorts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthAhead:
    first: date
    points: int  # with their last day in it
    expected: float  # to expire; 0 where it cannot be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The rates that turn points into money, of the night that `looked_at` tells; cents are those of 100 points."""

    estimate: Estimate
    ends_move: bool
    looked_at: datetime | None
    fates: Fates
    ages: Sequence[AgeRow]
    ahead: Sequence[MonthAhead]
    never: int  # points that never expire
    later: int  # points that expire after the months ahead
    worth_cents: int
    measured_cents: float | None
    spent_points: int
    costed_points: int

    @property
    def breakage(self) -> float:
        """What is taken off: nothing where it cannot be told."""
        return self.estimate.share or 0.0

    @property
    def costed_share(self) -> float | None:
        return self.costed_points / self.spent_points if self.spent_points else None

    def cents(self, points: int, *, per_100: float | None = None) -> int:
        """What so many outstanding points are expected to cost, in minor units; by the programme's rate unless told."""
        rate = self.worth_cents if per_100 is None else per_100
        return round(points * (1 - self.breakage) * rate / RATE_POINTS)


def rates(*, programme: Programme, business: Business, at: datetime, held: int) -> Rates:
    """`held`: points on hold, which are in no lot."""
    tally = Tally.objects.filter(id=1, time_zone=business.time_zone).first()
    looked_at = tally.looked_at if tally else None
    today = timezone.localdate(looked_at or at, business.zone)
    left = _left() if looked_at else []
    exposures = breakage.seen(_cells(), until=breakage.number_of(today)) if looked_at else {}
    moves = programme.expiry == Programme.Expiry.INACTIVITY
    rest = rest_of_month(today)
    now = breakage.number_of(today)
    estimate = breakage.estimate(left, exposures, now=now, rest=rest, ends_move=moves, beside=held)
    costed = int(tally.costed_points) if tally else 0
    return Rates(
        estimate=estimate,
        ends_move=moves,
        looked_at=looked_at,
        fates=_fates(),
        ages=[
            AgeRow(age=age, kept=rate.kept, expired=rate.expired, cohorts=rate.cohorts)
            for age, rate in sorted(breakage.rates(exposures).items())
        ],
        ahead=_ahead(estimate, today),
        never=sum(one.points for one in left if one.last is None),
        later=sum(one.points for one in left if one.last is not None and one.last >= now + MONTHS_AHEAD),
        worth_cents=programme.worth_cents,
        measured_cents=float(tally.cost_cents) * RATE_POINTS / costed if tally and costed else None,
        spent_points=int(tally.spent_points) if tally else 0,
        costed_points=costed,
    )


def _left() -> list[Left]:
    return [
        Left(
            active=breakage.number_of(active),
            last=None if last is None else breakage.number_of(last),
            points=int(points),
        )
        for active, last, points in LotsLeft.objects.values_list("active_month", "last_month", "points")
    ]


def _cells() -> list[Cell]:
    return [
        Cell(
            active=breakage.number_of(one.active_month),
            month=breakage.number_of(one.month),
            came=int(one.came),
            used=int(one.redeemed + one.taken_back),
            expired=int(one.expired),
        )
        for one in LotMonth.objects.all()
    ]


def _fates() -> Fates:
    names = ("redeemed", "taken_back", "expired")
    told = LotMonth.objects.aggregate(**{name: Sum(name, default=0) for name in names})
    return Fates(**{name: int(told[name]) for name in names})


def _ahead(estimate: Estimate, today: date) -> list[MonthAhead]:
    """The months from this one on, with what ends in them."""
    now = breakage.number_of(today)
    found = []
    for month in range(now, now + MONTHS_AHEAD):
        ending = estimate.months.get(month)
        found.append(
            MonthAhead(
                first=breakage.first_day_of(month),
                points=ending.points if ending else 0,
                expected=ending.expected if ending and estimate.share is not None else 0.0,
            )
        )
    return found


def rest_of_month(today: date) -> float:
    """The share of the month that begins with today."""
    last = (breakage.first_day_of(breakage.number_of(today) + 1) - date.resolution).day
    return (last - today.day + 1) / last
