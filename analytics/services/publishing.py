"""From a complete table of scores to what readers see: index, add up, attach and point at it."""

import calendar
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction

from analytics.clv.fitted import Fitted
from analytics.services import (
    assigning,
    baskets,
    codes,
    contract_rows,
    contract_values,
    partitions,
    profit,
    scoring,
    stats,
    summaries,
    tag_totals,
)
from core import feed
from core.models import Run

KEEP_NIGHTS: Final = 35
# Readers take the pointer first and the rows after it: the nights just replaced stay, with their sort indexes.
KEEP_REPLACED: Final = 2


def parts(run: Run) -> list[dict[str, list[str]]]:
    """What `index` is to be called with: a run of a past date has the key alone."""
    return [{"indexes": [partitions.KEY]}] if run.is_past else [{"indexes": list(each)} for each in partitions.PARTS]


@transaction.atomic
def index(*, run: Run, indexes: list[str]) -> dict[str, Any]:
    """Index the run's scores, a part at a time; the one with the key adds them up, too."""
    partitions.build(run.pk, indexes)
    if partitions.KEY not in indexes:
        return {"rows": 0}
    _add_up(run)
    partitions.analyse(run.pk, sorts=not run.is_past)
    return {"rows": run.stats["all"]["customers"]}


def _add_up(run: Run) -> None:
    """Keep the totals that pages show."""
    shards = run.jobs.filter(step="score").order_by("shard").values_list("result", flat=True)
    run.stats = run.stats | stats.add_up(result["totals"] for result in shards)
    run.stats["schemes"]["needs"] = tag_totals.of_run(run)
    widths = Fitted.from_dict(run.model["fitted"]).widths
    run.stats["ends"] = stats.ends(run.stats["all"], widths, contracts=contract_rows.reach(run))
    run.save(update_fields=["stats"])


@transaction.atomic
def publish(*, run: Run, at: datetime) -> dict[str, Any]:
    """In one short transaction: attach the scores and, unless a later date is shown already, make them current."""
    partitions.attach(run.pk)
    current = Run.objects.select_for_update().filter(is_current=True).first()
    run.published_at = at
    if not run.is_past and (current is None or current.as_of <= run.as_of):
        Run.objects.filter(is_current=True).update(is_current=False)
        run.is_current = True
        contract_values.show(run=run)
    run.save(update_fields=["published_at", "is_current"])
    return {"rows": run.stats["all"]["customers"]}


@transaction.atomic
def tidy(*, run: Run) -> dict[str, Any]:
    """Drop what nobody reads any more: old scores and their sort indexes, a night's own tables, changes dealt with.

    What somebody does read just now (a backup, an export) is left to the next night.
    """
    feed.prune()
    past = (summaries.PAST_PREFIX, baskets.PAST_PREFIX, profit.PAST_PREFIX)
    for prefix in (*past, scoring.CARRIED, *contract_values.PREFIXES, assigning.PREFIX):
        for number in partitions.runs_with(prefix):
            partitions.drop_if_free(f"{prefix}{number}")
    for number in partitions.runs_with(codes.PREFIX) - set(_shown_last()):
        partitions.drop_if_free(codes.table_of(number))
    tables, keep = partitions.kept(), kept_runs() | {run.pk}
    dropped = [partitions.drop_if_free(partitions.table_of(number)) for number in sorted(tables - keep)]
    for number in sorted((tables & keep) - set(_shown_last()) - {run.pk}):
        partitions.drop_sorts_if_free(number)
    return {"rows": sum(dropped)}


def kept_runs() -> set[int]:
    """The newest published revision of the last 35 nights and of every month end, and what readers may still hold."""
    published = Run.objects.filter(published_at__isnull=False).order_by("as_of", "revision")
    newest: dict[date, int] = dict(published.values_list("as_of", "pk"))
    nights = set(sorted(newest)[-KEEP_NIGHTS:])
    return {pk for day, pk in newest.items() if day in nights or _ends_month(day)} | set(_shown_last())


def _shown_last() -> list[int]:
    """The current run and those it has replaced last."""
    shown = Run.objects.filter(published_at__isnull=False, is_past=False).order_by("-published_at", "-pk")
    current = Run.objects.filter(is_current=True).values_list("pk", flat=True)
    return [*current, *shown.values_list("pk", flat=True)[: KEEP_REPLACED + 1]]


def _ends_month(day: date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]
