"""Totals per business date, kept up to date day by day, so that no page adds up millions of orders.

The fingerprint of a day is a sum of hashes, 31 bits each: of the customer, orders and value of each who bought, and of
the customer, day of the order and value of each return.
"""

from typing import Final

from django.db import connection, transaction

from core import feed
from core.models import Change

REACTION: Final = "day totals"
TABLE: Final = "analytics_daytotals"

ADD_UP: Final = f"""
INSERT INTO {TABLE} (day, orders, buyers, value_cents, refunds_cents, margin_cents, fingerprint)
WITH sold AS (
    SELECT placed_on AS day, sum(orders) AS orders, count(customer_id) AS buyers,
        sum(value_cents) AS value_cents, sum(margin_cents) AS margin_cents,
        sum(hashtextextended(concat_ws('/', customer_id, orders, value_cents), 0) >> 33) AS fingerprint
    FROM (
        SELECT placed_on, customer_id, count(*) AS orders,
            sum(value_cents) AS value_cents, sum(margin_cents) AS margin_cents
        FROM customers_order WHERE status = 'paid' {{of_orders}} GROUP BY 1, 2
    ) AS per_customer GROUP BY 1
), back AS (
    SELECT day, sum(value_cents) AS value_cents, sum(margin_cents) AS margin_cents,
        sum(hashtextextended(concat_ws('/', customer_id, placed_on, value_cents), 1) >> 33) AS fingerprint
    FROM (
        SELECT r.refunded_on AS day, r.value_cents, r.margin_cents, o.customer_id, o.placed_on
        FROM customers_refund r JOIN customers_order o ON o.id = r.order_id
        WHERE o.status = 'paid' {{of_refunds}}
        UNION ALL
        SELECT returned_on, value_cents, margin_cents, customer_id, NULL
        FROM customers_unmatchedreturn WHERE true {{of_returns}}
    ) AS returned GROUP BY 1
)
SELECT day, coalesce(sold.orders, 0), coalesce(sold.buyers, 0),
    coalesce(sold.value_cents, 0) - coalesce(back.value_cents, 0), coalesce(back.value_cents, 0),
    coalesce(sold.margin_cents, 0) - coalesce(back.margin_cents, 0),
    coalesce(sold.fingerprint, 0) + coalesce(back.fingerprint, 0)
FROM sold FULL JOIN back USING (day)
"""
DAYS: Final = {
    "of_orders": "placed_on",
    "of_refunds": "r.refunded_on",
    "of_returns": "returned_on",
}
CHOSEN: Final = "AND {day} IN (SELECT date '1970-01-01' + d::int FROM unnest(%(days)s::bigint[]) AS d)"


@transaction.atomic
def refresh() -> int:
    """Add up again the days whose facts changed; returns how many days. The first time, all of them."""
    since, until = feed.position(REACTION), feed.horizon()
    written = _add_up(feed.pending(Change.Kind.DAY, since=since, until=until)) if since else _add_up_all()
    feed.advance(REACTION, until)
    return written


def _add_up_all() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")
        cursor.execute(ADD_UP.format_map(dict.fromkeys(DAYS, "")))
        return int(cursor.rowcount)


def _add_up(days: list[int]) -> int:
    if not days:
        return 0
    parts = {name: CHOSEN.format(day=column) for name, column in DAYS.items()}
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE true {CHOSEN.format(day='day')}", {"days": days})
        cursor.execute(ADD_UP.format_map(parts), {"days": days})
        return int(cursor.rowcount)
