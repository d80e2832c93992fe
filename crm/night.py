"""The night: its ordered steps, and how one begins. What the steps do stands in the apps; when, in crm.schedule."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from analytics import scores
from analytics.services import partitions, publishing, scoring, summaries, totals
from core import business, doorbell, engine, feed
from core.engine import Payload, Step
from core.models import Job, Run
from customers.models import Category
from customers.services import margins, memberships

# Part of what makes a night reproducible: raise it when the same facts would give other scores.
ENGINE_VERSION = "1"


class AnotherRunIsAtWork(Exception):
    """A night for another date is running; there is one at a time."""


@dataclass(frozen=True, slots=True)
class Start:
    """The run to see through, and whether it was made now (False: it is there already, or at work)."""

    run: Run
    is_new: bool


def _summarise(job: Job) -> Payload:
    run = _run(job)
    if run.is_past:
        done = summaries.build_past(run_id=run.pk, as_of=run.as_of)
    else:
        margins.apply_margin_rates(business_rate=business.current().margin_rate)
        totals.refresh()
        done = summaries.refresh(as_of=run.as_of)
    run.facts_xid = done.facts_xid
    run.save(update_fields=["facts_xid"])
    return {"rows": done.written}


def _assign_segments(job: Job) -> Payload:
    run = _run(job)
    wanted = (
        "SELECT customer_id, segment, previous_segment, segment_changed_on"
        f" FROM {partitions.table_of(run.pk)} WHERE segment > 0"
    )
    if not run.is_current:
        return {"rows": 0}
    named = {name.value: (name.slug, name.label) for name in scores.Name if name}
    return {"rows": memberships.assign(scheme="rfm", segments=named, wanted=wanted)}


def _run(job: Job) -> Run:
    return Run.objects.get(jobs=job)


def _plan_shards(run: Run) -> list[Payload]:
    return list(run.model["shards"])


STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step("summaries", _summarise),
        Step("fit", lambda job: scoring.fit(run=_run(job))),
        Step(
            "score",
            lambda job: scoring.score_shard(run=_run(job), first=job.payload["first"], last=job.payload["last"]),
            plan=_plan_shards,
        ),
        Step("index", lambda job: publishing.finish_table(run=_run(job))),
        Step("publish", lambda job: publishing.publish(run=_run(job), at=timezone.now())),
        Step("segments", _assign_segments, in_past=False),
        Step("tidy", lambda job: publishing.tidy(run=_run(job))),
    )
}


def settings_now() -> dict[str, Any]:
    """The settings that change scores, as they are now; kept in the run."""
    row = business.current()
    return {
        "engine": ENGINE_VERSION,
        "currency": row.currency,
        "time_zone": row.time_zone,
        "margin_rate": str(row.margin_rate),
        "discount_rate": str(row.discount_rate),
        "churn_horizon_days": row.churn_horizon_days,
        "category_margin_rates": {
            name: str(rate)
            for name, rate in Category.objects.filter(margin_rate__isnull=False)
            .order_by("name")
            .values_list("name", "margin_rate")
        },
    }


def start(*, as_of: date, at: datetime) -> Start:
    """Begin the night for a business date, or return the run that makes another one unnecessary.

    Raises AnotherRunIsAtWork while a night for another date runs.
    """
    feed.wait_until_readable()
    if (running := Run.objects.filter(state=Run.State.RUNNING).first()) is not None:
        return _joined(running, as_of)
    settings = settings_now()
    if (done := _unchanged(as_of=as_of, settings=settings)) is not None:
        return Start(run=done, is_new=False)
    try:
        return Start(run=_create(as_of=as_of, settings=settings, at=at), is_new=True)
    except IntegrityError:  # another process was faster
        return _joined(Run.objects.filter(as_of=as_of).order_by("-revision")[0], as_of)


def _joined(run: Run, as_of: date) -> Start:
    if run.as_of != as_of:
        raise AnotherRunIsAtWork(f"The night of {run.as_of} is at work; try again when it is done.")
    return Start(run=run, is_new=False)


def _unchanged(*, as_of: date, settings: dict[str, Any]) -> Run | None:
    """The last run for the date, if neither facts nor settings changed since."""
    last = Run.objects.filter(as_of=as_of, state=Run.State.DONE).order_by("-revision").first()
    if last is None or last.settings != settings or feed.newest() >= last.facts_xid:
        return None
    return last


@transaction.atomic
def _create(*, as_of: date, settings: dict[str, Any], at: datetime) -> Run:
    earlier = Run.objects.filter(as_of=as_of).order_by("-revision").values_list("revision", flat=True).first()
    current = Run.objects.filter(is_current=True).first()
    run = Run.objects.create(
        as_of=as_of,
        revision=(earlier or 0) + 1,
        settings=settings,
        is_past=current is not None and as_of < current.as_of,
        started_at=at,
    )
    engine.begin(run=run, steps=STEPS, at=at)
    return run


def due(*, at: datetime, hour: int) -> date | None:
    """The business date whose night is due at `at`: the day that ended, from `hour` on, while it has no run."""
    row = business.current()
    if at.astimezone(row.zone).hour < hour:
        return None
    day = business.last_complete_day(business=row, at=at)
    has_run = Run.objects.filter(as_of=day).exists() or Run.objects.filter(is_current=True, as_of__gt=day).exists()
    return None if has_run else day


def retry(*, job_id: int, at: datetime) -> None:
    """Try a failed job again. Only for the newest night: the tables of older ones are gone."""
    engine.retry(job_id=job_id, at=at)
    doorbell.ring("jobs")
