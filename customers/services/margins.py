"""Margins of lines without a cost follow the rate of their category, or the business's, when a rate is changed.

Lines, refunds and unmatched returns are judged anew, an equal part of the orders per transaction, and only differences
are written. The rates that were applied last are kept, so that a night without a new rate reads no lines.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction

from core import doorbell
from customers.models import AppliedRates
from customers.services.merging import choose_joins, run

ORDERS_PER_STEP: Final = 200_000
RETURNS_PER_STEP: Final = 200_000

LINES: Final = """
DROP TABLE IF EXISTS pg_temp.judged;
CREATE TEMP TABLE judged AS
SELECT l.id, l.order_id, m.margin FROM customers_orderline l
JOIN customers_product p ON p.id = l.product_id LEFT JOIN customers_category c ON c.id = p.category_id
CROSS JOIN LATERAL (SELECT round(l.net_cents * coalesce(c.margin_rate, %(margin_rate)s))::bigint AS margin) m
WHERE l.order_id > %(after)s AND l.order_id <= %(until)s AND l.unit_cost IS NULL AND l.margin_cents <> m.margin;
UPDATE customers_orderline l SET margin_cents = j.margin FROM judged j WHERE l.id = j.id"""

# Differences of totals, so that the parts of a line that came back whole add up to its margin (pricing.refund_margin).
REFUND_LINES: Final = """
UPDATE customers_refundline r SET margin_cents = told.margin
FROM (
    SELECT r.id, CASE WHEN l.net_cents = 0 THEN 0 ELSE
        round(l.margin_cents * sum(r.net_cents) OVER upto / l.net_cents)
        - round(l.margin_cents * (sum(r.net_cents) OVER upto - r.net_cents) / l.net_cents) END::bigint AS margin
    FROM customers_refundline r JOIN judged j ON j.id = r.line_id JOIN customers_orderline l ON l.id = j.id
    WINDOW upto AS (PARTITION BY r.line_id ORDER BY r.id)
) told WHERE r.id = told.id"""

ORDERS: Final = """
UPDATE customers_refund r SET margin_cents = told.margin
FROM (
    SELECT r.id, coalesce(sum(rl.margin_cents) FILTER (WHERE l.counts), 0) AS margin
    FROM customers_refund r JOIN customers_refundline rl ON rl.refund_id = r.id
    JOIN customers_orderline l ON l.id = rl.line_id
    WHERE r.order_id IN (SELECT order_id FROM judged) GROUP BY r.id
) told WHERE r.id = told.id AND r.margin_cents <> told.margin;
UPDATE customers_order o SET margin_cents = told.margin
FROM (
    SELECT l.order_id, coalesce(sum(l.margin_cents) FILTER (WHERE l.counts), 0) AS margin FROM customers_orderline l
    WHERE l.order_id IN (SELECT order_id FROM judged) GROUP BY l.order_id
) told WHERE o.id = told.order_id"""

CHANGES: Final = """
INSERT INTO core_change (kind, object_id)
SELECT DISTINCT 'order', order_id FROM judged
UNION ALL SELECT DISTINCT 'customer_orders', o.customer_id FROM customers_order o
    WHERE o.id IN (SELECT order_id FROM judged) AND o.customer_id IS NOT NULL
UNION ALL (
    SELECT 'day', o.placed_on - date '1970-01-01' FROM customers_order o WHERE o.id IN (SELECT order_id FROM judged)
    UNION SELECT 'day', r.refunded_on - date '1970-01-01' FROM customers_refund r
    WHERE r.order_id IN (SELECT order_id FROM judged)
)"""

UNMATCHED: Final = """
WITH told AS (
    UPDATE customers_unmatchedreturn u SET margin_cents = judged.margin
    FROM (
        SELECT u.id, round(u.value_cents * coalesce(c.margin_rate, %(margin_rate)s))::bigint AS margin
        FROM customers_unmatchedreturn u JOIN customers_product p ON p.id = u.product_id
        LEFT JOIN customers_category c ON c.id = p.category_id
        WHERE u.id > %(after)s AND u.id <= %(until)s AND p.unit_cost IS NULL
    ) judged
    WHERE u.id = judged.id AND u.margin_cents <> judged.margin RETURNING u.customer_id, u.returned_on
), noted AS (
    INSERT INTO seen SELECT DISTINCT customer_id FROM told WHERE customer_id IS NOT NULL ON CONFLICT DO NOTHING
)
INSERT INTO core_change (kind, object_id)
SELECT DISTINCT 'day', returned_on - date '1970-01-01' FROM told
UNION ALL SELECT DISTINCT 'customer_orders', customer_id FROM told WHERE customer_id IS NOT NULL"""

SEEN: Final = """
INSERT INTO seen SELECT DISTINCT o.customer_id FROM customers_order o
WHERE o.id IN (SELECT order_id FROM judged) AND o.customer_id IS NOT NULL ON CONFLICT DO NOTHING"""


RATES: Final = """
SELECT md5(concat_ws('|', trim_scale(%(margin_rate)s::numeric),
    (SELECT string_agg(p.id || ':' || trim_scale(c.margin_rate), ',' ORDER BY p.id) FROM customers_product p
        JOIN customers_category c ON c.id = p.category_id WHERE c.margin_rate IS NOT NULL)))"""


def apply_margin_rates(*, business_rate: Decimal) -> int:
    """Bring every margin that rests on a rate to today's rates. Returns how many customers' figures changed.

    Categories keep their own rates; nothing is written where nothing differs.
    """
    rates = str(_value(RATES, {"margin_rate": business_rate}))
    if AppliedRates.objects.filter(digest=rates).exists():
        return 0
    params = {"margin_rate": business_rate}
    run(("DROP TABLE IF EXISTS pg_temp.seen", "CREATE TEMP TABLE seen (customer_id bigint PRIMARY KEY)"), params)
    for after in range(0, _largest("customers_order"), ORDERS_PER_STEP):
        _apply((LINES, REFUND_LINES, ORDERS, SEEN, CHANGES), {**params, "after": after}, ORDERS_PER_STEP)
    for after in range(0, _largest("customers_unmatchedreturn"), RETURNS_PER_STEP):
        _apply((UNMATCHED,), {**params, "after": after}, RETURNS_PER_STEP)
    AppliedRates.objects.update_or_create(id=1, defaults={"digest": rates})
    return int(_value("SELECT count(*) FROM seen"))


@transaction.atomic
def _apply(statements: tuple[str, ...], params: Mapping[str, Any], step: int) -> None:
    choose_joins()
    run(statements, {**params, "until": params["after"] + step})
    doorbell.ring("orders")


def _largest(table: str) -> int:
    return int(_value(f"SELECT coalesce(max(id), 0) FROM {table}"))


def _value(query: str, params: Mapping[str, Any] | None = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchone()[0]
