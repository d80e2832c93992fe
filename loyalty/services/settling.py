"""What time has decided, posted for many accounts with a few statements: the set-based form of `loyalty_settled`.

The rows are those that settling one account after another writes (loyalty/migrations/sql). Accounts of which the order
of events matters, because something is owed or a hold ran out, are settled by that very function.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

AT_ONCE: Final = 50_000  # accounts of one transaction, which stay locked so long

THESE: Final = "id = ANY(%(accounts)s)"
NEXT: Final = "id > %(after)s"
NEXT_WAITING: Final = "id > %(after)s AND pending > 0"
ACTIVATE, EXPIRE = "activate", "expire"
DUE: Final = """
CREATE TEMP TABLE due_account ON COMMIT DROP AS
SELECT id, customer_id, balance FROM loyalty_account WHERE due_at <= %(at)s AND {which}
ORDER BY id LIMIT %(most)s FOR NO KEY UPDATE
"""
ONE_BY_ONE: Final = """
WITH alone AS (
    DELETE FROM due_account d WHERE d.balance < 0 OR EXISTS (
        SELECT FROM loyalty_hold h WHERE h.account_id = d.id AND h.state = 'open' AND h.until <= %(at)s)
    RETURNING id
) SELECT count(loyalty_lock(id, %(at)s)) FROM (SELECT id FROM alone ORDER BY id) AS ordered
"""
EVENTS: Final = """
CREATE TEMP TABLE due_event ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('loyalty_posting', 'id')) AS posting_id, event.*
FROM (
    SELECT d.id AS account_id, d.customer_id, l.id AS lot_id, l.posting_id AS source_id, l.points_left AS points,
        turn.kind, turn.at
    FROM due_account d JOIN loyalty_lot l ON l.account_id = d.id AND l.state <> 'empty'
    CROSS JOIN LATERAL (VALUES ('activate', l.active_at), ('expire', l.expires_at)) AS turn (kind, at)
    WHERE turn.at <= %(at)s AND turn.kind = ANY(%(kinds)s) AND (turn.kind = 'activate') <= (l.state = 'pending')
    ORDER BY d.id, turn.at, turn.kind, l.id
) AS event
"""
POSTINGS: Final = """
INSERT INTO loyalty_posting (id, account_id, customer_id, kind, points, pending_points, asked, key, at, source_id)
SELECT posting_id, account_id, customer_id, kind, CASE kind WHEN 'activate' THEN points ELSE -points END,
    CASE kind WHEN 'activate' THEN -points ELSE 0 END, points,
    CASE kind WHEN 'activate' THEN 'activate:lot:' || lot_id ELSE concat_ws(':', 'expire:lot', lot_id, (
        SELECT nullif(count(*), 0) FROM loyalty_allocation a JOIN loyalty_posting p ON p.id = a.posting_id
        WHERE a.lot_id = e.lot_id AND p.kind = 'expire')) END,
    at, source_id
FROM due_event e ORDER BY posting_id
"""
ALLOCATIONS: Final = """
INSERT INTO loyalty_allocation (posting_id, lot_id, points)
SELECT posting_id, lot_id, points FROM due_event WHERE kind = 'expire' ORDER BY posting_id
"""
LOTS: Final = """
UPDATE loyalty_lot l SET state = CASE WHEN e.is_over THEN 'empty' ELSE 'active' END,
    points_left = CASE WHEN e.is_over THEN 0 ELSE l.points_left END
FROM (SELECT lot_id, bool_or(kind = 'expire') AS is_over FROM due_event GROUP BY lot_id) AS e WHERE l.id = e.lot_id
"""
ACCOUNTS: Final = """
UPDATE loyalty_account a SET balance = a.balance + coalesce(e.active + e.expired, 0),
    pending = a.pending - coalesce(e.active, 0), expired = a.expired - coalesce(e.expired, 0),
    due_at = least(lot.due_at, hold.due_at)
FROM due_account d
LEFT JOIN (
    SELECT account_id, coalesce(sum(points) FILTER (WHERE kind = 'activate'), 0) AS active,
        -coalesce(sum(points) FILTER (WHERE kind = 'expire'), 0) AS expired
    FROM due_event GROUP BY account_id
) AS e ON e.account_id = d.id
LEFT JOIN (
    SELECT l.account_id, min(CASE l.state WHEN 'pending' THEN l.active_at ELSE l.expires_at END) AS due_at
    FROM loyalty_lot l JOIN due_account ON due_account.id = l.account_id WHERE l.state <> 'empty' GROUP BY l.account_id
) AS lot ON lot.account_id = d.id
LEFT JOIN (
    SELECT h.account_id, min(h.until) AS due_at
    FROM loyalty_hold h JOIN due_account ON due_account.id = h.account_id WHERE h.state = 'open' GROUP BY h.account_id
) AS hold ON hold.account_id = d.id
WHERE a.id = d.id
"""
STATEMENTS: Final = (
    *(ONE_BY_ONE, "ANALYZE due_account", EVENTS, "ANALYZE due_event", POSTINGS, ALLOCATIONS, LOTS, ACCOUNTS),
)


def settle(*, account_ids: Sequence[int], at: datetime) -> None:
    """Settle these accounts, as far as they are due; call it in a transaction, which keeps them locked."""
    params = {"accounts": list(account_ids), "at": at, "most": len(account_ids), "kinds": [ACTIVATE, EXPIRE]}
    with connection.cursor() as cursor:
        _settle(cursor, THESE, params)


def settle_all(*, at: datetime, most: int | None = None) -> int:
    """Settle every account that is due, some after the other, up to `most` of them; returns how many."""
    return _all(NEXT, {"at": at, "kinds": [ACTIVATE, EXPIRE]}, most)


def activate_all(*, at: datetime) -> int:
    """The same for points that become active, and nothing else but where one needs the other; returns how many."""
    return _all(NEXT_WAITING, {"at": at, "kinds": [ACTIVATE]}, None)


def _all(which: str, params: dict[str, Any], most: int | None) -> int:
    after, done = 0, 0
    while found := _next(
        which, params | {"after": after, "most": AT_ONCE if most is None else min(AT_ONCE, most - done)}
    ):
        after, done = found[-1], done + len(found)
    return done


@transaction.atomic
def _next(which: str, params: dict[str, Any]) -> Sequence[int]:
    """Settle the next accounts; returns their ids in order."""
    with connection.cursor() as cursor:
        return _settle(cursor, which, params)


def _settle(cursor: Any, which: str, params: dict[str, Any]) -> Sequence[int]:
    cursor.execute("DROP TABLE IF EXISTS pg_temp.due_account, pg_temp.due_event")
    cursor.execute(DUE.format(which=which), params)
    cursor.execute("SELECT id FROM due_account ORDER BY id")
    found = [pk for (pk,) in cursor.fetchall()]
    for statement in STATEMENTS if found else ():
        cursor.execute(statement, params if "%(" in statement else None)
    return found
