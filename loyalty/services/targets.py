"""What orders are to have been credited, beside what they were: for many orders, in temporary tables.

`seen_order` has a row for each order that is looked at, `wanted_line` what each line of an order earned whose facts are
others than when it was credited, `wanted_credit` the orders whose points are others than those that were credited. An
order is worked out anew only when its facts are others: a rule that was made later, another tier or a refund does not
change what its lines earned. The arithmetic is that of loyalty.earning and loyalty.reversal.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from loyalty.earning import MOST_POINTS
from loyalty.models import Programme
from loyalty.selectors import programme as programmes

# `customer_id` is whose points they are to be: nobody's unless the order is paid, somebody's, and counts.
# The multiplier is that of the tier that was held when the order was placed: the present one, or what the moves say of
# earlier. It stays as it was when the order was credited, as long as it is the same customer's.
ORDERS: Final = """
CREATE TEMP TABLE seen_order ON COMMIT DROP AS
SELECT w.*, w.customer_id IS NOT NULL AND (w.was_facts IS DISTINCT FROM coalesce(w.facts, 0)
        OR w.was_customer IS DISTINCT FROM w.customer_id) AS is_anew,
    CASE WHEN w.was_customer = coalesce(w.customer_id, w.was_customer) THEN w.was_multiplier ELSE coalesce((
        SELECT (t.multiplier * 100)::int FROM loyalty_standing s
        JOIN loyalty_tier t ON t.id = CASE WHEN s.since <= w.placed_at THEN s.tier_id ELSE (
            SELECT m.after_id FROM loyalty_move m WHERE m.customer_id = s.customer_id AND m.at <= w.placed_at
            ORDER BY m.id DESC LIMIT 1) END
        WHERE s.customer_id = w.customer_id
            AND (s.since > w.placed_at OR s.until IS NULL OR s.until >= w.placed_on)), 100) END AS multiplier
