"""When points become active and when they expire. Plain values in and out; days are the business's.

Points live through whole days: they end at the midnight after their last day, so that `expires_at` is the first moment
at which they are gone. The clock starts on the day on which they become active.
"""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`kind` is never, months, date or inactivity; `period` is day, month, quarter or year.

    `months` is the life of points, with `date` the least life before the day of the year, or of inactivity.
    """

    zone: ZoneInfo
    pending_days: int = 0
    kind: str = "never"
    months: int = 12
    period: str = "day"
    month: int = 12
    day: int = 31

    @property
    def at_once(self) -> "Terms":
        """The same for points that nothing can come back for."""
        return replace(self, pending_days=0)


def add_months(day: date, months: int) -> date:
    """The same day some months later, or the last of that month: 31 January + 1 is the last of February."""
    number = day.year * 12 + day.month - 1 + months
    return on_day(number // 12, number % 12 + 1, day.day)


def on_day(year: int, month: int, day: int) -> date:
    """The day of the month, or its last one."""
    return date(year, month, min(day, monthrange(year, month)[1]))


def period_end(day: date, period: str) -> date:
    """The last day of the month, quarter or year that the day lies in; the day itself where nothing is rounded."""
    if period == "day":
        return day
    length = {"month": 1, "quarter": 3, "year": 12}[period]
    return on_day(day.year, (day.month - 1) // length * length + length, 31)


def midnight_after(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which the day is over, in UTC: the first midnight, or the jump of the clocks over it."""
    return datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)


def active_at(terms: Terms, *, earned_on: date, at: datetime) -> datetime:
    """When points that were earned on a day become active: after the return window, but not before they are posted."""
    if not terms.pending_days:
        return at
    return max(midnight_after(earned_on + timedelta(days=terms.pending_days), terms.zone), at)


def last_day(terms: Terms, *, active_on: date) -> date | None:
    """The last day on which points that became active on a day can be spent; None: they never expire."""
    if terms.kind == "never":
        return None
    least = add_months(active_on, terms.months)
    if terms.kind == "months":
        return period_end(least, terms.period)
    if terms.kind == "inactivity":
        return least
    this_year = on_day(least.year, terms.month, terms.day)
    return this_year if this_year >= least else on_day(least.year + 1, terms.month, terms.day)


def end_of(terms: Terms, *, active_on: date) -> datetime | None:
    """The first moment at which points that became active on a day are gone; None: never."""
    last = last_day(terms, active_on=active_on)
    return None if last is None else midnight_after(last, terms.zone)


def expires_at(terms: Terms, *, active_at: datetime) -> datetime | None:
    """The same for points that become active at a moment."""
    return end_of(terms, active_on=active_at.astimezone(terms.zone).date())


def after_activity(terms: Terms, *, at: datetime) -> datetime | None:
    """Where the end of all points of a customer moves to who earned or spent something; None: it stays."""
    return expires_at(terms, active_at=at) if terms.kind == "inactivity" else None
