"""What the orders of some days would have earned under the rules of now. Whatever is written goes with a rollback."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction

from core.models import Business
from loyalty import worth
from loyalty.earning import MOST_POINTS
from loyalty.models import Programme
from loyalty.selectors import programme as programmes
from loyalty.services import targets

LOOKED_AT: Final = 50_000  # orders; of more, every second, third, …

WHICH: Final = "o.status = 'paid' AND o.customer_id IS NOT NULL AND o.placed_on BETWEEN %(first)s AND %(last)s"
COUNT: Final = f"SELECT count(*) FROM customers_order o WHERE {WHICH}"
ORDERS: Final = f"""
CREATE TEMP TABLE seen_order ON COMMIT DROP AS
SELECT o.id AS order_id, %(at)s::timestamptz AS placed_at, true AS is_anew, o.customer_id, o.value_cents,
    coalesce((SELECT (t.multiplier * 100)::int FROM loyalty_standing s JOIN loyalty_tier t ON t.id = s.tier_id
        WHERE s.customer_id = o.customer_id AND (s.until IS NULL OR s.until >= %(today)s)), 100) AS multiplier
FROM customers_order o WHERE {WHICH} AND o.id %% %(share)s = 0
"""
SUM: Final = """
SELECT count(DISTINCT w.order_id), count(DISTINCT w.order_id) FILTER (WHERE l.points > 0),
    count(DISTINCT w.customer_id) FILTER (WHERE l.points > 0), coalesce(sum(l.points), 0)
FROM seen_order w LEFT JOIN wanted_line l ON l.order_id = w.order_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """`cost_cents` is what the points are worth when they are redeemed. Estimated where only a part was looked at."""

    first: date
    last: date
    orders: int
    earning: int
    customers: int
    points: int
    cost_cents: int
    is_estimated: bool


def of_days(*, first: date, last: date, business: Business, at: datetime, change: Callable[[], object]) -> DryRun:
    """Look at the paid orders of these days as if they were placed now, after `change` (new rules) was done."""
    with transaction.atomic():
        change()
        seen = _look(first, last, business, at)
        transaction.set_rollback(True)
    return seen


def _look(first: date, last: date, business: Business, at: datetime) -> DryRun:
    programme = programmes.current()
    params: dict[str, Any] = {
        "first": first,
        "last": last,
        "at": at,
        "today": at.astimezone(business.zone).date(),
        "before_discount": programme.earn_base == Programme.EarnBase.BEFORE,
        "most": MOST_POINTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNT, params)
        orders = int(cursor.fetchone()[0])
        share = -(-orders // LOOKED_AT) or 1
        cursor.execute("DROP TABLE IF EXISTS pg_temp.seen_order, pg_temp.wanted_line")
        cursor.execute(ORDERS, params | {"share": share})
        cursor.execute(targets.LINES, params)
        cursor.execute(SUM)
        seen, *found = (int(number) for number in cursor.fetchone())
    scale = orders / seen if seen else 0
    earning, customers, points = (round(number * scale) for number in found)
    cost = worth.cents_of(points, worth_cents=programme.worth_cents)
    told = {"orders": orders, "earning": earning, "customers": customers, "points": points, "cost_cents": cost}
    return DryRun(first=first, last=last, is_estimated=share > 1, **told)
