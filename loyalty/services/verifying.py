"""Whether the ledger agrees with itself: each check is one query over all rows that names those that are wrong.

Whoever keeps figures that follow from the ledger adds a check to CHECKS.
"""

from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from loyalty.services import tier_checks

NAMED_AT_MOST: Final = 20  # rows of one check


@dataclass(frozen=True, slots=True)
class Check:
    """`rows` selects one text for each row that is wrong, in the order of their ids."""

    name: str
    rows: str


@dataclass(frozen=True, slots=True)
class Result:
    check: str
    wrong: list[str]  # at most NAMED_AT_MOST


BALANCES: Final = Check(
    "Accounts are the sums of their postings",
    """
SELECT format('account %s of customer %s: balance %s, pending %s, held %s; its postings make %s, %s, %s',
    a.id, a.customer_id, a.balance, a.pending, a.held, coalesce(p.points, 0), coalesce(p.pending, 0),
    coalesce(p.held, 0))
FROM loyalty_account a FULL JOIN (
    SELECT account_id, sum(points) AS points, sum(pending_points) AS pending, sum(held_points) AS held
    FROM loyalty_posting GROUP BY account_id
) p ON p.account_id = a.id
WHERE (a.balance, a.pending, a.held)
    IS DISTINCT FROM (coalesce(p.points, 0), coalesce(p.pending, 0), coalesce(p.held, 0))
ORDER BY a.id""",
)
COUNTERS: Final = Check(
    "Lifetime counters are the sums of their postings",
    """
WITH RECURSIVE merged AS (
    SELECT id, merged_into_id AS root FROM loyalty_account WHERE merged_into_id IS NOT NULL
    UNION ALL SELECT m.id, a.merged_into_id FROM merged m JOIN loyalty_account a ON a.id = m.root
    WHERE a.merged_into_id IS NOT NULL
), root AS (
    SELECT m.id, m.root FROM merged m JOIN loyalty_account a ON a.id = m.root AND a.merged_into_id IS NULL
), told AS (
    SELECT coalesce(r.root, p.account_id) AS id,
        coalesce(sum(gained) FILTER (WHERE kind = 'earn' OR kind = 'adjust' AND gained > 0), 0) AS earned,
        coalesce(-sum(gained) FILTER (WHERE kind IN ('redeem', 'commit', 'give_back')), 0) AS spent,
        coalesce(-sum(gained) FILTER (WHERE kind = 'expire'), 0) AS expired,
        coalesce(-sum(gained) FILTER (WHERE kind = 'reverse' OR kind = 'adjust' AND gained < 0), 0) AS reversed
    FROM (
        SELECT account_id, kind, points + pending_points + held_points AS gained FROM loyalty_posting
        WHERE kind NOT IN ('activate', 'hold', 'release', 'merge')
    ) p LEFT JOIN root r ON r.id = p.account_id GROUP BY 1
)
SELECT format(
    'account %s of customer %s: earned %s, spent %s, expired %s, reversed %s; its postings make %s, %s, %s, %s', a.id,
    a.customer_id, a.earned, a.spent, a.expired, a.reversed, coalesce(t.earned, 0), coalesce(t.spent, 0),
    coalesce(t.expired, 0), coalesce(t.reversed, 0))
FROM loyalty_account a LEFT JOIN told t ON t.id = a.id
WHERE (a.earned, a.spent, a.expired, a.reversed)
    IS DISTINCT FROM (coalesce(t.earned, 0), coalesce(t.spent, 0), coalesce(t.expired, 0), coalesce(t.reversed, 0))
ORDER BY a.id""",
)
LEFT: Final = Check(
    "Of each lot is left what was not taken from it",
    """
SELECT format('lot %s of account %s: %s of %s points left, but its allocations leave %s', l.id, l.account_id,
    l.points_left, l.points, l.points - coalesce(a.taken, 0))
FROM loyalty_lot l LEFT JOIN (
    SELECT lot_id, sum(points) AS taken FROM loyalty_allocation GROUP BY lot_id
) a ON a.lot_id = l.id
WHERE l.points_left <> l.points - coalesce(a.taken, 0) ORDER BY l.id""",
)
LOTS: Final = Check(
    "Lots and holds hold what the accounts say",
    """
SELECT format('account %s of customer %s: balance %s, pending %s, held %s; its lots and holds hold %s, %s, %s',
    a.id, a.customer_id, a.balance, a.pending, a.held, coalesce(l.active, 0), coalesce(l.pending, 0),
    coalesce(h.held, 0))
FROM loyalty_account a
LEFT JOIN (
    SELECT account_id, sum(points_left) FILTER (WHERE state = 'active') AS active,
        sum(points_left) FILTER (WHERE state = 'pending') AS pending
    FROM loyalty_lot WHERE state <> 'empty' GROUP BY account_id
) l ON l.account_id = a.id
LEFT JOIN (
    SELECT account_id, sum(points) AS held FROM loyalty_hold WHERE state = 'open' GROUP BY account_id
) h ON h.account_id = a.id
WHERE (greatest(a.balance, 0), a.pending, a.held)
    IS DISTINCT FROM (coalesce(l.active, 0), coalesce(l.pending, 0), coalesce(h.held, 0))
ORDER BY a.id""",
)
# What comes is in lots, or back in lots; what goes came out of lots, but for what a reversal leaves as a debt.
POSTINGS: Final = Check(
    "Postings are what they put into lots and took from them",
    """
WITH moved AS (
    SELECT posting_id, sum(into_lots) AS into_lots, sum(out_of_lots) AS out_of_lots FROM (
        SELECT posting_id, points AS into_lots, 0 AS out_of_lots FROM loyalty_lot
        UNION ALL
        SELECT posting_id, greatest(-points, 0), greatest(points, 0) FROM loyalty_allocation
    ) one GROUP BY posting_id
)
SELECT format('posting %s (%s, %s): %s points and %s pending, but it put %s into lots and took %s', p.id, p.kind, p.key,
    p.points, p.pending_points, coalesce(m.into_lots, 0), coalesce(m.out_of_lots, 0))
FROM loyalty_posting p LEFT JOIN moved m ON m.posting_id = p.id
WHERE NOT CASE
    WHEN p.kind IN ('earn', 'give_back', 'release') OR p.kind = 'adjust' AND p.points > 0 THEN
        coalesce(m.into_lots, 0) = p.points + p.pending_points AND coalesce(m.out_of_lots, 0) <= p.points
    WHEN p.kind IN ('redeem', 'hold', 'expire', 'adjust') THEN
        coalesce(m.into_lots, 0) = 0 AND coalesce(m.out_of_lots, 0) = -p.points
    WHEN p.kind = 'reverse' THEN
        coalesce(m.into_lots, 0) = 0 AND coalesce(m.out_of_lots, 0) <= -p.points - p.pending_points
        AND coalesce(m.out_of_lots, 0) >= -p.pending_points
    WHEN p.kind = 'activate' THEN
        p.points + p.pending_points = 0 AND coalesce(m.into_lots, 0) = 0 AND coalesce(m.out_of_lots, 0) <= p.points
    WHEN p.kind = 'commit' THEN p.points = 0 AND p.held_points < 0 AND m.posting_id IS NULL
    ELSE coalesce(m.into_lots, 0) = 0
END
ORDER BY p.id""",
)
HOLDS: Final = Check(
    "Holds are what their postings put aside and what ended them",
    """
SELECT format('hold %s of account %s: %s points, %s; its posting held %s, and %s', h.id, h.account_id, h.points,
    h.state, p.held_points,
    coalesce(format('posting %s (%s) ended it with %s', e.id, e.kind, e.held_points), 'nothing ended it'))
FROM loyalty_hold h JOIN loyalty_posting p ON p.id = h.posting_id LEFT JOIN loyalty_posting e ON e.id = h.closed_by_id
WHERE p.held_points <> h.points OR h.state <> 'open' AND (e.held_points <> -h.points OR e.source_id <> p.id
    OR e.kind <> CASE h.state WHEN 'committed' THEN 'commit' ELSE 'release' END)
ORDER BY h.id""",
)
RETURNS: Final = Check(
    "No more went back than came",
    """
SELECT format('posting %s (%s, %s): of %s points %s went back', p.id, p.kind, p.key, p.asked,
    sum(abs(b.points + b.pending_points)))
FROM loyalty_posting b JOIN loyalty_posting p ON p.id = b.source_id
WHERE b.kind IN ('reverse', 'give_back') GROUP BY p.id HAVING sum(abs(b.points + b.pending_points)) > p.asked
ORDER BY p.id""",
)
DUE: Final = Check(
    "Nothing is due before its account says so",
    """
SELECT format('account %s of customer %s: due %s, but %s is the first to be due', a.id, a.customer_id,
    coalesce(a.due_at::text, 'never'), first.due)
FROM loyalty_account a JOIN (
    SELECT account_id, min(due) AS due FROM (
        SELECT account_id, CASE state WHEN 'pending' THEN active_at ELSE expires_at END AS due FROM loyalty_lot
        WHERE state <> 'empty'
        UNION ALL SELECT account_id, until FROM loyalty_hold WHERE state = 'open'
    ) one GROUP BY account_id
) first ON first.account_id = a.id
WHERE first.due < coalesce(a.due_at, 'infinity') ORDER BY a.id""",
)
MERGED: Final = Check(
    "Merged accounts are empty",
    """
SELECT format('lot %s belongs to account %s, which was merged into account %s', l.id, a.id, a.merged_into_id)
FROM loyalty_account a JOIN loyalty_lot l ON l.account_id = a.id WHERE a.merged_into_id IS NOT NULL ORDER BY l.id""",
)
ADJUSTMENTS: Final = Check(
    "Adjustments are what their postings say",
    """
SELECT format('adjustment %s: %s points, but posting %s has %s', a.id, a.points, p.id, p.points)
FROM loyalty_adjustment a JOIN loyalty_posting p ON p.id = a.posting_id
WHERE a.points <> p.points OR p.kind <> 'adjust' ORDER BY a.id""",
)

