"""What would have become of customers' points under other settings: the ledger played again, in memory.

Each customer's facts go in the order of their days: what was earned, what came back, what was redeemed. The rules are
those of the ledger (loyalty/migrations/sql, loyalty.expiry, loyalty.services.activity); a test holds the two together.
Who would have had fewer points than they redeemed redeems what there is, and the rest is told as `missed`.

Points are whole numbers, days those of the business, months numbers of loyalty.breakage.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from loyalty import expiry
from loyalty.breakage import Cell, Left, number_of
from loyalty.expiry import Terms

DAY: Final = timedelta(days=1)
FOR_EVER: Final = date.max


class Kind(IntEnum):
    """In the order in which they count within a day."""

    ORDER = 0
    GIFT = 1  # whatever is not for an order: actions, segments, birthdays, friends, by hand
    REFUND = 2
    SPEND = 3
    TAKE = 4  # by hand


class Fact(NamedTuple):
    """`order` is what an order or a refund is for; `active_on` of a gift is as it was, of an order by the terms."""

    day: date
    kind: Kind
    points: int
    order: int = 0
    active_on: date | None = None
    is_activity: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The settings that a replay goes by. Flows are counted from `first` on, up to `today`."""

    terms: Terms
    policy: str
    first: date
    today: date


@dataclass(slots=True, kw_only=True)
class Sums:
    """Of all customers. `flows` by name; `months` what changed in each; the rest is what there is at the end."""

    flows: Counter[str] = field(default_factory=Counter)
    months: Counter[int] = field(default_factory=Counter)
    came: Counter[int] = field(default_factory=Counter)
    used: Counter[tuple[int, int]] = field(default_factory=Counter)
    gone: Counter[tuple[int, int]] = field(default_factory=Counter)
    left: Counter[tuple[int, int | None]] = field(default_factory=Counter)
    active: int = 0
    pending: int = 0
    owed: int = 0

    @property
    def cells(self) -> list[Cell]:
        """What lots of each month lost in each, as loyalty.breakage wants it."""
        keys = sorted({*self.used, *self.gone, *((month, month) for month in self.came)})
        return [
            Cell(
                active=active,
                month=month,
                came=self.came[active] if active == month else 0,
                used=self.used[active, month],
                expired=self.gone[active, month],
            )
            for active, month in keys
        ]

    @property
    def rest(self) -> list[Left]:
        return [Left(active=active, last=last, points=points) for (active, last), points in self.left.items()]


@dataclass(slots=True, kw_only=True)
class _Lot:
    order: int
    points: int
    active_on: date
    last: date  # FOR_EVER: it does not expire


class _Purse:
    """One customer's lots and debt while the facts go by."""

    def __init__(self, course: Course, sums: Sums) -> None:
        self.course, self.sums = course, sums
        self.lots: list[_Lot] = []
        self.debt = self.spent = 0

    def count(self, name: str, points: int, day: date, *, sign: int = 0) -> None:
        """`sign`: whether it changes what there is, and how."""
        if day >= self.course.first:
            self.sums.flows[name] += points
        if sign:
            self.sums.months[number_of(day)] += sign * points

    def settle(self, day: date) -> None:
        """What time has decided by the day: what became active pays the debt, what has had its last day goes."""
        for lot in sorted(self.lots, key=lambda one: one.active_on) if self.debt else ():
            if lot.active_on <= day:
                self.debt -= self.take(min(lot.points, self.debt), [lot], lot.active_on)
        for lot in self.lots:
            if lot.last < day:
                self.count("expired", lot.points, lot.last + DAY, sign=-1)
                self.sums.gone[number_of(lot.active_on), number_of(lot.last + DAY)] += lot.points
                lot.points = 0
        self.lots = [lot for lot in self.lots if lot.points]

    def take(self, wanted: int, lots: Iterable[_Lot], day: date) -> int:
        """Up to so many points out of these lots, in their order; how many there were."""
        taken = 0
        for lot in lots:
            part = min(lot.points, wanted - taken)
            if part > 0:
                lot.points -= part
                self.sums.used[number_of(lot.active_on), number_of(day)] += part
                taken += part
        return taken

    def to_spend(self, day: date) -> list[_Lot]:
        """Soonest-expiring first, then oldest: lots stand in the order in which they were earned."""
        return sorted((lot for lot in self.lots if lot.active_on <= day), key=lambda lot: lot.last)

    def earn(self, fact: Fact) -> None:
        terms, day = self.course.terms, fact.day
        active_on = fact.active_on or (day + (terms.pending_days + 1) * DAY if terms.pending_days else day)
        lot = _Lot(order=fact.order, points=fact.points, active_on=active_on, last=_last_day(terms, active_on))
        self.lots.append(lot)
        self.sums.came[number_of(active_on)] += fact.points
        self.count("earned" if fact.kind == Kind.ORDER else "given", fact.points, day, sign=1)
        if active_on <= day:
            self.debt -= self.take(min(lot.points, self.debt), [lot], day)

    def spend(self, fact: Fact) -> None:
        found = self.take(fact.points, self.to_spend(fact.day), fact.day)
        is_redeemed = fact.kind == Kind.SPEND
        self.spent += found if is_redeemed else 0
        self.count("redeemed" if is_redeemed else "taken", found, fact.day, sign=-1)
        if is_redeemed:
            self.count("missed", fact.points - found, fact.day)

    def refund(self, fact: Fact) -> None:
        """Out of the order's own lot, then of those that wait, then by the policy."""
        day, wanted = fact.day, fact.points
        own = [lot for lot in self.lots if lot.order == fact.order]
        waiting = sorted((lot for lot in self.lots if lot.active_on > day), key=lambda lot: lot.last)
        found = self.take(wanted, own, day)
        found += self.take(wanted - found, waiting, day)
        if self.course.policy != "only_pending":
            found += self.take(wanted - found, self.to_spend(day), day)
        if self.course.policy == "allow_negative":
            self.debt += wanted - found
            found = wanted
        self.count("taken_back", found, day, sign=-1)

    def extend(self, day: date) -> None:
        """Buying and redeeming keep all points, where they expire by inactivity."""
        if self.course.terms.kind == "inactivity":
            last = _last_day(self.course.terms, day)
            for lot in self.lots:
                lot.last = max(lot.last, last)

    def close(self) -> int:
        """What there is at the end goes into the sums; what the customer had of it all."""
        today = self.course.today
        self.settle(today)
        for lot in self.lots:
            last = None if lot.last == FOR_EVER else number_of(lot.last)
            self.sums.left[number_of(lot.active_on), last] += lot.points
        have = sum(lot.points for lot in self.lots)
        pending = sum(lot.points for lot in self.lots if lot.active_on > today)
        self.sums.active += have - pending
        self.sums.pending += pending
        self.sums.owed += self.debt
        return self.spent + have - self.debt


def play(facts: Sequence[Fact], *, course: Course, sums: Sums) -> int:
    """One customer's facts, added to `sums`; returns what they redeemed and have left, less what they owe."""
    purse = _Purse(course, sums)
    for fact in sorted(facts, key=lambda one: (one.day, one.kind)):
        purse.settle(fact.day)
        if fact.kind <= Kind.GIFT:
            purse.earn(fact)
        elif fact.kind == Kind.REFUND:
            purse.refund(fact)
        else:
            purse.spend(fact)
        if fact.is_activity:
            purse.extend(fact.day)
    return purse.close()


def _last_day(terms: Terms, active_on: date) -> date:
    return expiry.last_day(terms, active_on=active_on) or FOR_EVER
