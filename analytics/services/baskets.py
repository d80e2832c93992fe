"""Baskets: what the orders that stand are made of, by category and price, kept for the customers whose orders changed.

Apart from the summaries, because lines are many more than orders and no model of value waits for them.
"""

from datetime import date
from typing import Final

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from analytics.services import summaries
from core import feed
from core.models import Cursor, Run

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
    SELECT o.id, o.customer_id, o.placed_on, o.placed_at, o.channel
    FROM customers_order o {of_orders}
    WHERE o.status = 'paid' AND o.placed_on <= %(as_of)s AND o.customer_id IS NOT NULL
        AND (o.fully_refunded_on IS NULL OR o.fully_refunded_on > %(as_of)s)
), opening AS (
    SELECT DISTINCT ON (customer_id) customer_id, id, placed_on, channel FROM standing
    ORDER BY customer_id, placed_on, placed_at, id
), back AS (
    SELECT b.line_id, sum(b.net_cents)::bigint AS net
    FROM customers_refund r {of_refunds} JOIN customers_refundline b ON b.refund_id = r.id
    WHERE r.refunded_on <= %(as_of)s GROUP BY 1
), shares AS (
    SELECT o.customer_id, p.category_id,
        sum(l.net_cents - coalesce(b.net, 0))::bigint AS net,
        (sum(l.net_cents - coalesce(b.net, 0)) FILTER (WHERE l.order_id = f.id))::bigint AS first_net,
        sum(l.net_cents + l.discount_cents)::bigint AS gross, sum(l.discount_cents)::bigint AS discount
    FROM standing o JOIN opening f USING (customer_id)
    JOIN customers_orderline l ON l.order_id = o.id JOIN customers_product p ON p.id = l.product_id
    LEFT JOIN back b ON b.line_id = l.id
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
MOVED: Final = """
INSERT INTO changed_customers
SELECT l.customer_id FROM analytics_shelf s LEFT JOIN customers_product p ON p.id = s.product_id
JOIN customers_orderline l ON l.product_id = s.product_id
WHERE p.category_id IS DISTINCT FROM s.category_id AND l.customer_id IS NOT NULL
EXCEPT SELECT customer_id FROM changed_customers;
ANALYZE changed_customers
"""
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
    since, until = feed.position(REACTION), feed.horizon()
    reached = Cursor.objects.get(reaction=REACTION).as_of
    if not since or reached is None or reached > as_of:
        written = rebuild(table=TABLE, as_of=as_of)
    else:
        written = _refresh_changed(since=since, until=until, reached=reached, as_of=as_of)
    with connection.cursor() as cursor:
        cursor.execute(PUT_AWAY)
    Cursor.objects.filter(reaction=REACTION).update(xid=until, as_of=as_of)
    return written


def _refresh_changed(*, since: int, until: int, reached: date, as_of: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(summaries.CHANGED, {"since": str(since), "until": str(until), "from": reached, "as_of": as_of})
        cursor.execute(MOVED)
        cursor.execute(f"SELECT (SELECT count(*) FROM changed_customers), (SELECT count(*) FROM {TABLE})")
        changed, known = cursor.fetchone()
        if changed > summaries.REBUILD_SHARE * known:
            cursor.execute("DROP TABLE changed_customers")
            return rebuild(table=TABLE, as_of=as_of)
        cursor.execute(f"DELETE FROM {TABLE} b USING changed_customers c WHERE c.customer_id = b.customer_id")
        cursor.execute(f"INSERT INTO {TABLE} ({COLUMNS}) {_fill(changed=True)}", {"as_of": as_of})
        written = int(cursor.rowcount)
        cursor.execute("DROP TABLE changed_customers")
        return written


def rebuild(*, table: str, as_of: date) -> int:
    """Compute every basket as of `as_of` into `table` (a trusted name), from the facts known now."""
    summaries.empty(table)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({COLUMNS}) {_fill(changed=False)}", {"as_of": as_of})
        written = int(cursor.rowcount)
        cursor.execute(f"ANALYZE {table}")
    return written


@transaction.atomic
def openings(customer_ids: NDArray[np.int64], *, as_of: date) -> dict[int, tuple[str, int]]:
    """Channel and category (0 for none) of the first order that stands as of a day, by customer."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE changed_customers (customer_id bigint) ON COMMIT DROP")
        cursor.execute("INSERT INTO changed_customers SELECT unnest(%s::bigint[])", [customer_ids.tolist()])
        cursor.execute("ANALYZE changed_customers")
        cursor.execute(OPENINGS.format(fill=_fill(changed=True)), {"as_of": as_of})
        found = {customer: (channel, category) for customer, channel, category in cursor.fetchall()}
        cursor.execute("DROP TABLE changed_customers")
        return found


def _fill(*, changed: bool) -> str:
    if not changed:
        return FILL.format(of_orders="", of_refunds="")
    return FILL.format(
        of_orders="JOIN changed_customers c ON c.customer_id = o.customer_id",
        of_refunds="JOIN changed_customers c ON c.customer_id = r.customer_id",
    )


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
