"""Once per key: what was asked under a caller's key takes effect one time, and is answered alike every time.

The key's row is written first, in the transaction of the effect. A second request with the key waits at the unique
index until that transaction ends: then it finds the answer, or, when nothing came of it, the way free. An effect that
fails leaves no row: nothing happened, so nothing is remembered.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from core.models import IdempotencyKey

KEPT: Final = timedelta(hours=48)
WAIT_SECONDS: Final = 3
PRUNED_AT_ONCE: Final = 10_000


class Mismatch(Exception):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    replayed: bool = False


def fingerprint(*parts: str) -> str:
    """What was asked, as one hash: method, path and body, say."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def once(*, caller: str, key: str, asked: str, at: datetime, effect: Callable[[], Answer]) -> Answer:
    """The answer of `effect`, or the one that it gave when `caller` sent `key` before.

    Raises Mismatch when `asked` (a fingerprint) is not what was asked then, and lets LockNotAvailable through (as
    django.db.OperationalError) when the first request still runs after WAIT_SECONDS.
    """
    with transaction.atomic():
        wait_at_most(WAIT_SECONDS)
        row = _claim(caller=caller, key=key, asked=asked, at=at)
        if row is None:
            return _recall(IdempotencyKey.objects.get(caller=caller, key=key), asked)
        answer = effect()
        IdempotencyKey.objects.filter(pk=row).update(status=answer.status, body=answer.body)
    return answer


def wait_at_most(seconds: int) -> None:
    """For the rest of the transaction give up on a lock after so long."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{seconds}s"])


def _claim(*, caller: str, key: str, asked: str, at: datetime) -> int | None:
    """The new row's id, or None when the key was used. Waits for a transaction that has the key at work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_idempotencykey (caller, key, fingerprint, status, body, created_at)"
            " VALUES (%s, %s, %s, 0, '', %s) ON CONFLICT (caller, key) DO NOTHING RETURNING id",
            [caller, key, asked, at],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _recall(row: IdempotencyKey, asked: str) -> Answer:
    if row.fingerprint != asked:
        raise Mismatch
    return Answer(status=row.status, body=bytes(row.body), replayed=True)


def prune(*, at: datetime) -> int:
    """Forget answers older than KEPT, a bounded number at a time; returns how many."""
    old = IdempotencyKey.objects.filter(created_at__lt=at - KEPT).order_by("created_at", "pk")[:PRUNED_AT_ONCE]
    return IdempotencyKey.objects.filter(pk__in=old.values("pk")).delete()[0]
