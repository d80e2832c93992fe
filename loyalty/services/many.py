"""Points for many at once: the set-based form of `loyalty_earn`.

Reads the temporary table `wanted_posting` (customer_id, order_id, points, placed_at, placed_on, key), whose keys are
new. Debts are paid by the ledger's own functions, one account after another.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from loyalty import expiry
from loyalty.expiry import Terms
from loyalty.services import activity, settling

# The account itself, or the last of those that it was merged into.
ROOT: Final = """CASE WHEN o.merged_into_id IS NULL THEN o.id ELSE (
    WITH RECURSIVE line AS (
        SELECT m.id, m.merged_into_id FROM loyalty_account m WHERE m.id = o.merged_into_id
        UNION ALL SELECT m.id, m.merged_into_id FROM loyalty_account m JOIN line ON m.id = line.merged_into_id
    ) SELECT id FROM line WHERE merged_into_id IS NULL) END"""
# When points that were earned on a day become active, and when they expire.
TIMES: Final = """
CREATE TEMP TABLE posting_time ON COMMIT DROP AS
SELECT * FROM unnest(%(days)s::date[], %(active)s::timestamptz[], %(expires)s::timestamptz[])
    AS t (placed_on, active_at, expires_at)
"""
# Who has no account gets one that holds what is about to be posted, so that it is written once.
OPENED: Final = """
WITH opened AS (
    INSERT INTO loyalty_account (customer_id, balance, pending, earned, due_at)
    SELECT w.customer_id, coalesce(sum(w.points) FILTER (WHERE t.active_at <= %(at)s), 0),
        coalesce(sum(w.points) FILTER (WHERE t.active_at > %(at)s), 0), sum(w.points),
        min(CASE WHEN t.active_at > %(at)s THEN t.active_at ELSE t.expires_at END)
    FROM wanted_posting w JOIN posting_time t ON t.placed_on = w.placed_on
    WHERE NOT EXISTS (SELECT FROM loyalty_account a WHERE a.customer_id = w.customer_id)
    GROUP BY w.customer_id ORDER BY w.customer_id
    ON CONFLICT (customer_id) DO NOTHING RETURNING id, customer_id
) INSERT INTO opened_account SELECT id, customer_id FROM opened
"""
OPEN: Final = (
    "DROP TABLE IF EXISTS pg_temp.posting_time, pg_temp.opened_account",
    TIMES,
    "CREATE UNIQUE INDEX ON posting_time (placed_on)",
    "ANALYZE posting_time (placed_on)",
    "CREATE TEMP TABLE opened_account (id bigint, customer_id bigint) ON COMMIT DROP",
    OPENED,
    "ANALYZE opened_account (customer_id)",
)
LOCK: Final = f"""
WITH locked AS (
    SELECT a.id, a.due_at FROM loyalty_account a WHERE a.id IN (
        SELECT {ROOT} FROM {{wanted}} w JOIN loyalty_account o ON o.customer_id = w.customer_id
        WHERE NOT EXISTS (SELECT FROM opened_account n WHERE n.customer_id = w.customer_id)
    ) ORDER BY a.id FOR NO KEY UPDATE
) SELECT id FROM locked WHERE due_at <= %(at)s ORDER BY id
"""
# An account in debt pays it with what becomes active at once: that goes one by one.
TIMED: Final = f"""
CREATE TEMP TABLE timed_posting ON COMMIT DROP AS
SELECT nextval((SELECT pg_get_serial_sequence('loyalty_posting', 'id')::regclass)) AS posting_id, ordered.*
FROM (
    SELECT w.*, n.id AS account_id, w.customer_id AS holder_id, least(w.placed_at, %(at)s) AS earned_at, t.active_at,
        t.expires_at, t.active_at > %(at)s AS waits, false AS pays_debt, true AS is_counted
    FROM wanted_posting w
    JOIN opened_account n ON n.customer_id = w.customer_id
    JOIN posting_time t ON t.placed_on = w.placed_on
    UNION ALL
    SELECT w.*, a.id, a.customer_id, least(w.placed_at, %(at)s), t.active_at, t.expires_at, t.active_at > %(at)s,
        a.balance < 0 AND t.active_at <= %(at)s, false
    FROM wanted_posting w
    JOIN loyalty_account o ON o.customer_id = w.customer_id
    JOIN loyalty_account a ON a.id = {ROOT}
    JOIN posting_time t ON t.placed_on = w.placed_on
    WHERE NOT EXISTS (SELECT FROM opened_account n WHERE n.customer_id = w.customer_id)
    ORDER BY account_id, placed_at, order_id
) AS ordered
"""
POSTINGS: Final = """
INSERT INTO loyalty_posting (id, account_id, customer_id, kind, points, pending_points, asked, key, at, order_id)
SELECT posting_id, account_id, holder_id, 'earn', CASE WHEN waits THEN 0 ELSE points END,
    CASE WHEN waits THEN points ELSE 0 END, points, key, earned_at, order_id
