"""Tasks answer doorbells: they look into the rows and call one service. They may run twice and come late."""

from celery import shared_task
from django.utils import timezone

from analytics.services import totals
from core import engine
from core.models import Run
from crm import night, schedule

WORK_SECONDS = 200


@shared_task
def work() -> int:
    """Do the jobs that wait."""
    return engine.work_off(steps=night.STEPS, seconds=WORK_SECONDS)


@shared_task
def roll_up_days() -> int:
    """Add up the days whose orders changed."""
    return totals.refresh()


@shared_task
def night_if_due() -> int | None:
    """Start the night when it is time. Its row is unique, so that asking often does no harm."""
    day = night.due(at=timezone.now(), hour=schedule.NIGHT_HOUR)
    return night.start(as_of=day, at=timezone.now()).run.pk if day else None


@shared_task
def sweep() -> int:
    """The guarantee behind every doorbell: hand out what dead workers left, go on with runs, do what waits."""
    engine.release_stale(at=timezone.now())
    for run_id in Run.objects.filter(state=Run.State.RUNNING).values_list("pk", flat=True):
        engine.advance(run_id=run_id, steps=night.STEPS, at=timezone.now())
    totals.refresh()
    return engine.work_off(steps=night.STEPS, seconds=WORK_SECONDS)
