"""The engine that does jobs: claim a row, do the work and say "done" in one transaction, go on to the next step.

A worker that dies loses its transaction and with it the lock on its row; the sweeper hands such rows out again. Nothing
here knows what the steps do: the caller brings them (crm.night).
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from core import doorbell, stopping
from core.models import Job, Progress, Run

log = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 6
MAX_LOSSES: Final = 12  # workers that one job may cost: they are killed for other reasons, too
BACKOFF_SECONDS: Final = 2
LEASE: Final = timedelta(seconds=10)  # between a claim and the lock that the work holds
MOST_BELLS: Final = 8
HISTORY_KEPT: Final = 40  # more than a job can fail and lose workers before a person takes it up again, twice
POLL_SECONDS: Final = 0.05

Payload = dict[str, Any]


class CannotRetry(Exception):
    """The job does not wait for another try; the message says why."""


class Refused(Exception):
    """The work cannot be done, however often it is tried. The message is for people."""


class Stopped(Exception):
    """Somebody asked the job to stop. What it has done so far goes with its transaction."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run. `plan` cuts it into shards (one payload each), `work` does one shard and returns counts."""

    name: str
    work: Callable[[Job], Payload]
    plan: Callable[[Run], Sequence[Payload]] = lambda run: [{}]
    in_past: bool = True  # whether a run for a past date takes it, too
    beside: bool = False  # whether it is at work together with the step before it: neither needs the other


Steps = Mapping[str, Step]


def worker_name(pid: int | None = None) -> str:
    return f"{socket.gethostname()}:{pid or os.getpid()}"


def begin(*, run: Run, steps: Steps, at: datetime) -> None:
    """Write the jobs of the run's first step. Call it in the transaction that makes the run."""
    _enqueue(run=run, steps=_stages(run, steps)[0], at=at)


def enqueue(*, step: str, payload: Payload, total: int = 0, at: datetime, bell: str) -> Job:
    """A job without a run, which can be watched and stopped (core.progress). Workers hear it by `bell`."""
    job = Job.objects.create(step=step, payload=payload, total=total, ready_at=at)
    Progress.objects.create(job=job, total=total)
    doorbell.ring(bell)
    return job


def _enqueue(*, run: Run, steps: Sequence[Step], at: datetime) -> None:
    jobs = [
        Job(run=run, step=step.name, shard=shard, payload=payload, total=payload.get("rows", 0), ready_at=at)
        for step in steps
        for shard, payload in enumerate(step.plan(run))
    ]
    Job.objects.bulk_create(jobs)
    run.step = steps[0].name
    run.save(update_fields=["step"])
    doorbell.ring("jobs", times=min(len(jobs), MOST_BELLS))


def _stages(run: Run, steps: Steps) -> list[list[Step]]:
    """The run's steps in their order, those together that are at work side by side; a run says the first one's name."""
    stages: list[list[Step]] = []
    for step in steps.values():
        if run.is_past and not step.in_past:
            continue
        if step.beside:
            stages[-1].append(step)
        else:
            stages.append([step])
    return stages


@transaction.atomic
def claim(*, at: datetime, run_id: int | None = None, steps: Collection[str] | None = None) -> Job | None:
    """Take the job that has waited longest, or None. Two workers never take the same one; failed runs rest.

    With `steps`, only a job of one of these: long work has workers of its own, so that nights do not wait for it.
    """
    open_run = Q(run__isnull=True) | Q(run__state=Run.State.RUNNING)
    waiting = Job.objects.select_for_update(skip_locked=True, of=("self",)).filter(open_run)
    waiting = waiting.filter(state=Job.State.READY, ready_at__lte=at)
    if run_id is not None:
        waiting = waiting.filter(run_id=run_id)
    if steps is not None:
        waiting = waiting.filter(step__in=steps)
    job = waiting.order_by("ready_at", "id").first()
    if job is None:
        return None
    job.state, job.worker, job.claimed_at = Job.State.CLAIMED, worker_name(), at
    job.started_at, job.attempts = at, job.attempts + 1
    job.save(update_fields=["state", "worker", "claimed_at", "started_at", "attempts"])
    return job


