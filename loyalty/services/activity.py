"""Who earns or spends keeps all points: where points expire by inactivity, their end moves on.

Earning moves it at once. Redeeming is a matter of a moment at the till, so the sweep of each minute looks after those
who did, before it lets anything expire.
"""

from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection, transaction

from core import business as settings_row
from loyalty import expiry
from loyalty.expiry import Terms
from loyalty.selectors import programme as programmes

ONE: Final = """
UPDATE loyalty_lot l SET expires_at = %(end)s
WHERE l.account_id = (SELECT coalesce(merged_into_id, id) FROM loyalty_account WHERE customer_id = %(customer)s)
    AND l.state <> 'empty' AND l.expires_at < %(end)s
"""
# The accounts of loyalty.services.many, by the last day on which somebody bought. Their rows are locked.
LAST_DAYS: Final = "SELECT DISTINCT max(placed_on) OVER (PARTITION BY account_id) FROM timed_posting"
ALL: Final = """
UPDATE loyalty_lot l SET expires_at = moved.until
FROM (
    SELECT p.account_id, max(p.placed_on) AS last_day FROM timed_posting p GROUP BY p.account_id
) AS last JOIN unnest(%(days)s::date[], %(ends)s::timestamptz[]) AS moved (day, until) ON moved.day = last.last_day
WHERE l.account_id = last.account_id AND l.state <> 'empty' AND l.expires_at < moved.until
"""

LOOK_BACK: Final = timedelta(days=2)  # of redemptions: longer than nobody swept
SPENT: Final = """
SELECT a.id, s.day FROM loyalty_account a JOIN (
    SELECT customer_id, max((made_at AT TIME ZONE %(zone)s)::date) AS day FROM loyalty_redemption
    WHERE made_at BETWEEN %(since)s AND %(at)s AND posting_id IS NOT NULL GROUP BY customer_id
) s ON s.customer_id = a.customer_id ORDER BY a.id FOR NO KEY UPDATE OF a
"""
MOVE: Final = """
UPDATE loyalty_lot l SET expires_at = spent.until
FROM unnest(%(accounts)s::bigint[], %(ends)s::timestamptz[]) AS spent (account_id, until)
WHERE l.account_id = spent.account_id AND l.state <> 'empty' AND l.expires_at < spent.until
"""


def note(*, customer_id: int, at: datetime) -> None:
    """The customer earned something. Call it after that, in the same transaction."""
    end = expiry.after_activity(programmes.terms(programmes.current()), at=at)
    if end is not None:
        with connection.cursor() as cursor:
            cursor.execute(ONE, {"customer": customer_id, "end": end})


def move_ends_of_all(*, terms: Terms) -> None:
    """The same for everybody in `timed_posting` (loyalty.services.many)."""
    if terms.kind != "inactivity":
        return
    with connection.cursor() as cursor:
        cursor.execute(LAST_DAYS)
        days: list[date] = [day for (day,) in cursor.fetchall()]
        ends = [expiry.end_of(terms, active_on=day) for day in days]
        cursor.execute(ALL, {"days": days, "ends": ends})


@transaction.atomic
def catch_up(*, at: datetime) -> int:
    """Move the ends of the points of who redeemed lately; returns how many lots moved."""
    business = settings_row.current()
    terms = programmes.terms(programmes.current(), business)
    if terms.kind != "inactivity":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(SPENT, {"zone": business.time_zone, "since": at - LOOK_BACK, "at": at})
        found = cursor.fetchall()
        ends = [expiry.end_of(terms, active_on=day) for _, day in found]
        cursor.execute(MOVE, {"accounts": [pk for pk, _ in found], "ends": ends})
        return int(cursor.rowcount)