FROM (
    SELECT ids.id AS order_id, o.customer_id, o.placed_at, o.placed_on, c.customer_id AS was_customer,
        coalesce(c.points, 0) AS was_points, coalesce(c.forgiven, 0) AS forgiven, coalesce(c.revision, 0) AS revision,
        c.facts AS was_facts, coalesce(c.multiplier, 100) AS was_multiplier, l.facts, l.came_back
    FROM (SELECT DISTINCT unnest(%(ids)s::bigint[]) AS id) AS ids
    LEFT JOIN customers_order o ON o.id = ids.id AND o.status = 'paid' AND o.customer_id IS NOT NULL
        AND o.placed_on >= %(from_day)s AND (%(from_day_counts)s OR o.placed_at >= %(opened_at)s)
        AND NOT o.placed_at <@ %(paused)s::tstzmultirange
    LEFT JOIN loyalty_credit c ON c.order_id = ids.id
    LEFT JOIN LATERAL (
        SELECT hashtextextended(string_agg(concat_ws('/', l.position, l.product_id, l.quantity, l.net_cents,
            l.discount_cents, l.counts), ',' ORDER BY l.position), extract(epoch FROM o.placed_at)::bigint) AS facts,
            bool_or(l.refunded_cents <> 0 OR l.refunded_quantity <> 0) AS came_back
        FROM customers_orderline l WHERE l.order_id = o.id
    ) l ON true
    WHERE o.id IS NOT NULL OR c.order_id IS NOT NULL
) AS w
"""
LINES: Final = """
CREATE TEMP TABLE wanted_line ON COMMIT DROP AS
WITH line AS (
    SELECT w.order_id, l.position, w.multiplier, w.placed_at, l.product_id, p.category_id,
        l.net_cents + CASE WHEN %(before_discount)s THEN l.discount_cents ELSE 0 END AS base,
        (l.quantity * 1000)::bigint AS pieces
    FROM seen_order w JOIN customers_orderline l ON l.order_id = w.order_id AND l.counts
    JOIN customers_product p ON p.id = l.product_id WHERE w.is_anew
), covered AS (
    SELECT line.order_id, line.position, line.base, line.pieces, r.id AS rule_id, r.kind, r.points, r.per_cents,
        r.minimum_cents, r.is_extra, CASE WHEN r.is_multiplied THEN line.multiplier ELSE 100 END AS percent,
        scope.width,
        min(scope.width) FILTER (WHERE NOT r.is_extra) OVER (PARTITION BY line.order_id, line.position) AS narrowest
    FROM line
    JOIN loyalty_earningrule r ON r.kind <> 'segment' AND r.starts_at <= line.placed_at
        AND (r.ends_at IS NULL OR r.ends_at > line.placed_at)
        AND coalesce(r.product_id = line.product_id, r.category_id = line.category_id, r.category_id IS NULL)
    CROSS JOIN LATERAL (SELECT CASE WHEN r.product_id IS NOT NULL THEN 0 WHEN r.category_id IS NOT NULL THEN 1 ELSE 2
        END AS width) AS scope
), weighed AS (
    SELECT *, CASE WHEN base <= 0 THEN 0 WHEN kind = 'piece' THEN pieces ELSE base END::numeric AS weight
    FROM covered WHERE is_extra OR width = narrowest
), summed AS (
    SELECT *, sum(base) OVER of_rule AS all_base, sum(weight) OVER of_rule AS all_weight
    FROM weighed WINDOW of_rule AS (PARTITION BY order_id, rule_id)
), ruled AS (
    SELECT *, least(%(most)s, CASE WHEN all_base <= 0 OR all_base < minimum_cents OR all_weight = 0 THEN 0
        WHEN kind = 'money' THEN div(all_base * points * percent, per_cents::numeric * 100)
        WHEN kind = 'piece' THEN div(all_weight * points * percent, 100000)
        ELSE div(points::numeric * percent, 100) END) AS total
    FROM summed
), shared AS (
    SELECT order_id, rule_id, position, total, div(total * weight, all_weight) AS share,
        row_number() OVER (PARTITION BY order_id, rule_id ORDER BY mod(total * weight, all_weight) DESC, position)
            AS place
    FROM ruled WHERE all_weight > 0
), left_over AS (
    SELECT *, total - sum(share) OVER (PARTITION BY order_id, rule_id) AS rest FROM shared
)
SELECT order_id, position, sum(share + CASE WHEN place <= rest THEN 1 ELSE 0 END)::bigint AS points
FROM left_over GROUP BY order_id, position
"""
# What stays after refunds, of the lines as they were worked out now or when the order was credited; only what differs
# from what was credited. Without customer and without credit it is an order that never had any.
CREDITS: Final = """
CREATE TEMP TABLE wanted_credit ON COMMIT DROP AS
WITH earned AS (
    SELECT order_id, position, points FROM wanted_line
    UNION ALL
    SELECT c.order_id, c.position, c.points FROM loyalty_linecredit c
    JOIN seen_order s ON s.order_id = c.order_id AND s.customer_id IS NOT NULL AND NOT s.is_anew
), returned AS (
    SELECT e.order_id, e.position, CASE
        WHEN l.net_cents <> 0 THEN div(e.points::numeric * abs(l.refunded_cents), abs(l.net_cents))
        WHEN l.quantity > 0 THEN div(e.points * l.refunded_quantity, l.quantity)
        ELSE 0 END AS points
    FROM earned e JOIN seen_order s ON s.order_id = e.order_id AND s.came_back
    JOIN customers_orderline l ON l.order_id = e.order_id AND l.position = e.position
), kept AS (
    SELECT e.order_id, sum(e.points - coalesce(r.points, 0))::bigint AS points
    FROM earned e LEFT JOIN returned r ON r.order_id = e.order_id AND r.position = e.position GROUP BY e.order_id
)
SELECT * FROM (
    SELECT s.*, CASE WHEN s.customer_id IS NULL THEN 0 ELSE coalesce(kept.points, 0) END AS points
    FROM seen_order s LEFT JOIN kept ON kept.order_id = s.order_id
) AS w
WHERE NOT coalesce(NOT is_anew AND points = was_points AND was_customer = customer_id, false)
    AND NOT coalesce(customer_id IS NULL AND was_facts = 0, false)
"""
STATEMENTS: Final = (
    # Sorts of fifty thousand orders stay in memory.
    *(
        "SET LOCAL work_mem = '128MB'",
        "DROP TABLE IF EXISTS pg_temp.seen_order, pg_temp.wanted_line, pg_temp.wanted_credit",
        ORDERS,
        "ANALYZE seen_order (order_id, customer_id, is_anew, came_back)",
    ),
    *(LINES, "ANALYZE wanted_line (order_id)", CREDITS, "ANALYZE wanted_credit (order_id)"),
)


def look_up(*, order_ids: Sequence[int], programme: Programme) -> None:
    """Make the three tables, which live until the end of the transaction. The programme is switched on."""
    params: dict[str, Any] = {
        "ids": list(order_ids),
        "from_day": programme.credit_from or "-infinity",
        "from_day_counts": programme.credit_from is not None,
        "opened_at": programme.opened_at,
        "paused": programmes.paused(programme),
        "before_discount": programme.earn_base == Programme.EarnBase.BEFORE,
        "most": MOST_POINTS,
    }
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement, params if "%(" in statement else None)
