"""Writing to and reading from the change feed (core.models.change says why it works)."""

import time
from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction

from core.models import Change, Cursor

WAIT_SECONDS: Final = 5.0
PRUNED_AT_ONCE: Final = 500_000

# One look into the index for each kind; a plain max() reads the whole table.
NEWEST: Final = """
SELECT coalesce(max(last.xid), '0')::text
FROM unnest(%(kinds)s::text[]) AS kinds (kind), LATERAL (
    SELECT xid FROM core_change c WHERE c.kind = kinds.kind ORDER BY xid DESC LIMIT 1
) AS last
"""
PRUNE: Final = """
DELETE FROM core_change WHERE id IN (
    SELECT c.id FROM unnest(%(kinds)s::text[]) AS kinds (kind)
    JOIN core_change c ON c.kind = kinds.kind AND c.xid < %(below)s::xid8
    LIMIT %(most)s
)
"""


def record(kind: Change.Kind, object_ids: Iterable[int]) -> None:
    """Say that these facts were written. Call it inside the transaction that writes them."""
    Change.objects.bulk_create([Change(kind=kind, object_id=pk) for pk in sorted(set(object_ids))], batch_size=5000)


def horizon() -> int:
    """The oldest transaction still running: everything below it is committed or gone."""
    return _number("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")


def newest() -> int:
    """The transaction of the newest committed change, 0 when there is none."""
    return _number(NEWEST, {"kinds": Change.Kind.values})


def wait_until_readable(seconds: float | None = None) -> bool:
    """Wait until no older transaction hides a change that is committed by now; False when one still does.

    Inside a transaction that has written something, its own id is as far as the horizon can come.
    """
    own = _number("SELECT coalesce(pg_current_xact_id_if_assigned(), '0')::text")
    target, deadline = newest(), time.monotonic() + (WAIT_SECONDS if seconds is None else seconds)
    while (reached := horizon()) <= target:
        if reached == own or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_foreign(xid: int) -> bool:
    """Whether a position is ahead of this server's transactions: it came here with a backup and says nothing."""
    return xid > horizon()


def position(reaction: str) -> int:
    """Lock the reaction's cursor until the end of the transaction and return how far it has read, 0 for nothing."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("feed.position needs a transaction: the cursor moves together with the reaction.")
    Cursor.objects.get_or_create(reaction=reaction, defaults={"xid": 0})
    xid = int(Cursor.objects.select_for_update().get(reaction=reaction).xid)
    return 0 if is_foreign(xid) else xid


def stay(reaction: str) -> None:
    """Keep others from `position` until the end of the transaction, beside others who do the same.

    For parts of a reaction that are at work at once; the cursor is there.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM core_cursor WHERE reaction = %s FOR SHARE", [reaction])


def advance(reaction: str, xid: int) -> None:
    """Say that the reaction has dealt with every change of transactions below `xid`."""
    Cursor.objects.filter(reaction=reaction).update(xid=xid)


def pending(kind: Change.Kind, *, since: int, until: int) -> list[int]:
    """The objects of `kind` written by transactions with `since` ≤ id < `until`, each once, in order."""
    changes = Change.objects.filter(kind=kind, xid__gte=since, xid__lt=until)
    return list(changes.order_by("object_id").values_list("object_id", flat=True).distinct())


def prune(*, most: int = PRUNED_AT_ONCE) -> int:
    """Delete changes that every reaction has read, at most so many at once; returns how many.

    Those of the newest transaction stay, because `newest` tells a night whether anything happened since.
    """
    positions = list(Cursor.objects.values_list("xid", flat=True))
    if not positions:
        return 0
    with connection.cursor() as cursor:
        below = min(newest(), *map(int, positions))
        cursor.execute(PRUNE, {"kinds": Change.Kind.values, "below": str(below), "most": most})
        return int(cursor.rowcount)


def _number(query: str, params: dict[str, list[str]] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return int(cursor.fetchone()[0])
