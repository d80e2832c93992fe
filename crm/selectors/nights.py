"""Which night the pages show, and how the last one went."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from analytics.selectors.nights import before, current, since
from core import business, failures
from core.models import Business, Job, Run
from crm import labels, night

__all__ = ["before", "current", "since"]  # what pages of the desk ask here

RUNS_SHOWN: Final = 20


def is_behind_settings() -> bool:
    """Whether the scores that pages show were made under other settings than those of now."""
    run = current()
    return run is not None and run.settings != night.settings_now()


def latest() -> Run | None:
    """The run that began last, whatever became of it."""
    return Run.objects.order_by("-started_at", "-pk").first()


def recent() -> QuerySet[Run]:
    return Run.objects.defer("model").order_by("-started_at", "-pk")[:RUNS_SHOWN]


@dataclass(frozen=True, kw_only=True)
class StepState:
    """One step of a run, its shards added up."""

    name: str
    label: str
    state: str
    shards: int
    done: int
    rows: int
    attempts: int
    seconds: float | None

    @property
    def percent(self) -> int:
        return 100 * self.done // self.shards if self.shards else 0


def steps(run: Run) -> list[StepState]:
    """Every step in its order; those that have not begun are waiting."""
    job = Job.State
    counted = run.jobs.values("step").annotate(
        shards=Count("pk"),
        finished=Count("pk", filter=Q(state=job.DONE)),
        dead=Count("pk", filter=Q(state=job.DEAD)),
        claimed=Count("pk", filter=Q(state=job.CLAIMED)),
        rows=Sum("done"),
        tries=Max("attempts"),
        begun=Min("started_at"),
        ended=Max("finished_at"),
    )
    found = {row["step"]: row for row in counted.order_by()}
    return [_step(name, found.get(name)) for name in _names(run, found)]


def _names(run: Run, found: Iterable[str]) -> list[str]:
    planned = [name for name, step in night.STEPS.items() if step.in_past or not run.is_past]
    return planned + [name for name in found if name not in planned]


def _step(name: str, row: dict[str, Any] | None) -> StepState:
    if row is None:
        return StepState(
            name=name, label=labels.step(name), state="waiting", shards=0, done=0, rows=0, attempts=0, seconds=None
        )
    complete = row["finished"] == row["shards"]
    spent = (row["ended"] - row["begun"]).total_seconds() if complete and row["begun"] and row["ended"] else None
    state = "done" if complete else "dead" if row["dead"] else "running" if row["claimed"] else "waiting"
    return StepState(
        name=name,
        label=labels.step(name),
        state=state,
        shards=row["shards"],
        done=row["finished"],
        rows=row["rows"] or 0,
        attempts=row["tries"],
        seconds=spent,
    )


def percent(found: list[StepState]) -> int:
    """How much of a run is done: each step counts the same, a step by its shards."""
    return sum(step.percent for step in found) // len(found) if found else 0


def troubled(run: Run) -> QuerySet[Job]:
    """Jobs of the run that failed or had to be tried again, the failed ones first."""
    return run.jobs.exclude(error="").order_by("-state", "step", "shard")[:50]


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the pages say of the nights: the one shown, the last one, and whether one is missing."""

    shown: Run | None
    last: Run | None
    steps: list[StepState]
    due: date  # the business date that is complete

    @property
    def running(self) -> bool:
        return self.last is not None and self.last.state == Run.State.RUNNING

    @property
    def reason(self) -> failures.Reason:
        """Why the last night failed, in plain words."""
        return failures.reason(self.last.error if self.last else "")

    @property
    def failed(self) -> bool:
        return self.last is not None and self.last.state == Run.State.FAILED

    @property
    def percent(self) -> int:
        return percent(self.steps)

    @property
    def step_label(self) -> str:
        return labels.step(self.last.step) if self.last else ""

    @property
    def days_behind(self) -> int:
        """Complete business days that the shown night does not know."""
        return max(0, (self.due - self.shown.as_of).days) if self.shown else 0


def status(*, row: Business, at: datetime) -> Status:
    last = latest()
    shown = last if last is not None and last.is_current else current()
    running = last is not None and last.state == Run.State.RUNNING
    return Status(
        shown=shown,
        last=last,
        steps=steps(last) if running and last else [],
        due=business.last_complete_day(business=row, at=at),
    )


def period_start(day: date, days: int) -> date:
    """The first of `days` days that end with `day`."""
    return day - timedelta(days=days - 1)