def perform(*, job: Job, steps: Steps) -> bool:
    """Do a claimed job. False when it failed or when somebody else has it by now; the row says why."""
    try:
        with transaction.atomic():
            if not _hold(job):
                return False
            job.result = steps[job.step].work(job)
            job.state, job.done, job.error = Job.State.DONE, job.result.get("rows", job.total), ""
            job.total, job.finished_at = max(job.total, job.done), timezone.now()
            job.save(update_fields=["state", "done", "total", "result", "error", "finished_at"])
    except Stopped:
        _rest(job=job, at=timezone.now())
        return False
    except Refused as error:
        fail(job=job, error=error, at=timezone.now())
        return False
    except Exception as error:
        log.exception("job %s (%s) failed", job.pk, job.step)
        fail(job=job, error=error, at=timezone.now())
        return False
    return True


def _hold(job: Job) -> bool:
    """Lock the row of this very claim until the end of the transaction; False when it has passed to somebody else.

    Should we die, PostgreSQL looks after seconds whether anybody still waits for a long statement.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_connection_check_interval = '2s'")
    claimed = Job.objects.filter(pk=job.pk, state=Job.State.CLAIMED, attempts=job.attempts)
    return claimed.select_for_update(no_key=True).first() is not None


def _rest(*, job: Job, at: datetime) -> None:
    claimed = Job.objects.filter(pk=job.pk, state=Job.State.CLAIMED, attempts=job.attempts)
    claimed.update(state=Job.State.STOPPED, finished_at=at)


@transaction.atomic
def stop(*, job_id: int, at: datetime) -> None:
    """Ask a watched job to stop: one that waits rests at once, one that runs stops when it next says how far it is."""
    Progress.objects.filter(job_id=job_id, stop_asked_at=None).update(stop_asked_at=at)
    Job.objects.filter(pk=job_id, state=Job.State.READY).update(state=Job.State.STOPPED, finished_at=at)


@transaction.atomic
def fail(*, job: Job, error: Exception, at: datetime) -> None:
    """Note what went wrong; try again after a pause that doubles, or give up and fail the run."""
    claimed = Job.objects.filter(pk=job.pk, state=Job.State.CLAIMED, attempts=job.attempts)
    row = claimed.select_for_update().first()
    if row is None:
        return
    row.error = _reason(error)
    failures = row.attempts - row.losses
    pause = timedelta(seconds=BACKOFF_SECONDS**failures)
    _retry_or_bury(job=row, at=at, ready_at=at + pause, give_up=failures >= MAX_ATTEMPTS or isinstance(error, Refused))


def _reason(error: Exception) -> str:
    """The first line of what the error says, with its kind unless it is meant for people."""
    if isinstance(error, Refused):
        return str(error)
    kind, said = type(error).__name__, str(error).strip().splitlines()
    return f"{said[0]} ({kind})" if said else kind


def _retry_or_bury(*, job: Job, at: datetime, ready_at: datetime, give_up: bool) -> None:
    begun = job.started_at and job.started_at.isoformat()
    attempt = {
        "attempt": job.attempts,
        "worker": job.worker,
        "began": begun,
        "ended": at.isoformat(),
        "error": job.error,
    }
    job.history = [*job.history, attempt][-HISTORY_KEPT:]
    job.state, job.ready_at, job.finished_at = Job.State.READY, ready_at, None
    if give_up:
        job.state, job.finished_at = Job.State.DEAD, at
        if job.run_id is not None:
            _fail_run(job.run_id, error=f"The step “{job.step}” failed: {job.error}", at=at)
    job.save(update_fields=["state", "ready_at", "error", "losses", "history", "finished_at"])


def _fail_run(run_id: int, *, error: str, at: datetime) -> None:
    running = Run.objects.filter(pk=run_id, state=Run.State.RUNNING)
    running.update(state=Run.State.FAILED, error=error, finished_at=at)


@transaction.atomic
def release_stale(*, at: datetime) -> int:
    """Hand out again what a dead worker had claimed: claimed, past its lease, and nobody holds the row's lock."""
    stale = Job.objects.select_for_update(skip_locked=True).filter(state=Job.State.CLAIMED, claimed_at__lt=at - LEASE)
    return _release(stale, at=at)


@transaction.atomic
def give_back(*, workers: Sequence[str], at: datetime) -> int:
    """Hand out again at once what workers of ours had in hand when we ended them. Waits until their locks are gone."""
    theirs = Job.objects.select_for_update().filter(state=Job.State.CLAIMED, worker__in=workers)
    return _release(theirs, at=at)


def _release(claimed: QuerySet[Job], *, at: datetime) -> int:
    released = list(claimed.order_by("id")[:1000])
    for job in released:
        job.losses += 1
        job.error = f"The worker {job.worker} went away."
        _retry_or_bury(job=job, at=at, ready_at=at, give_up=job.losses >= MAX_LOSSES)
    if released:
        _ring(len(released))
    return len(released)


