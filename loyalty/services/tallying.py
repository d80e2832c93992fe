"""The ledger's sums by day, kept up to date by what is new in it: postings are only added, so sums only grow.

How far they may read. A posting's number is handed out before it can be seen, so one with a low number may appear after
one with a high number. Whoever writes postings has locked an account before, and has a transaction id since then. So
the sweep notes the last number that was handed out, and *then* takes a transaction id of its own: everybody who had
such a number by then began earlier. When all transactions before that id are over, everything up to that number is
there to be seen. The sums are one or two minutes behind; pages add what is newer.
"""

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from core import money
from core.models import Business
from core.models.change import CurrentXid
from loyalty.models import LotMonth, LotsLeft, PointDay, Tally
from loyalty.selectors import liability

AT_ONCE: Final = 200_000  # numbers of postings in one transaction
MOST_AT_ONCE: Final = 10  # such transactions in one sweep: the first time there may be millions

# Numbers that were handed out, whether or not their postings are there to be seen.
LAST: Final = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('loyalty_posting', 'id')::regclass), 0)"
# An id ahead of this server's came here with a backup: whoever was at work then is no more.
IS_OVER: Final = """
SELECT pg_snapshot_xmin(now_seen) >= %(xid)s::xid8 OR pg_snapshot_xmax(now_seen) < %(xid)s::xid8
FROM pg_current_snapshot() AS now_seen
"""
ADD_DAYS: Final = f"""
INSERT INTO loyalty_pointday AS kept (day, kind, postings, points, pending_points, held_points, owed_points)
{liability.OF_DAYS}
ON CONFLICT (day, kind) DO UPDATE SET postings = kept.postings + excluded.postings,
    points = kept.points + excluded.points, pending_points = kept.pending_points + excluded.pending_points,
    held_points = kept.held_points + excluded.held_points, owed_points = kept.owed_points + excluded.owed_points
"""
ADD_MONTHS: Final = """
INSERT INTO loyalty_lotmonth AS kept (active_month, month, came, redeemed, taken_back, expired)
SELECT date_trunc('month', active_at AT TIME ZONE %(zone)s)::date, date_trunc('month', at AT TIME ZONE %(zone)s)::date,
    sum(came), coalesce(sum(points) FILTER (WHERE fate = 'redeemed'), 0),
    coalesce(sum(points) FILTER (WHERE fate = 'taken back'), 0),
    coalesce(sum(points) FILTER (WHERE fate = 'expired'), 0)
FROM (
    SELECT l.active_at, l.active_at AS at, l.points AS came, 0 AS points, '' AS fate
    FROM loyalty_lot l WHERE l.posting_id > %(after)s AND l.posting_id <= %(upto)s
    UNION ALL
    SELECT l.active_at, p.at, 0, a.points, CASE
        WHEN p.kind IN ('redeem', 'hold') OR p.kind IN ('release', 'give_back') AND a.points < 0 THEN 'redeemed'
        WHEN p.kind = 'expire' THEN 'expired' ELSE 'taken back' END
    FROM loyalty_posting p JOIN loyalty_allocation a ON a.posting_id = p.id JOIN loyalty_lot l ON l.id = a.lot_id
    WHERE p.id > %(after)s AND p.id <= %(upto)s
) AS part GROUP BY 1, 2
ON CONFLICT (active_month, month) DO UPDATE SET came = kept.came + excluded.came,
    redeemed = kept.redeemed + excluded.redeemed, taken_back = kept.taken_back + excluded.taken_back,
    expired = kept.expired + excluded.expired
"""
LOOK: Final = """
INSERT INTO loyalty_lotsleft (active_month, last_month, points)
SELECT date_trunc('month', active_at AT TIME ZONE %(zone)s)::date,
    date_trunc('month', (expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date, sum(points_left)
FROM loyalty_lot WHERE state <> 'empty' AND (expires_at IS NULL OR expires_at > %(at)s) GROUP BY 1, 2
"""
# What a redemption cost: what it took off a bill, or what the product costs to buy, as far as that is known.
COSTS: Final = """
UPDATE loyalty_tally SET looked_at = %(at)s, spent_points = told.spent, costed_points = told.costed,
    cost_cents = told.cents
FROM (
    SELECT coalesce(sum(points), 0) AS spent, coalesce(sum(points) FILTER (WHERE cents IS NOT NULL), 0) AS costed,
        round(coalesce(sum(cents), 0)) AS cents
    FROM (
        SELECT r.points, CASE WHEN w.kind IS NULL OR w.kind = 'money' THEN r.money_off_cents
            WHEN w.kind = 'product' THEN p.unit_cost * %(unit)s END AS cents
        FROM loyalty_redemption r LEFT JOIN loyalty_reward w ON w.id = r.reward_id
        LEFT JOIN customers_product p ON p.id = w.product_id
        WHERE r.made_at > %(at)s - interval '365 days' AND r.made_at <= %(at)s
            AND r.state IN ('committed', 'ready', 'handed_over', 'sent')
    ) AS one
) AS told
"""


