"""Writing many orders or people at once: staged by COPY, merged by set in bounded transactions.

One import runs at a time. A chunk that meets somebody else's insert of the same key starts again; a killed import
leaves whole chunks, and the same file again completes it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from core import business as settings_row
from core import doorbell, money
from core.models import Business
from customers.importing.rows import OrderRow, PersonRow
from customers.models import ImportBatch
from customers.services import merging, people, products, returns, search, staging
from customers.services.reports import Rejected, Report, count_documents, rejected_rows

LOCK: Final = 7_301_001
ATTEMPTS: Final = 3
WAIT_SECONDS: Final = 0.2
LARGE: Final = 10_000  # rows after which the planner is told

Progress = Callable[[str, int], None]


def silent(step: str, done: int) -> None:
    """Progress for those who do not watch."""


@contextmanager
def one_at_a_time(wait: Callable[[], Any] = lambda: None) -> Iterator[None]:
    """Hold the lock that imports and their undoing share. `wait` is called now and then while somebody else has it.

    Inside a transaction it is held until that ends: nobody may look for rows that are written and not yet committed.
    """
    is_ours = connection.in_atomic_block
    take = "SELECT pg_try_advisory_xact_lock(%s)" if is_ours else "SELECT pg_try_advisory_lock(%s)"
    while not _flag(take):
        wait()
        time.sleep(WAIT_SECONDS)
    try:
        yield
    finally:
        if not is_ours:
            _flag("SELECT pg_advisory_unlock(%s)")


def may_begin() -> bool:
    """Take the lock until the transaction ends; False while somebody else has it."""
    return _flag("SELECT pg_try_advisory_xact_lock(%s)")


def _flag(query: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [LOCK])
        return bool(cursor.fetchone()[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where rows go: the batch that they are written for, and what it takes to price them."""

    batch: ImportBatch
    business: Business
    at: datetime

    @property
    def params(self) -> dict[str, Any]:
        return {
            "source": self.batch.source,
            "batch": self.batch.pk,
            "at": self.at,
            "units": Decimal(10) ** money.exponent(self.business.currency),
            "margin_rate": self.business.margin_rate,
        }


def begin(*, kind: str, source: str, preset: str, files: list[str], at: datetime) -> Target:
    """A new batch, running."""
    batch = ImportBatch.objects.create(kind=kind, source=source, preset=preset, files=files, started_at=at)
    return Target(batch=batch, business=settings_row.current(), at=at)


def finish(target: Target, *, report: Report, at: datetime) -> None:
    target.batch.state, target.batch.finished_at = ImportBatch.State.DONE, at
    target.batch.report = report.as_json()
    target.batch.save(update_fields=["state", "finished_at", "report"])


def fail(target: Target, *, error: str, at: datetime) -> None:
    """Say why a batch ended early. What its finished chunks wrote stays, and the same file again completes it."""
    target.batch.state, target.batch.finished_at, target.batch.error = ImportBatch.State.FAILED, at, error
    target.batch.save(update_fields=["state", "finished_at", "error"])


def load(*, rows: Iterable[OrderRow], source: str, at: datetime, preset: str = "generic") -> Report:
    """Write orders and returns; the same rows again change nothing. Opens its own transactions."""
    with one_at_a_time():
        target = begin(kind="orders", source=source, preset=preset, files=[], at=at)
        report = Report(read=0)
        report.rejects = load_orders(rows=rows, target=target, report=report)
        report.read = report.imported + report.rejected
        finish(target, report=report, at=at)
    return report


def load_orders(
    *, rows: Iterable[OrderRow], target: Target, report: Report, progress: Progress = silent
) -> list[Rejected]:
    """Stage and merge the rows of one file; adds to `report` and returns what the merge refused. Hold the lock."""
    staging.stage(rows, prices_include_tax=target.business.prices_include_tax)
    with transaction.atomic():
        merging.choose_joins()
        products.merge_products(target.params)
    for is_return, merge in ((False, _merge_orders), (True, _merge_returns)):
        for chunk in staging.chunks(returns=is_return):
            _merge_chunk(merge, {**target.params, "chunk": chunk, "is_return": is_return}, target)
            merged = staging.rows_until(chunk, returns=is_return)
            progress("returns" if is_return else "orders", merged)
            if merged >= LARGE and not chunk & (chunk + 1):  # after the 1st, 2nd, 4th, 8th …
                staging.analyze()
    count_documents(report, batch_id=target.batch.pk, source=target.batch.source)
    rejects = rejected_rows()
    if report.imported >= LARGE:
        staging.analyze()
    staging.drop()
    return rejects


def _merge_chunk(merge: Callable[[dict[str, Any], Target], None], params: dict[str, Any], target: Target) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                merging.choose_joins()
                merging.merge_customers(params)
                merge(params, target)
                search.refresh_documents(params)
                doorbell.ring("orders")
        except (IntegrityError, OperationalError) as error:
            met = isinstance(error, IntegrityError) or isinstance(error.__cause__, DeadlockDetected)
            if attempt == ATTEMPTS or not met:
                raise
        else:
            return


def _merge_orders(params: dict[str, Any], target: Target) -> None:
    merging.merge_orders(params)
    staging.correct_planner()
    returns.refresh_orders(staging.updated_orders(params["chunk"]))


def _merge_returns(params: dict[str, Any], target: Target) -> None:
    returns.merge_returns(params, exponent=money.exponent(target.business.currency))


def load_people(*, rows: Iterable[PersonRow], source: str, at: datetime) -> Report:
    """Write people by (source, customer); the same rows again change nothing. Opens its own transactions."""
    with one_at_a_time():
        target = begin(kind="customers", source=source, preset="generic", files=[], at=at)
        report = Report()
        people.load(rows=rows, params=target.params, report=report)
        report.read = report.imported
        finish(target, report=report, at=at)
    return report