DAYS: Final = Check(
    "Sums by day are those of the postings that they have read",
    """
WITH told AS (
    SELECT (p.at AT TIME ZONE t.time_zone)::date AS day, p.kind, count(*) AS postings, sum(p.points) AS points,
        sum(p.pending_points) AS pending_points, sum(p.held_points) AS held_points
    FROM loyalty_tally t JOIN loyalty_posting p ON p.id <= t.read_id GROUP BY 1, 2
)
SELECT format('%s, %s: %s postings with %s, %s, %s points; it should be %s with %s, %s, %s', day, kind,
    coalesce(d.postings, 0), coalesce(d.points, 0), coalesce(d.pending_points, 0), coalesce(d.held_points, 0),
    coalesce(t.postings, 0), coalesce(t.points, 0), coalesce(t.pending_points, 0), coalesce(t.held_points, 0))
FROM loyalty_pointday d FULL JOIN told t USING (day, kind)
WHERE (d.postings, d.points, d.pending_points, d.held_points)
    IS DISTINCT FROM (t.postings, t.points, t.pending_points, t.held_points)
ORDER BY day, kind""",
)

CHECKS: Final = (BALANCES, COUNTERS, LEFT, LOTS, POSTINGS, HOLDS, RETURNS, DUE, MERGED, ADJUSTMENTS, DAYS)


def verify() -> list[Result]:
    """The result of each check, all of one moment, while writers go on."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return [_result(cursor, check) for check in checks()]


def checks() -> list[Check]:
    """Those of the ledger, and those of tiers under the rules as they are."""
    return [*CHECKS, *(Check(name=one.name, rows=one.rows) for one in tier_checks.checks())]


def _result(cursor: CursorWrapper, check: Check) -> Result:
    cursor.execute(f"{check.rows} LIMIT {NAMED_AT_MOST}")
    return Result(check=check.name, wrong=[text for (text,) in cursor.fetchall()])