def catch_up(*, business: Business, at: datetime) -> int:
    """Read on in the ledger; returns how many numbers of postings.

    Within somebody's transaction no mark is made, because its id may be too old (see above).
    """
    read = 0
    for _turn in range(MOST_AT_ONCE):
        read += (step := _add(business=business))
        if not step:
            break
    if not connection.in_atomic_block:
        _mark(at=at)
    if not Tally.objects.filter(looked_at__isnull=False).exists():
        look(business=business, at=at)
    return read


@transaction.atomic
def look(*, business: Business, at: datetime) -> int:
    """Add up what is left of all lots, and what redemptions cost; returns how many sums. The night does it."""
    _locked(business)
    LotsLeft.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"zone": business.time_zone, "at": at})
        written = int(cursor.rowcount)
        cursor.execute(COSTS, {"at": at, "unit": 10 ** money.exponent(business.currency)})
    return written


@transaction.atomic
def forget() -> None:
    """Begin again: what was read is there no more (loyalty.services.removing)."""
    for model in (Tally, PointDay, LotMonth, LotsLeft):
        model.objects.all().delete()


@transaction.atomic
def _add(*, business: Business) -> int:
    """Add postings of the next numbers that nobody can come before any more; how many numbers that were."""
    row = _locked(business)
    upto = min(row.marked_id, row.read_id + AT_ONCE)
    if upto <= row.read_id or not _is_over(row.marked_xid):
        return 0
    with connection.cursor() as cursor:
        params: dict[str, Any] = {"after": row.read_id, "upto": upto, "zone": row.time_zone}
        cursor.execute(ADD_DAYS, params)
        cursor.execute(ADD_MONTHS, params)
    read = upto - row.read_id
    row.read_id, row.read_at = upto, row.marked_at if upto == row.marked_id else row.read_at
    row.save(update_fields=["read_id", "read_at"])
    return read


def _locked(business: Business) -> Tally:
    """The row under a lock. In another zone days are others: everything begins again."""
    row, _is_new = Tally.objects.select_for_update(no_key=True).get_or_create(
        id=1, defaults={"time_zone": business.time_zone}
    )
    if row.time_zone != business.time_zone:
        forget()
        row = Tally.objects.create(time_zone=business.time_zone)
    return row


def _mark(*, at: datetime) -> None:
    """Note the last number, then an id that is younger than whoever has one of these numbers. Two transactions.

    A mark stays until it is reached, or a new one each minute would never be.
    """
    with connection.cursor() as cursor:
        cursor.execute(LAST)
        (last,) = cursor.fetchone()
    reached = Tally.objects.filter(read_id__gte=F("marked_id")).exclude(read_id=last)
    reached.update(marked_id=last, marked_xid=CurrentXid(), marked_at=at)


def _is_over(xid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(IS_OVER, {"xid": str(xid)})
        return bool(cursor.fetchone()[0])
