"""What time has decided, posted for many accounts with a few statements: the set-based form of `loyalty_settled`.

The rows are those that settling one account after another writes (loyalty/migrations/sql). Accounts of which the order
of events matters, because something is owed or a hold ran out, are settled by that very function.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max

from core import parallel
from loyalty.models import Account

AT_ONCE: Final = 50_000  # accounts of one transaction, which stay locked so long
LAST: Final = 2**63 - 1

THESE: Final = "id = ANY(%(accounts)s)"
NEXT: Final = "id > %(after)s AND id <= %(last)s"
NEXT_WAITING: Final = f"{NEXT} AND pending > 0"
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
# What is in the accounts: whether it becomes active and whether it expires, and what is due next of it. Read once.
LOTS: Final = """
CREATE TEMP TABLE due_lot ON COMMIT DROP AS
SELECT l.id AS lot_id, l.account_id, d.customer_id, l.posting_id, l.points_left AS points, l.active_at, l.expires_at,
    l.points_left < l.points AS is_part, turn.begins, turn.ends,
    CASE WHEN turn.ends THEN NULL WHEN turn.begins OR l.state = 'active' THEN l.expires_at ELSE l.active_at END
        AS due_at
FROM due_account d JOIN loyalty_lot l ON l.account_id = d.id AND l.state <> 'empty'
CROSS JOIN LATERAL (
    SELECT l.state = 'pending' AND l.active_at <= %(at)s AS begins,
        %(may_expire)s AND coalesce(l.expires_at <= %(at)s, false) AS ends
) AS turn
WHERE l.account_id BETWEEN %(lowest)s AND %(highest)s
"""
# The name of the sequence is looked up once, not for each row.
EVENTS: Final = """
CREATE TEMP TABLE due_event ON COMMIT DROP AS
SELECT nextval((SELECT pg_get_serial_sequence('loyalty_posting', 'id')::regclass)) AS posting_id, event.*
FROM (
    SELECT d.account_id, d.customer_id, d.lot_id, d.posting_id AS source_id, d.points, d.is_part, turn.kind, turn.at
    FROM due_lot d
    CROSS JOIN LATERAL (VALUES ('activate', d.active_at, d.begins), ('expire', d.expires_at, d.ends))
        AS turn (kind, at, comes)
    WHERE turn.comes ORDER BY d.account_id, turn.at, turn.kind, d.lot_id
) AS event
"""
# Of a lot that expired before something is gone for good.
POSTINGS: Final = """
INSERT INTO loyalty_posting (id, account_id, customer_id, kind, points, pending_points, asked, key, at, source_id)
SELECT posting_id, account_id, customer_id, kind, CASE kind WHEN 'activate' THEN points ELSE -points END,
    CASE kind WHEN 'activate' THEN -points ELSE 0 END, points,
    CASE WHEN kind = 'activate' THEN 'activate:lot:' || lot_id WHEN is_part THEN concat_ws(':', 'expire:lot', lot_id, (
        SELECT nullif(count(*), 0) FROM loyalty_allocation a JOIN loyalty_posting p ON p.id = a.posting_id
        WHERE a.lot_id = e.lot_id AND p.kind = 'expire')) ELSE 'expire:lot:' || lot_id END,
    at, source_id
FROM due_event e ORDER BY posting_id
"""
ALLOCATIONS: Final = """
INSERT INTO loyalty_allocation (posting_id, lot_id, points)
SELECT posting_id, lot_id, points FROM due_event WHERE kind = 'expire' ORDER BY posting_id
"""
STATES: Final = """
UPDATE loyalty_lot l SET state = CASE WHEN d.ends THEN 'empty' ELSE 'active' END,
    points_left = CASE WHEN d.ends THEN 0 ELSE l.points_left END
FROM due_lot d WHERE l.id = d.lot_id AND (d.begins OR d.ends)
"""
ACCOUNTS: Final = """
UPDATE loyalty_account a SET balance = a.balance + coalesce(l.active - l.expired, 0),
    pending = a.pending - coalesce(l.active, 0), expired = a.expired + coalesce(l.expired, 0),
    due_at = least(l.due_at, hold.due_at)
FROM due_account d
LEFT JOIN (
    SELECT account_id, coalesce(sum(points) FILTER (WHERE begins), 0) AS active,
        coalesce(sum(points) FILTER (WHERE ends), 0) AS expired, min(due_at) AS due_at
    FROM due_lot GROUP BY account_id
) AS l ON l.account_id = d.id
LEFT JOIN (
    SELECT h.account_id, min(h.until) AS due_at
    FROM loyalty_hold h JOIN due_account ON due_account.id = h.account_id WHERE h.state = 'open' GROUP BY h.account_id
) AS hold ON hold.account_id = d.id
WHERE a.id = d.id AND a.id BETWEEN %(lowest)s AND %(highest)s
"""
STATEMENTS: Final = (
    *(
        ONE_BY_ONE,
        "ANALYZE due_account (id)",
        LOTS,
        "ANALYZE due_lot (lot_id, account_id)",
        EVENTS,
        "ANALYZE due_event (lot_id)",
    ),
    *(POSTINGS, ALLOCATIONS, STATES, ACCOUNTS),
)


def settle(*, account_ids: Sequence[int], at: datetime) -> None:
    """Settle these accounts, as far as they are due; call it in a transaction, which keeps them locked."""
    if account_ids:
        params = {"accounts": list(account_ids), "at": at, "most": len(account_ids), "may_expire": True}
        with connection.cursor() as cursor:
            _settle(cursor, THESE, params)


def settle_all(*, at: datetime, most: int | None = None) -> int:
    """Settle every account that is due, some after the other, up to `most` of them; returns how many."""
    params = {"at": at, "may_expire": True}
    return _all(NEXT, params) if most is None else _first(params, most)


def activate_all(*, at: datetime) -> int:
    """The same for points that become active, and nothing else but where one needs the other; returns how many."""
    return _all(NEXT_WAITING, {"at": at, "may_expire": False})


def _all(which: str, params: dict[str, Any]) -> int:
    last = Account.objects.aggregate(last=Max("pk"))["last"] or 0
    parts = [{"after": after, "last": after + AT_ONCE} for after in range(0, last, AT_ONCE)]
    return sum(parallel.each(parts, lambda part: _next(which, params | part | {"most": AT_ONCE})[0]))


def _first(params: dict[str, Any], most: int) -> int:
    """Up to `most` accounts, in the order of their ids."""
    after, done = 0, 0
    while done < most:
        part = {"after": after, "last": LAST, "most": min(AT_ONCE, most - done)}
        found, after = _next(NEXT, params | part)
        if not found:
            break
        done += found
    return done


@transaction.atomic
def _next(which: str, params: dict[str, Any]) -> tuple[int, int]:
    """Settle the next accounts; returns how many, and the last one's id."""
    with connection.cursor() as cursor:
        return _settle(cursor, which, params)


def _settle(cursor: Any, which: str, params: dict[str, Any]) -> tuple[int, int]:
    cursor.execute("SET LOCAL work_mem = '128MB'")
    cursor.execute("DROP TABLE IF EXISTS pg_temp.due_account, pg_temp.due_lot, pg_temp.due_event")
    cursor.execute(DUE.format(which=which), params)
    cursor.execute("SELECT count(*), coalesce(min(id), 0), coalesce(max(id), 0) FROM due_account")
    found, lowest, highest = cursor.fetchone()
    params |= {"lowest": lowest, "highest": highest}  # a part of the tables, when many are settled in their order
    for statement in STATEMENTS if found else ():
        cursor.execute(statement, params if "%(" in statement else None)
    return found, highest
