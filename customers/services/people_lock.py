"""Who writes about people by their identity, and who merges two of them, stay apart.

Else a writer could find a customer, wait while they are merged, and write about somebody who is no more.
"""

from typing import Final

from django.db import connection

LOCK: Final = 7_301_002


def writing() -> None:
    """Until the transaction ends nobody is merged. Call it before looking people up whom one then writes about."""
    _take("SELECT pg_advisory_xact_lock_shared(%s)")


def merging() -> None:
    """Until the transaction ends nobody writes by an identity, and nobody else merges. Take it before any row."""
    _take("SELECT pg_advisory_xact_lock(%s)")


def _take(query: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, [LOCK])
