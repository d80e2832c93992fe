"""Totals per business date, kept up to date day by day, so that no page adds up millions of orders."""

from typing import Final

from django.db import connection, transaction

from core import feed
from core.models import Change, Cursor

REACTION: Final = "day totals"

ADD_UP: Final = """
INSERT INTO analytics_daytotals (day, orders, buyers, value_cents, refunds_cents, margin_cents)
WITH sold AS (
    SELECT placed_on AS day, sum(orders) AS orders, count(customer_id) AS buyers,
        sum(value_cents) AS value_cents, sum(margin_cents) AS margin_cents
    FROM (
        SELECT placed_on, customer_id, count(*) AS orders,
            sum(value_cents) AS value_cents, sum(margin_cents) AS margin_cents
        FROM customers_order WHERE status = 'paid' {of_orders} GROUP BY 1, 2
    ) AS per_customer GROUP BY 1
), back AS (
    SELECT day, sum(value_cents) AS value_cents, sum(margin_cents) AS margin_cents
    FROM (
        SELECT refunded_on AS day, value_cents, margin_cents FROM customers_refund WHERE true {of_refunds}
        UNION ALL
        SELECT returned_on, value_cents, margin_cents FROM customers_unmatchedreturn WHERE true {of_returns}
    ) AS returned GROUP BY 1
)
SELECT day, coalesce(sold.orders, 0), coalesce(sold.buyers, 0),
    coalesce(sold.value_cents, 0) - coalesce(back.value_cents, 0), coalesce(back.value_cents, 0),
    coalesce(sold.margin_cents, 0) - coalesce(back.margin_cents, 0)
FROM sold FULL JOIN back USING (day)
"""


@transaction.atomic
def refresh() -> int:
    """Add up again the days whose facts changed; returns how many days. The first time, all of them."""
    since, until = feed.position(REACTION), feed.horizon()
    days = None if since == 0 else feed.pending(Change.Kind.DAY, since=since, until=until)
    written = _add_up(days)
    Cursor.objects.filter(reaction=REACTION).update(xid=until)
    return written


def _add_up(days: list[int] | None) -> int:
    if days is not None and not days:
        return 0
    with connection.cursor() as cursor:
        if days is None:
            cursor.execute("DELETE FROM analytics_daytotals")
            cursor.execute(ADD_UP.format(of_orders="", of_refunds="", of_returns=""))
        else:
            chosen = "AND {} IN (SELECT date '1970-01-01' + d::int FROM unnest(%(days)s::bigint[]) AS d)"
            parts = {"of_orders": "placed_on", "of_refunds": "refunded_on", "of_returns": "returned_on"}
            cursor.execute(f"DELETE FROM analytics_daytotals WHERE true {chosen.format('day')}", {"days": days})
            cursor.execute(
                ADD_UP.format(**{key: chosen.format(column) for key, column in parts.items()}), {"days": days}
            )
        return int(cursor.rowcount)
