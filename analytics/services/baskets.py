"""Baskets: what the orders that stand are made of, by category and price, kept for the customers whose orders changed.

Apart from the summaries, because lines are many more than orders and no model of value waits for them.
"""

from datetime import date
from typing import Final

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from analytics.services import following
from core.models import Run

REACTION: Final = "baskets"
TABLE: Final = "analytics_basket"
PAST_PREFIX: Final = "analytics_basket_of_run_"

COLUMNS: Final = (
    "customer_id, first_on, first_channel, first_category_id, main_category_id, gross_cents, discount_cents"
)

# Categories compete by what was paid for them and did not come back; of equal ones the oldest wins. Gross and discounts
# are as sold. A largest [net, -id] needs no sort, unlike an array_agg in order of net.
FILL: Final = """
WITH standing AS NOT MATERIALIZED (
    SELECT id, customer_id, placed_on, placed_at, channel FROM {orders}
    WHERE status = 'paid' AND placed_on <= %(as_of)s AND customer_id IS NOT NULL
        AND (fully_refunded_on IS NULL OR fully_refunded_on > %(as_of)s)
), opening AS (
    SELECT DISTINCT ON (customer_id) customer_id, id, placed_on, channel FROM standing
    ORDER BY customer_id, placed_on, placed_at, id
), back AS (
    SELECT b.line_id, sum(b.net_cents)::bigint AS net
    FROM {refunds} r JOIN customers_refundline b ON b.refund_id = r.id
    WHERE r.refunded_on <= %(as_of)s GROUP BY 1
), shares AS (
    SELECT l.customer_id, p.category_id,
        sum(l.net_cents - coalesce(b.net, 0))::bigint AS net,
        (sum(l.net_cents - coalesce(b.net, 0)) FILTER (WHERE f.id IS NOT NULL))::bigint AS first_net,
        sum(l.net_cents + l.discount_cents)::bigint AS gross, sum(l.discount_cents)::bigint AS discount
    FROM standing o JOIN {lines} l ON l.order_id = o.id JOIN customers_product p ON p.id = l.product_id
    LEFT JOIN opening f ON f.id = l.order_id LEFT JOIN back b ON b.line_id = l.id
    WHERE l.counts
    GROUP BY 1, 2
), people AS (
    SELECT customer_id, sum(gross)::bigint AS gross, sum(discount)::bigint AS discount,
        -(max(ARRAY[first_net, -category_id]) FILTER (WHERE category_id > 0 AND first_net IS NOT NULL))[2] AS first_one,
        -(max(ARRAY[net, -category_id]) FILTER (WHERE category_id > 0))[2] AS main_one
    FROM shares GROUP BY 1
)
SELECT customer_id, f.placed_on, f.channel, first_one, main_one, coalesce(gross, 0), coalesce(discount, 0)
FROM opening f LEFT JOIN people USING (customer_id)
ORDER BY customer_id
"""

OPENINGS: Final = "SELECT customer_id, channel, coalesce(first_one, 0) FROM ({fill}) filled"

# Products in another category than the baskets were made with. Who bought one is kept until the cohorts have seen it.
MOVED: Final = """
SELECT s.product_id FROM analytics_shelf s LEFT JOIN customers_product p ON p.id = s.product_id
WHERE p.category_id IS DISTINCT FROM s.category_id
"""
BUYERS: Final = """
SELECT customer_id FROM customers_orderline
WHERE product_id = ANY(ARRAY{products}::bigint[]) AND customer_id IS NOT NULL
"""
ALSO_CHANGED: Final = (
    f"INSERT INTO analytics_movedbasket {BUYERS} ON CONFLICT DO NOTHING",
    f"INSERT INTO changed_customers {BUYERS} EXCEPT SELECT customer_id FROM changed_customers",
)
PUT_AWAY: Final = """
DELETE FROM analytics_shelf s WHERE NOT EXISTS (SELECT FROM customers_product p WHERE p.id = s.product_id);
INSERT INTO analytics_shelf (product_id, category_id) SELECT p.id, p.category_id FROM customers_product p
WHERE NOT EXISTS (
    SELECT FROM analytics_shelf s WHERE s.product_id = p.id AND s.category_id IS NOT DISTINCT FROM p.category_id
)
ON CONFLICT (product_id) DO UPDATE SET category_id = excluded.category_id
"""


@transaction.atomic
def refresh(*, as_of: date) -> int:
    """Bring the baskets to `as_of`, computing only what changed since the last time; returns how many were written."""
    written = following.follow(
        reaction=REACTION,
        table=TABLE,
        as_of=as_of,
        also_changed=_of_moved_products(),
        exchange=lambda: _exchange(as_of),
        rebuild=lambda: rebuild(table=TABLE, as_of=as_of),
    )
    with connection.cursor() as cursor:
        cursor.execute(PUT_AWAY)
    return written


def _of_moved_products() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(MOVED)
        products = [product for (product,) in cursor.fetchall()]
    return [statement.format(products=products) for statement in ALSO_CHANGED] if products else []


def _exchange(as_of: date) -> int:
    following.gather("orders", "lines", "refunds")
    return following.exchange(table=TABLE, columns=COLUMNS, query=FILL, as_of=as_of)


def rebuild(*, table: str, as_of: date) -> int:
    """Compute every basket as of `as_of` into `table` (a trusted name), from the facts known now."""
    return following.rebuild(table=table, columns=COLUMNS, query=FILL, as_of=as_of)


@transaction.atomic
def openings(customer_ids: NDArray[np.int64], *, as_of: date) -> dict[int, tuple[str, int]]:
    """Channel and category (0 for none) of the first order that stands as of a day, by customer."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE changed_customers (customer_id bigint) ON COMMIT DROP")
        cursor.execute("INSERT INTO changed_customers SELECT unnest(%s::bigint[])", [customer_ids.tolist()])
        cursor.execute("ANALYZE changed_customers")
        following.gather("orders", "lines", "refunds")
        cursor.execute(OPENINGS.format(fill=FILL.format_map(following.OF_CHANGED)), {"as_of": as_of})
        found = {customer: (channel, category) for customer, channel, category in cursor.fetchall()}
        cursor.execute(following.FORGET)
        return found


def table_of(run: Run) -> str:
    return past_table(run.pk) if run.is_past else TABLE


def past_table(run_id: int) -> str:
    return f"{PAST_PREFIX}{int(run_id)}"


@transaction.atomic
def build_past(*, run_id: int, as_of: date) -> int:
    """Baskets for a past date, in a table of the run's own, dropped when the run is tidied up."""
    table = past_table(run_id)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} (LIKE {TABLE} INCLUDING INDEXES)")
    return rebuild(table=table, as_of=as_of)
