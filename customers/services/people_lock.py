"""Who writes about people, and who merges two of them, stay apart.

Else a writer could find a customer, wait while they are merged, and write about somebody who is no more.
"""

from collections.abc import Iterable
from typing import Final

from django.db import connection

from customers.selectors import merged

LOCK: Final = 7_301_002


def writing() -> None:
    """Until the transaction ends nobody is merged. Call it before looking people up whom one then writes about."""
    _take("SELECT pg_advisory_xact_lock_shared(%s)")


def writing_about(customer_id: int) -> int:
    """The customer, or who stands for them: it stays so until the transaction ends. Call it before locking any row.

    Merges wait for it with no row in hand, and so do those who come while a merge is under way.
    """
    writing()
    return merged.survivor(customer_id)


def writing_about_all(customer_ids: Iterable[int]) -> dict[int, int]:
    """The same of many."""
    writing()
    return merged.survivors(customer_ids)


def merging() -> None:
    """Until the transaction ends nobody writes about people, and nobody else merges. Take it before any row."""
    _take("SELECT pg_advisory_xact_lock(%s)")


def _take(query: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, [LOCK])
