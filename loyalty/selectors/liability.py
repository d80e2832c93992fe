"""What points came and went, by business days, and what is outstanding: sums by day, with what is newer than them.

A day is that of a posting's `at`: when it counts. What is posted late for an earlier day changes the sums of that day,
as it changes the statement of the customer. Every figure is a sum of postings, so it can be counted again at any time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max, Min

from core.models import Business
from loyalty.models import PointDay, Posting, Tally

Kind = Posting.Kind
# What the kinds of postings are called where points are added up, in the order of the statement.
FLOWS: Final[dict[str, tuple[str, ...]]] = {
    "earned": (Kind.EARN,),
    "redeemed": (Kind.REDEEM, Kind.COMMIT),
    "returned": (Kind.GIVE_BACK,),
    "reversed": (Kind.REVERSE,),
    "expired": (Kind.EXPIRE,),
    "adjusted": (Kind.ADJUST,),
}
FLOW_OF: Final = {kind: name for name, kinds in FLOWS.items() for kind in kinds}
UNITS: Final = ("day", "week", "month")
MOST_BUCKETS: Final = 200
MOST_NEWER: Final = 100_000  # numbers of postings that a page adds up by itself
MOST_DUE: Final = 20_000  # accounts

# Customers owe more by what a posting took from an account and not from a lot, less by what was paid with its points.
OF_DAYS: Final = """
SELECT (p.at AT TIME ZONE %(zone)s)::date AS day, p.kind, count(*) AS postings, sum(p.points) AS points,
    sum(p.pending_points) AS pending_points, sum(p.held_points) AS held_points,
    sum(coalesce(l.points, 0) - coalesce(a.points, 0) - p.points - p.pending_points) AS owed_points
FROM loyalty_posting p
LEFT JOIN (
    SELECT posting_id, sum(points) AS points FROM loyalty_lot
    WHERE posting_id > %(after)s AND posting_id <= %(upto)s GROUP BY posting_id
) l ON l.posting_id = p.id
LEFT JOIN (
    SELECT posting_id, sum(points) AS points FROM loyalty_allocation
    WHERE posting_id > %(after)s AND posting_id <= %(upto)s GROUP BY posting_id
) a ON a.posting_id = p.id
WHERE p.id > %(after)s AND p.id <= %(upto)s GROUP BY 1, 2
"""
# What time has decided and nobody has posted yet, as loyalty.services.settling would post it.
DUE: Final = """
WITH due AS (
    SELECT id, greatest(-balance, 0) AS debt FROM loyalty_account WHERE due_at <= %(at)s ORDER BY due_at LIMIT %(most)s
), turn AS (
    SELECT d.id AS account_id, d.debt, t.kind, t.at, l.points_left AS points
    FROM due d JOIN loyalty_lot l ON l.account_id = d.id AND l.state <> 'empty'
    CROSS JOIN LATERAL (VALUES ('activate', l.active_at), ('expire', l.expires_at)) AS t (kind, at)
    WHERE t.at <= %(at)s AND (t.kind = 'activate') <= (l.state = 'pending')
    UNION ALL
    SELECT d.id, d.debt, 'release', h.until, h.points
    FROM due d JOIN loyalty_hold h ON h.account_id = d.id AND h.state = 'open' AND h.until <= %(at)s
), paid AS (
    SELECT *, least(debt, upto) - least(debt, upto - points) AS pays FROM (
        SELECT *, sum(points) OVER (PARTITION BY account_id, kind = 'expire' ORDER BY at, kind ROWS UNBOUNDED PRECEDING)
            AS upto FROM turn
    ) AS counted
)
SELECT (at AT TIME ZONE %(zone)s)::date, kind, count(*), sum(CASE kind WHEN 'expire' THEN -points ELSE points END),
    sum(CASE kind WHEN 'activate' THEN -points ELSE 0 END), sum(CASE kind WHEN 'release' THEN -points ELSE 0 END),
    sum(CASE kind WHEN 'expire' THEN 0 ELSE -pays END)
FROM paid GROUP BY 1, 2
"""
KEPT: Final = """
SELECT CASE WHEN day < %(first)s THEN %(first)s::date - 1
        ELSE greatest(date_trunc(%(unit)s, day)::date, %(first)s) END AS part,
    kind, sum(postings), sum(points), sum(pending_points), sum(held_points), sum(owed_points)