FROM timed_posting WHERE NOT pays_debt ORDER BY posting_id
"""
LOTS: Final = """
INSERT INTO loyalty_lot (account_id, posting_id, points, points_left, state, earned_at, active_at, expires_at)
SELECT account_id, posting_id, points, points, CASE WHEN waits THEN 'pending' ELSE 'active' END, earned_at, active_at,
    expires_at
FROM timed_posting WHERE NOT pays_debt ORDER BY posting_id
"""
BALANCES: Final = """
UPDATE loyalty_account a SET balance = a.balance + s.active, pending = a.pending + s.waiting,
    earned = a.earned + s.active + s.waiting, due_at = least(a.due_at, s.due_at)
FROM (
    SELECT account_id, coalesce(sum(points) FILTER (WHERE waits), 0) AS waiting,
        coalesce(sum(points) FILTER (WHERE NOT waits), 0) AS active,
        min(CASE WHEN waits THEN active_at ELSE expires_at END) AS due_at
    FROM timed_posting WHERE NOT pays_debt AND NOT is_counted GROUP BY account_id
) AS s WHERE a.id = s.account_id
"""
# They come as points that wait until this moment, so that settling pays the debt.
DEBTS: Final = """
SELECT count(loyalty_earn(customer_id, 'earn', points, key, earned_at, active_at, expires_at, '', order_id, NULL))
FROM (SELECT * FROM timed_posting WHERE pays_debt ORDER BY account_id, posting_id) AS ordered
"""
PAID: Final = """
SELECT count(loyalty_lock(account_id, %(at)s))
FROM (SELECT DISTINCT account_id FROM timed_posting WHERE pays_debt ORDER BY account_id) AS ordered
"""
STATEMENTS: Final = ("ANALYZE timed_posting (account_id)", POSTINGS, LOTS, BALANCES, DEBTS, PAID)


def lock(*, wanted: str, terms: Terms, at: datetime) -> None:
    """Lock the accounts of the customers in the table `wanted`, in order, and settle those that are due.

    Who has no account gets one that holds what `wanted_posting` says: call `earn` in the same transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT placed_on FROM wanted_posting")
        params = {"at": at, **_times([day for (day,) in cursor.fetchall()], terms, at)}
        for statement in OPEN:
            cursor.execute(statement, params if "%(" in statement else None)
        cursor.execute(LOCK.format(wanted=wanted), params)
        settling.settle(account_ids=[pk for (pk,) in cursor.fetchall()], at=at)


def earn(*, terms: Terms, at: datetime) -> int:
    """Post what `wanted_posting` says; its accounts are locked. Returns how many postings."""
    params = {"at": at}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.timed_posting")
        cursor.execute(TIMED, params)
        posted = int(cursor.rowcount)
        for statement in STATEMENTS if posted else ():
            cursor.execute(statement, params if "%(" in statement else None)
    activity.move_ends_of_all(terms=terms)
    return posted


def _times(days: Sequence[date], terms: Terms, at: datetime) -> dict[str, Any]:
    active = [expiry.active_at(terms, earned_on=day, at=at) for day in days]
    return {"days": days, "active": active, "expires": [expiry.expires_at(terms, active_at=each) for each in active]}
