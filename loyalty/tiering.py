"""Which tier a customer has: windows and periods in business days, what is reached, kept and lost.

Plain values only. Ranks count from 1 in the order of the thresholds; 0 is no tier. A value is what counts in a window:
points earned less those taken back, or money spent less refunds, each on its own day; never below zero, never the
balance. loyalty.selectors.tier_values decides the same for many customers in SQL.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

from loyalty.expiry import add_months

Kind = Literal["rolling", "year", "lifetime"]
SetBy = Literal["rules", "raised", "lowered"]
Reason = Literal["reached", "ended", "hand-ended"]

MONTHS: Final = 12
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """`thresholds` rise; the first one belongs to rank 1."""

    window: Kind
    thresholds: Sequence[int]
    grace_days: int = 0
    by_step: bool = True  # one tier down, instead of down to what was earned


class Span(NamedTuple):
    """Days that count, both ends included; `first` is None for the beginning of time."""

    first: date | None
    last: date


class Stand(NamedTuple):
    """Where somebody stands. `ends_on` closes the period, `until` is the last day on which the tier is kept."""

    rank: int
    ends_on: date | None = None
    until: date | None = None
    set_by: SetBy = "rules"


class Decision(NamedTuple):
    """Where somebody stands from now on, and why it differs; no reason when the rank is as before."""

    stand: Stand
    reason: Reason | None = None


class Progress(NamedTuple):
    """What is missing until the next tier is reached, or the present one is kept, and the last day for it if any."""

    value: int
    next_rank: int | None
    next_missing: int
    next_by: date | None
    keep_missing: int
    keep_by: date | None


def window(kind: Kind, day: date) -> Span:
    """What counts on `day`: the 12 months that end with it, its calendar year, or everything before.

    On the last day of a period it is what counts for that period.
    """
    if kind == "rolling":
        return Span(add_months(day + ONE_DAY, -MONTHS), day)
    return Span(date(day.year, 1, 1) if kind == "year" else None, day)


def period_end(kind: Kind, begun: date) -> date | None:
    """The last day of the period of a tier that was reached or kept on `begun`; None: it does not end."""
    if kind == "rolling":
        return add_months(begun, MONTHS) - ONE_DAY
    return date(begun.year, 12, 31) if kind == "year" else None


def rank_for(thresholds: Sequence[int], value: int) -> int:
    """The highest rank whose threshold is reached."""
    return bisect_right(thresholds, value)


def begin(rules: Rules, rank: int, day: date) -> Stand:
    """A fresh period from `day` on. Nobody loses having no tier."""
    ends_on = period_end(rules.window, day) if rank else None
    return Stand(rank, ends_on, None if ends_on is None else ends_on + timedelta(days=rules.grace_days))


def decide(
    rules: Rules, stand: Stand | None, *, today: date, value_now: int, value_then: int = 0, has_facts: bool = True
) -> Decision | None:
    """What time and `value_now` (of today's window) have decided; None for somebody who takes no part.

    `value_then` is that of the window of the period that ended, if one did.
    """
    if stand is None:
        rank = rank_for(rules.thresholds, value_now) if has_facts else 0
        return Decision(begin(rules, rank, today), "reached") if rank else None
    reached, then = (rank_for(rules.thresholds, value) for value in (value_now, value_then))
    if stand.set_by != "rules":
        return _decide_by_hand(rules, stand, today=today, reached=reached, then=then)
    if reached > stand.rank:
        return Decision(begin(rules, reached, today), "reached")
    if stand.ends_on is None or stand.until is None or stand.ends_on >= today:
        return Decision(stand)
    return _close(rules, stand, stand.ends_on, stand.until, today=today, reached=reached, then=then)


def _decide_by_hand(rules: Rules, stand: Stand, *, today: date, reached: int, then: int) -> Decision:
    """A tier by hand holds until its end; whoever was raised still rises, whoever was lowered does not."""
    if stand.until is not None and stand.until < today:
        rank = max(reached, then)
        return Decision(begin(rules, rank, today), None if rank == stand.rank else "hand-ended")
    if stand.set_by == "raised" and reached > stand.rank:
        return Decision(begin(rules, reached, today), "reached")
    return Decision(stand)


def _close(rules: Rules, stand: Stand, ends_on: date, until: date, *, today: date, reached: int, then: int) -> Decision:
    """The period is over: the tier is kept for another one, rests in its days of grace, or is lost."""
    if then >= stand.rank:
        return Decision(begin(rules, stand.rank, ends_on + ONE_DAY))
    if reached >= stand.rank:
        return Decision(begin(rules, stand.rank, today))
    if until >= today:
        return Decision(stand)
    earned = max(reached, then)
    rank = max(earned, stand.rank - 1) if rules.by_step else earned
    return Decision(begin(rules, rank, today), "ended")


def progress(
    rules: Rules, stand: Stand | None, *, today: date, value_now: int, value_kept: int, oldest: date | None
) -> Progress:
    """What is missing to the next tier, and to keep the present one.

    `value_kept` is what counts so far in the window of the present period; `oldest` the first day of today's window on
    which something was earned: with a rolling window it is the first to drop out.
    """
    rank = 0 if stand is None else stand.rank
    is_top = rank >= len(rules.thresholds)
    next_missing = 0 if is_top else max(rules.thresholds[rank] - value_now, 0)
    keep_missing, keep_by = _to_keep(rules, stand, today=today, value_now=value_now, value_kept=value_kept)
    return Progress(
        value=value_now,
        next_rank=None if is_top else rank + 1,
        next_missing=next_missing,
        next_by=None if is_top else _last_day(rules.window, today=today, oldest=oldest),
        keep_missing=keep_missing,
        keep_by=keep_by,
    )


def _to_keep(
    rules: Rules, stand: Stand | None, *, today: date, value_now: int, value_kept: int
) -> tuple[int, date | None]:
    """In the days of grace only what is reached anew keeps the tier."""
    if stand is None or not stand.rank or stand.ends_on is None or stand.set_by == "lowered":
        return 0, None
    threshold = rules.thresholds[stand.rank - 1]
    if today <= stand.ends_on:
        return max(threshold - value_kept, 0), stand.ends_on
    return max(threshold - max(value_now, value_kept), 0), stand.until


def _last_day(kind: Kind, *, today: date, oldest: date | None) -> date | None:
    """Until when what was earned so far still counts in full."""
    if kind == "year":
        return date(today.year, 12, 31)
    return add_months(oldest, MONTHS) - ONE_DAY if kind == "rolling" and oldest else None
