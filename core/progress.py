"""Telling how far a job is, and hearing that it shall stop, while its one transaction is still open.

A connection of its own writes what others may read at once; the job's row stays locked by the work (core.engine).
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from core.engine import Stopped
from core.models import Job

EVERY_SECONDS: Final = 1.0

TELL: Final = """
UPDATE core_progress SET counts = %s, done = %s, total = greatest(total, %s) WHERE job_id = %s RETURNING stop_asked_at
"""


class Watch:
    """Counts of one job by name; `done` of `total` is what a bar shows."""

    def __init__(self, job: Job, other: BaseDatabaseWrapper) -> None:
        self.job_id, self.other = job.pk, other
        self.counts: dict[str, int] = {}
        self.done, self.total, self.told = 0, job.total, float("-inf")

    def tell(self, *, done: int, **counts: int) -> None:
        """Write what is done, at most once a second. Raises Stopped when somebody asked for it."""
        self.done = done
        self.counts.update(counts)
        if time.monotonic() - self.told >= EVERY_SECONDS:
            self.told = time.monotonic()
            self._write()

    def _write(self) -> None:
        with self.other.cursor() as cursor:
            cursor.execute(TELL, [json.dumps(self.counts), self.done, self.total, self.job_id])
            row = cursor.fetchone()
        if row is not None and row[0] is not None:
            raise Stopped


@contextmanager
def watching(job: Job) -> Iterator[Watch]:
    """For as long as the job works. Raises Stopped at once when it was asked to stop before it began."""
    other = connection.copy()
    try:
        watch = Watch(job, other)
        watch.tell(done=0)
        yield watch
    finally:
        other.close()