FROM loyalty_pointday WHERE day <= %(last)s GROUP BY 1, 2
"""


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read within is of one moment: sums that grow meanwhile would be counted twice."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@dataclass(frozen=True, slots=True)
class Sum:
    """All postings of a kind on a day."""

    day: date
    kind: str
    postings: int
    points: int
    pending: int
    held: int
    owed: int


@dataclass(slots=True, kw_only=True)
class Totals:
    """What postings changed, or, from the first posting on, what there is. Points, signed."""

    flows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FLOWS, 0))
    activated: int = 0
    balance: int = 0
    pending: int = 0
    held: int = 0
    owed: int = 0

    def add(self, one: Sum) -> None:
        if (name := FLOW_OF.get(one.kind)) is not None:
            self.flows[name] += one.points + one.pending + one.held
        if one.kind == Kind.ACTIVATE:
            self.activated -= one.pending
        self.balance += one.points
        self.pending += one.pending
        self.held += one.held
        self.owed += one.owed

    def plus(self, other: "Totals") -> "Totals":
        return Totals(
            flows={name: points + other.flows[name] for name, points in self.flows.items()},
            activated=self.activated + other.activated,
            balance=self.balance + other.balance,
            pending=self.pending + other.pending,
            held=self.held + other.held,
            owed=self.owed + other.owed,
        )

    @property
    def net(self) -> int:
        """What the flows add up to: what customers have less what they owe."""
        return self.balance + self.pending + self.held

    @property
    def active(self) -> int:
        return self.balance + self.owed

    @property
    def outstanding(self) -> int:
        """What customers have: active, pending and on hold."""
        return self.net + self.owed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Some days of the period: what came and went, and what there was at their end."""

    first: date
    last: date
    change: Totals
    after: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A period. opening + change = closing, in each of their figures."""

    first: date
    last: date
    opening: Totals
    change: Totals
    closing: Totals
    buckets: Sequence[Bucket]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The sums as of a moment. `as_of` is None when everything is in them, else when they were last complete."""

    rows: Sequence[Sum]  # what is newer than the table, or not posted yet
    due_points: int  # that time has decided and nobody has posted
    as_of: datetime | None


def book(*, business: Business, at: datetime) -> Book:
    """What the table does not know yet. Where that is too much for a page, the sums are told as of when they are."""
    row = Tally.objects.filter(id=1, time_zone=business.time_zone).first()
    read = row.read_id if row else 0
    newest = Posting.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if newest - read > MOST_NEWER:
        return Book(rows=[], due_points=0, as_of=(row.read_at if row else None) or at)
    params = {"zone": business.time_zone, "at": at, "after": read, "upto": newest, "most": MOST_DUE}
    due = _sums(DUE, params)
    return Book(
        rows=[*_sums(OF_DAYS, params), *due],
        due_points=sum(abs(one.points) for one in due),
        as_of=None,
    )


def _sums(statement: str, params: dict[str, Any]) -> list[Sum]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [Sum(day, kind, *map(int, numbers)) for day, kind, *numbers in cursor.fetchall()]


def first_day(now: Book) -> date | None:
    """The first day for which anything was posted."""
    days = [one.day for one in now.rows]
    if (kept := PointDay.objects.aggregate(first=Min("day"))["first"]) is not None:
        days.append(kept)
    return min(days, default=None)


def course(now: Book, *, first: date, last: date, unit: str) -> Course:
    """The days from `first` to `last` in parts of a day, a week (from Monday on) or a month of the calendar."""
    return _course(_kept(first, last, unit), now.rows, first=first, last=last, unit=unit)


def _kept(first: date, last: date, unit: str) -> list[Sum]:
    """Sums of the table: before the period as of the day before, within it as of the first day of each part."""
    return _sums(KEPT, {"first": first, "last": last, "unit": unit})


def _course(kept: Iterable[Sum], newer: Iterable[Sum], *, first: date, last: date, unit: str) -> Course:
    opening, parts = Totals(), defaultdict[date, Totals](Totals)
    for one in [*kept, *newer]:
        if one.day < first:
            opening.add(one)
        elif one.day <= last:
            parts[max(begin_of(one.day, unit), first)].add(one)
    buckets, after, change = [], opening, Totals()
    for begin, end in spans(first, last, unit):
        after, change = after.plus(parts[begin]), change.plus(parts[begin])
        buckets.append(Bucket(first=begin, last=end, change=parts[begin], after=after))
    return Course(first=first, last=last, opening=opening, change=change, closing=after, buckets=buckets)


def begin_of(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def spans(first: date, last: date, unit: str) -> list[tuple[date, date]]:
    """The parts of a period, the first and the last of them cut off at its ends."""
    found, begin = [], first
    while begin <= last:
        longest = {"day": 1, "week": 7, "month": 32}[unit]
        after = begin_of(begin_of(begin, unit) + timedelta(days=longest), unit)
        found.append((begin, min(after - timedelta(days=1), last)))
        begin = after
    return found


def unit_for(first: date, last: date, asked: str) -> str:
    """The unit that is asked for, or the next larger one of which there are not too many."""
    days = (last - first).days + 1
    sizes = {"day": 1, "week": 7, "month": 30}
    fitting = [unit for unit in UNITS if days / sizes[unit] <= MOST_BUCKETS] or [UNITS[-1]]
    return asked if asked in fitting else fitting[0]
