"""Who earns or spends keeps all points: where points expire by inactivity, their end moves on."""

from datetime import date, datetime
from typing import Final

from django.db import connection

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


def note(*, customer_id: int, at: datetime) -> None:
    """The customer spent or earned something by herself. Call it after that, in the same transaction."""
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
