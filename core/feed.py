"""Writing to and reading from the change feed (core.models.change says why it works)."""

import time
from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction

from core.models import Change, Cursor

WAIT_SECONDS: Final = 30.0


def record(kind: Change.Kind, object_ids: Iterable[int]) -> None:
    """Say that these facts were written. Call it inside the transaction that writes them."""
    Change.objects.bulk_create([Change(kind=kind, object_id=pk) for pk in sorted(set(object_ids))], batch_size=5000)


def horizon() -> int:
    """The oldest transaction still running: everything below it is committed or gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        return int(cursor.fetchone()[0])


def newest() -> int:
    """The transaction of the newest committed change, 0 when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(xid), '0')::text FROM core_change")
        return int(cursor.fetchone()[0])


def wait_until_readable(seconds: float = WAIT_SECONDS) -> bool:
    """Wait until no older transaction hides a change committed by now; False when one still does after `seconds`."""
    target, deadline = newest(), time.monotonic() + seconds
    while horizon() <= target:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def position(reaction: str) -> int:
    """Lock the reaction's cursor until the end of the transaction and return how far it has read."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("feed.position needs a transaction: the cursor moves together with the reaction.")
    Cursor.objects.get_or_create(reaction=reaction, defaults={"xid": 0})
    return int(Cursor.objects.select_for_update().get(reaction=reaction).xid)


def advance(reaction: str, xid: int) -> None:
    """Say that the reaction has dealt with every change of transactions below `xid`."""
    Cursor.objects.filter(reaction=reaction).update(xid=xid)


def pending(kind: Change.Kind, *, since: int, until: int) -> list[int]:
    """The objects of `kind` written by transactions with `since` ≤ id < `until`, each once, in order."""
    changes = Change.objects.filter(kind=kind, xid__gte=since, xid__lt=until)
    return list(changes.order_by("object_id").values_list("object_id", flat=True).distinct())
