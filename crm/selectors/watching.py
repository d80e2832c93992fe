"""The facts that alerts are judged by (crm.watching)."""

from datetime import datetime, timedelta
from typing import Final

from core import business, failures
from core.models import Alert, Arrival, Job, Run
from crm import labels, schedule, watching
from crm.selectors import nights
from customers.models import Upload

DEAD_FOR: Final = timedelta(days=30)  # a job that nobody wanted again for so long is history
ARRIVALS_READ: Final = timedelta(days=120)
MOST_DEAD: Final = 50


def facts(*, at: datetime, awake_since: datetime) -> watching.Facts:
    row = business.current()
    local = at.astimezone(row.zone)
    shown, last = nights.current(), nights.latest()
    since = local.date() - ARRIVALS_READ
    return watching.Facts(
        at=local,
        due=business.last_complete_day(business=row, at=at),
        night_hour=schedule.NIGHT_HOUR,
        awake_since=awake_since,
        shown=shown.as_of if shown else None,
        last=_night(last) if last else None,
        dead=_dead(at),
        tried_again=_tried_again(),
        arrivals=list(Arrival.objects.filter(day__gte=since).order_by("day").values_list("day", flat=True)),
        known=frozenset(Alert.objects.filter(closed_at=None).values_list("key", flat=True)),
    )


def _night(run: Run) -> watching.Night:
    dead = None
    if run.state == Run.State.FAILED:
        dead = run.jobs.filter(state=Job.State.DEAD).order_by("pk").first()
    why = failures.reason(dead.error if dead else run.error).code
    return watching.Night(
        run=run.pk, as_of=run.as_of, state=run.state, is_past=run.is_past, why=why, job=dead.pk if dead else None
    )


def _dead(at: datetime) -> list[watching.DeadJob]:
    rows = Job.objects.filter(run=None, state=Job.State.DEAD, finished_at__gte=at - DEAD_FOR).order_by("-pk")
    rows = rows.exclude(step=Upload.CHECK)  # somebody sits in front of it and sees what is wrong with the file
    return [
        watching.DeadJob(job=job.pk, name=str(labels.step(job.step)), why=failures.reason(job.error).code)
        for job in rows[:MOST_DEAD]
    ]


def _tried_again() -> frozenset[int]:
    open_states = (Job.State.READY, Job.State.CLAIMED)
    return frozenset(Job.objects.filter(run=None, state__in=open_states).values_list("pk", flat=True)[:1000])
