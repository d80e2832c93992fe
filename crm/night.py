"""The night: its ordered steps, and how one begins. What the steps do stands in the apps; when, in crm.schedule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from analytics.services import (
    assigning,
    baskets,
    choices,
    cohorts,
    contract_values,
    partitions,
    period_counts,
    profit,
    publishing,
    scoring,
    summaries,
    totals,
)
from core import business, engine, feed
from core.engine import CannotRetry, Payload, Step
from core.models import Job, Run
from customers.models import COUNTED, Category
from customers.services import margins, spend
from loyalty.services import birthdays, expiring, midnight, tallying, tiers
from loyalty.services.tiers import Moved

__all__ = ["STEPS", "AnotherRunIsAtWork", "CannotRetry", "Start", "due", "missed", "retry", "start", "start_if_due"]

# Part of what makes a night reproducible: raise it when the same facts would give other scores.
ENGINE_VERSION = "5"


class AnotherRunIsAtWork(Exception):
    """A night for another date is running; there is one at a time."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"The night of {run.as_of} is at work; try again when it is done.")
        self.run = run


@dataclass(frozen=True, slots=True)
class Start:
    """The run to see through, and whether it was made now (False: it is there already, or at work)."""

    run: Run
    is_new: bool


def _apply_margins(job: Job) -> Payload:
    """In a transaction of its own: the summaries read what other transactions have written."""
    return {"rows": margins.apply_margin_rates(business_rate=business.current().margin_rate)}


def _add_up_days(job: Job) -> Payload:
    feed.wait_until_readable()
    return {"rows": totals.refresh()}


def _summarise(job: Job) -> Payload:
    run = _run(job)
    feed.wait_until_readable()
    past = run.is_past
    done = summaries.build_past(run_id=run.pk, as_of=run.as_of) if past else summaries.refresh(as_of=run.as_of)
    run.facts_xid = done.facts_xid
    run.save(update_fields=["facts_xid"])
    return {"rows": done.written}


def _fill_baskets(job: Job) -> Payload:
    run = _run(job)
    feed.wait_until_readable()
    if run.is_past:
        return {"rows": baskets.build_past(run_id=run.pk, as_of=run.as_of)}
    return {"rows": baskets.refresh(as_of=run.as_of)}


def _count_profit(job: Job) -> Payload:
    run = _run(job)
    units = profit.UnitCosts.of(run.settings)
    if run.is_past:
        written = profit.build_past(run_id=run.pk, as_of=run.as_of, units=units)
    else:
        written = profit.refresh(as_of=run.as_of, units=units)
    return {"rows": written, "other_cents": profit.other_cents(run)}


def _count_periods(job: Job) -> Payload:
    run = _run(job)
    days = int(run.settings["churn_horizon_days"])
    return {"rows": period_counts.refresh(as_of=run.as_of, active_days=days, is_past=run.is_past)}


def _assign_segments(job: Job) -> Payload:
    return {"rows": assigning.assign(run=_run(job), first=job.payload["first"], last=job.payload["last"])}


def _tidy(job: Job) -> Payload:
    run = _run(job)
    if not run.is_past:
        assigning.settle(run=run)
    return publishing.tidy(run=run)


def _midnight(job: Job, work: Callable[..., int]) -> Payload:
    return {"rows": work(as_of=_run(job).as_of, business=business.current(), at=timezone.now())}


def _tiers(step: Callable[..., Moved]) -> int:
    return step(business=business.current(), at=timezone.now()).written


def _look_after_members() -> Payload:
    """Who is about to lose a tier is told, and whose birthday it is gets something."""
    at = timezone.now()
    return {"rows": birthdays.give(at=at), "warned": tiers.tell_ending(business=business.current(), at=at)}


def _count_points() -> Payload:
    return {"rows": tallying.look(business=business.current(), at=timezone.now())}


def _run(job: Job) -> Run:
    return Run.objects.get(jobs=job)


STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        # Midnight, in this order (loyalty.services.midnight): a night for a past date decides nothing.
        Step("points_active", lambda job: _midnight(job, midnight.activate), in_past=False),
        Step("tiers_end", lambda job: {"rows": _tiers(tiers.expire)}, in_past=False),
        Step("tiers_begin", lambda job: {"rows": _tiers(tiers.begin_periods)}, in_past=False),
        Step("points_expire", lambda job: _midnight(job, midnight.expire), in_past=False),
        Step("points_expiring", lambda job: _midnight(job, expiring.tell), in_past=False),
        Step("points_left", lambda job: _count_points(), in_past=False, beside=True),
        Step("members", lambda job: _look_after_members(), in_past=False),
        Step("margins", _apply_margins),
        Step("totals", _add_up_days),
        Step("summaries", _summarise),
        Step("baskets", _fill_baskets, beside=True),
        Step("contracts", lambda job: contract_values.refresh(run=_run(job)), beside=True),
        Step("choice", lambda job: choices.look_back(run=_run(job))),
        Step("fit", lambda job: scoring.fit(run=_run(job))),
        Step("profit", _count_profit, beside=True),
        Step("cohorts", lambda job: {"rows": cohorts.refresh(as_of=_run(job).as_of)}, in_past=False, beside=True),
        Step("periods", _count_periods, beside=True),
        Step("costs", lambda job: profit.join(run=_run(job))),
        Step(
            "score",
            lambda job: scoring.score_shard(run=_run(job), first=job.payload["first"], last=job.payload["last"]),
            plan=scoring.shards,
        ),
        Step("index", lambda job: publishing.index(run=_run(job), **job.payload), plan=publishing.parts),
        Step("moves", lambda job: {"rows": assigning.find(run=_run(job))}, in_past=False, beside=True),
        Step("publish", lambda job: publishing.publish(run=_run(job), at=timezone.now())),
        Step("segments", _assign_segments, plan=assigning.parts, in_past=False),
        Step("segment_points", lambda job: {"rows": midnight.welcome(at=timezone.now())}, in_past=False),
        Step("tidy", _tidy),
    )
}


