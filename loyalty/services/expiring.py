"""Telling receivers of points that are about to expire, once for each customer and day."""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import connection

from core.models import Business

AHEAD: Final = timedelta(days=30)

# Lots whose end comes within the business day that lies so far ahead: each day is looked at by one night.
TELL: Final = """
WITH ending AS (
    SELECT a.customer_id, sum(l.points_left)::bigint AS points, min(l.expires_at) AS expires_at
    FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id
    WHERE l.state = 'active' AND l.points_left > 0 AND l.expires_at > %(begin)s AND l.expires_at <= %(end)s
    GROUP BY a.customer_id
), told AS (
    SELECT perennial_tell(array_agg('points.expiring'::text ORDER BY customer_id),
        array_agg('expiring:' || customer_id || ':' || %(day)s ORDER BY customer_id),
        array_agg(jsonb_build_object('customer', customer_id::text, 'points', points, 'expires_at', expires_at)
            ORDER BY customer_id),
        array_agg(%(at)s::timestamptz ORDER BY customer_id)), count(*) AS number
    FROM ending HAVING count(*) > 0
)
SELECT coalesce(sum(number), 0)::bigint FROM told
"""


def tell(*, as_of: date, business: Business, at: datetime) -> int:
    """Returns how many customers it concerns. The same day again tells nobody twice."""
    day = as_of + AHEAD
    begin = datetime.combine(day, time(), business.zone)
    end = datetime.combine(day + timedelta(days=1), time(), business.zone)
    with connection.cursor() as cursor:
        cursor.execute(TELL, {"begin": begin, "end": end, "day": day.isoformat(), "at": at})
        return int(cursor.fetchone()[0])