def advance(*, run_id: int, steps: Steps, at: datetime) -> bool:
    """Go on to the next step when every shard of this one is done. True when there was something to do."""
    run = Run.objects.get(pk=run_id)
    if run.state != Run.State.RUNNING or not _finished(run, steps):
        return False
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run_id)
        if locked.state != Run.State.RUNNING or locked.step != run.step:
            return False
        _go_on(run=locked, steps=steps, at=at)
    return True


def _finished(run: Run, steps: Steps) -> bool:
    names = {run.step, *(step.name for stage in _stages(run, steps) if stage[0].name == run.step for step in stage)}
    return not run.jobs.filter(step__in=names).exclude(state=Job.State.DONE).exists()


def _go_on(*, run: Run, steps: Steps, at: datetime) -> None:
    stages = _stages(run, steps)
    places = [stage[0].name for stage in stages]
    if run.step not in places:
        _fail_run(run.pk, error=f"This version knows no step “{run.step}”: start the night again.", at=at)
    elif run.step == places[-1]:
        Run.objects.filter(pk=run.pk).update(state=Run.State.DONE, finished_at=at)
    else:
        _enqueue(run=run, steps=stages[places.index(run.step) + 1], at=at)


def is_waiting(*, steps: Collection[str], at: datetime) -> bool:
    """Whether a job of one of these steps waits for a worker."""
    return Job.objects.filter(state=Job.State.READY, ready_at__lte=at, step__in=steps).exists()


def work_off(*, steps: Steps, seconds: float, run_id: int | None = None) -> int:
    """Do waiting jobs until there is none or the time is over; returns how many. What a Celery worker calls.

    A worker that is asked to stop finishes the job in hand and takes no other.
    """
    deadline, count = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and not stopping.begun():
        if (job := claim(at=timezone.now(), run_id=run_id, steps=steps)) is None:
            break
        _do(job, steps)
        count += 1
    return count


def _do(job: Job, steps: Steps) -> None:
    known = {"job_id": job.pk, "run_id": job.run_id, "step": job.step, "attempt": job.attempts}
    with structlog.contextvars.bound_contextvars(**known):
        perform(job=job, steps=steps)
        if job.run_id is not None:
            advance(run_id=job.run_id, steps=steps, at=timezone.now())


def sweep(*, steps: Steps, at: datetime) -> None:
    """The guarantee behind every doorbell: hand out what dead workers left, and go on with runs that stand still."""
    release_stale(at=at)
    for run_id in Run.objects.filter(state=Run.State.RUNNING).values_list("pk", flat=True):
        advance(run_id=run_id, steps=steps, at=at)


def drive(*, run_id: int, steps: Steps, watch: Callable[[Run], None] = lambda run: None) -> Run:
    """See a run through in this process, beside any other worker that takes its jobs. What `nightly` calls."""
    while True:
        worked = work_off(steps=steps, seconds=60, run_id=run_id)
        run = Run.objects.get(pk=run_id)
        watch(run)
        if run.state != Run.State.RUNNING:
            return run
        if not worked:
            sweep(steps=steps, at=timezone.now())
            time.sleep(POLL_SECONDS)


def retry(*, job_id: int, at: datetime) -> None:
    """Give a failed job, and all that failed in its run, another round of attempts. Raises CannotRetry."""
    with transaction.atomic():
        run_id = Job.objects.values_list("run_id", flat=True).get(pk=job_id)
        together = Q(pk=job_id) if run_id is None else Q(run_id=run_id)
        dead = Job.objects.select_for_update().filter(together, state=Job.State.DEAD).order_by("id")
        numbers = [job.pk for job in dead]
        if job_id not in numbers:
            raise CannotRetry("This job has not failed, so there is nothing to try again.")
        Job.objects.filter(pk__in=numbers).update(
            state=Job.State.READY, attempts=0, losses=0, ready_at=at, finished_at=None, started_at=None
        )
        Run.objects.filter(pk=run_id, state=Run.State.FAILED).update(
            state=Run.State.RUNNING, error="", finished_at=None
        )
        _ring(len(numbers))


def _ring(jobs: int) -> None:
    """For jobs of any kind: the workers that do long work hear it, too."""
    doorbell.ring("jobs", times=min(jobs, MOST_BELLS))
    doorbell.ring("long_jobs")
