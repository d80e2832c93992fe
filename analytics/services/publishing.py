"""From a complete table of scores to what readers see: index, add up, attach and point at it."""

import calendar
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction

from analytics.services import partitions, stats, summaries
from core.models import Run

KEEP_NIGHTS: Final = 35


@transaction.atomic
def finish_table(*, run: Run) -> dict[str, Any]:
    """Index the run's scores and keep the totals that pages show."""
    partitions.index(run.pk, sorts=not run.is_past)
    shards = run.jobs.filter(step="score").order_by("shard").values_list("result", flat=True)
    run.stats = run.stats | stats.add_up(result["totals"] for result in shards)
    run.save(update_fields=["stats"])
    return {"rows": run.stats["all"]["customers"]}


@transaction.atomic
def publish(*, run: Run, at: datetime) -> dict[str, Any]:
    """In one short transaction: attach the scores and, unless a later date is shown already, make them current."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
    partitions.attach(run.pk)
    current = Run.objects.select_for_update().filter(is_current=True).first()
    run.published_at = at
    if not run.is_past and (current is None or current.as_of <= run.as_of):
        Run.objects.filter(is_current=True).update(is_current=False)
        run.is_current = True
    run.save(update_fields=["published_at", "is_current"])
    return {"rows": run.stats["all"]["customers"]}


@transaction.atomic
def tidy(*, run: Run) -> dict[str, Any]:
    """Drop what nobody reads any more: old scores, sort indexes of earlier nights, the summaries of a past date."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {summaries.past_table(run.pk)}")
    keep = kept_runs()
    tables = partitions.kept()
    for other in sorted(tables - keep - {run.pk}):
        partitions.drop(other)
    if run.is_current:
        for other in sorted(tables & keep - {run.pk}):
            partitions.drop_sorts(other)
    return {"rows": len(tables - keep)}


def kept_runs() -> set[int]:
    """The newest revision of the last 35 nights and of every month end, and whatever is current or still at work."""
    newest: dict[date, Run] = {}
    for run in Run.objects.exclude(state=Run.State.FAILED).order_by("as_of", "revision"):
        newest[run.as_of] = run
    nights = sorted(newest)[-KEEP_NIGHTS:]
    keep = {run.pk for day, run in newest.items() if day in nights or _ends_month(day)}
    return keep | set(Run.objects.filter(is_current=True).values_list("pk", flat=True))


def _ends_month(day: date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]