def settings_now() -> dict[str, Any]:
    """The settings that change scores, as they are now; kept in the run."""
    row = business.current()
    rates = Category.objects.filter(margin_rate__isnull=False).order_by("name").values_list("name", "margin_rate")
    return {
        "engine": ENGINE_VERSION,
        "currency": row.currency,
        "time_zone": row.time_zone,
        "margin_rate": _plain(row.margin_rate),
        "discount_rate": _plain(row.discount_rate),
        "churn_horizon_days": row.churn_horizon_days,
        "unit_costs": {kind: _plain(cents) for kind, cents in spend.unit_costs().items() if kind in COUNTED},
        "category_margin_rates": {name: _plain(rate) for name, rate in rates if rate is not None},
    }


def _plain(rate: Decimal) -> str:
    """The same text for the same number, whether it comes from the database or is a default: 0.4 and not 0.4000."""
    return f"{rate.normalize():f}"


def start(*, as_of: date, at: datetime) -> Start:
    """Begin the night for a business date, or return the run that makes another one unnecessary.

    Raises AnotherRunIsAtWork while a night for another date runs.
    """
    if (running := _at_work()) is not None:
        return _joined(running, as_of)
    settings = settings_now()
    if (done := _unchanged(as_of=as_of, settings=settings)) is not None:
        return Start(run=done, is_new=False)
    last = Run.objects.filter(as_of=as_of).order_by("-revision").values_list("revision", flat=True).first()
    try:
        return Start(run=_create(as_of=as_of, revision=(last or 0) + 1, settings=settings, at=at), is_new=True)
    except IntegrityError:  # another process was faster: its run is at work, or done by now
        return _joined(_at_work() or Run.objects.order_by("-started_at", "-pk")[0], as_of)


def start_if_due(*, at: datetime, hour: int) -> Start | None:
    """What the beat asks again and again: begin the night that is due. Only the first to ask gets one."""
    if (day := due(at=at, hour=hour)) is None:
        return None
    try:
        return Start(run=_create(as_of=day, revision=1, settings=settings_now(), at=at), is_new=True)
    except IntegrityError:  # it has begun meanwhile, or another night is at work: then the next question is in time
        return None


def _at_work() -> Run | None:
    return Run.objects.filter(state=Run.State.RUNNING).first()


def _joined(run: Run, as_of: date) -> Start:
    if run.as_of != as_of:
        raise AnotherRunIsAtWork(run)
    return Start(run=run, is_new=False)


def _unchanged(*, as_of: date, settings: dict[str, Any]) -> Run | None:
    """The last run for the date, if its scores are kept and neither facts nor settings changed since."""
    last = Run.objects.filter(as_of=as_of, state=Run.State.DONE).order_by("-revision").first()
    if last is None or last.settings != settings or last.pk not in partitions.kept():
        return None
    return None if feed.is_foreign(last.facts_xid) or feed.newest() >= last.facts_xid else last


@transaction.atomic
def _create(*, as_of: date, revision: int, settings: dict[str, Any], at: datetime) -> Run:
    current = Run.objects.filter(is_current=True).first()
    run = Run.objects.create(
        as_of=as_of,
        revision=revision,
        settings=settings,
        is_past=current is not None and as_of < current.as_of,
        started_at=at,
    )
    engine.begin(run=run, steps=STEPS, at=at)
    return run


def due(*, at: datetime, hour: int) -> date | None:
    """The business date whose night is due at `at`: the oldest one that was missed, whatever the hour, else the day
    that ended, from `hour` on, while it has no run.
    """
    row = business.current()
    day = business.last_complete_day(business=row, at=at)
    if gaps := missed(before=day):
        return gaps[0]
    if at.astimezone(row.zone).hour < hour:
        return None
    has_run = Run.objects.filter(as_of=day).exists() or Run.objects.filter(is_current=True, as_of__gt=day).exists()
    return None if has_run else day


def missed(*, before: date) -> list[date]:
    """The business dates between the current night and `before` that have no night, oldest first.

    They are made up in their order, so that each customer's change of segment gets the day it belongs to. A shop that
    was away for longer than scores are kept begins anew, with a gap in its history.
    """
    current = Run.objects.filter(is_current=True).values_list("as_of", flat=True).first()
    if current is None or (before - current).days > publishing.KEEP_NIGHTS:
        return []
    taken = set(Run.objects.filter(as_of__gt=current, as_of__lt=before).values_list("as_of", flat=True))
    between = (current + timedelta(days=number) for number in range(1, (before - current).days))
    return [day for day in between if day not in taken]


def retry(*, job_id: int, at: datetime) -> None:
    """Try a failed job again. Raises CannotRetry for any night but the newest: the tables of older ones are gone."""
    run = Run.objects.filter(jobs=job_id).first()
    if run is not None:
        _check_retry(run)
    try:
        engine.retry(job_id=job_id, at=at)
    except IntegrityError as error:
        raise CannotRetry("Another night is at work; try again when it is done.") from error


def _check_retry(run: Run) -> None:
    newest = Run.objects.order_by("-started_at", "-pk")[0]
    if newest.pk != run.pk:
        raise CannotRetry(f"The night of {newest.as_of} began after this one. Start a new night instead.")
    if not scoring.tables_are_kept(run):
        raise CannotRetry(f"What the night of {run.as_of} had worked out is gone. Start a new night instead.")
