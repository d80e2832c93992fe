"""Which alerts should be open, judged from plain facts. Pure: the facts come from crm.selectors.watching."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from core.alerts import Cause
from core.models import Alert

LATE_HOURS: Final = 3  # after the hour of the night
AWAKE: Final = timedelta(hours=1)  # what a machine that slept gets to catch up before a night is called late
FEWEST_ARRIVALS: Final = 5
SHORTEST_SPAN: Final = timedelta(days=14)  # of arrivals from which a pace is read
PATIENCE: Final = 3  # times the usual gap
LEAST_DAYS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Night:
    run: int
    as_of: date
    state: str  # a Run.State
    is_past: bool = False
    why: str = ""  # a code of core.failures
    job: int | None = None  # the one that failed


@dataclass(frozen=True, kw_only=True)
class DeadJob:
    job: int
    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the judgement rests on. `at` is in the business's zone; `due` is the last complete business date."""

    at: datetime
    due: date
    night_hour: int
    awake_since: datetime
    shown: date | None = None  # the date of the current night
    last: Night | None = None  # the night that began last
    dead: Sequence[DeadJob] = ()
    tried_again: frozenset[int] = frozenset()  # jobs that wait or work
    arrivals: Sequence[date] = ()  # business dates with new facts, oldest first
    known: frozenset[str] = frozenset()  # keys of the alerts that are open


@dataclass(frozen=True, kw_only=True)
class Verdict:
    causes: list[Cause]
    held: frozenset[str] = field(default_factory=frozenset)  # neither opened nor closed: it is being tried again


def judge(facts: Facts) -> Verdict:
    causes = [*_failed(facts), *_late(facts), *_stale(facts), *_dead(facts)]
    return Verdict(causes=causes, held=frozenset(key for key in facts.known if _is_held(key, facts)))


def _is_held(key: str, facts: Facts) -> bool:
    kind, _, rest = key.partition(":")
    if kind == Alert.Kind.NIGHT_FAILED:
        return facts.last is not None and facts.last.state == "running"
    return kind == Alert.Kind.JOB_DEAD and int(rest) in facts.tried_again


def _failed(facts: Facts) -> list[Cause]:
    """The last night failed. One for a past date does not: whoever started it is told."""
    night = facts.last
    if night is None or night.state != "failed" or night.is_past:
        return []
    known = {"as_of": night.as_of.isoformat(), "run": night.run, "why": night.why, "job": night.job}
    return [Cause(f"{Alert.Kind.NIGHT_FAILED}:{night.as_of}", Alert.Kind.NIGHT_FAILED, known)]


def _late(facts: Facts) -> list[Cause]:
    """A date should have been published by now, the machine was awake for long enough, and no failure explains it."""
    expected = facts.due if facts.at.hour >= facts.night_hour + LATE_HOURS else facts.due - timedelta(days=1)
    behind = (expected - facts.shown).days if facts.shown else 1
    if behind <= 0 or facts.at - facts.awake_since < AWAKE or _failed(facts) or _is_tried_again(facts):
        return []
    missing = facts.shown + timedelta(days=1) if facts.shown else expected
    known = {
        "as_of": missing.isoformat(),
        "shown": facts.shown.isoformat() if facts.shown else None,
        "behind": behind,
    }
    return [Cause(f"{Alert.Kind.NIGHT_LATE}:{missing if facts.shown else 'first'}", Alert.Kind.NIGHT_LATE, known)]


def _is_tried_again(facts: Facts) -> bool:
    return any(key.startswith(f"{Alert.Kind.NIGHT_FAILED}:") and _is_held(key, facts) for key in facts.known)


def _stale(facts: Facts) -> list[Cause]:
    """No new facts for longer than the shop's own pace; a shop without a pace has nothing to be late for."""
    if (usual := usual_gap(facts.arrivals)) is None:
        return []
    last, today = facts.arrivals[-1], facts.at.date()
    age = (today - last).days
    if age <= max(LEAST_DAYS, PATIENCE * usual):
        return []
    known = {"last_on": last.isoformat(), "age_days": age, "usual_days": usual}
    return [Cause(f"{Alert.Kind.FACTS_STALE}:{last}", Alert.Kind.FACTS_STALE, known)]


def usual_gap(arrivals: Sequence[date]) -> int | None:
    """The days that usually lie between arrivals; None when they are too few or too close to tell."""
    if len(arrivals) < FEWEST_ARRIVALS or arrivals[-1] - arrivals[0] < SHORTEST_SPAN:
        return None
    gaps = [(later - earlier).days for earlier, later in pairwise(arrivals)]
    return max(1, round(median(gaps)))


def _dead(facts: Facts) -> list[Cause]:
    return [
        Cause(
            f"{Alert.Kind.JOB_DEAD}:{dead.job}",
            Alert.Kind.JOB_DEAD,
            {"job": dead.job, "name": dead.name, "why": dead.why},
        )
        for dead in facts.dead
    ]
