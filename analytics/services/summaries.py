"""Purchase summaries: what the engine reads, kept up to date for the customers whose orders changed.

The cost follows what changed: customers named by the change feed, and those with a fact dated between the last
business date and this one.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import OperationalError, connection, transaction

from core import feed
from core.models import Cursor

REACTION: Final = "purchase summaries"
TABLE: Final = "analytics_purchasesummary"
PAST_PREFIX: Final = "analytics_summary_of_run_"
# Above this share of changed customers, everything is computed again: one pass is cheaper than many look-ups.
REBUILD_SHARE: Final = 0.2

COLUMNS: Final = (
    "customer_id, orders, order_days, first_at, last_at, first_on, last_on,"
    " value_cents, repeat_value_cents, margin_cents, prior_on, log_gaps, paid_days, log_value, log_value_sq,"
    " refunded_cents"
)

# Two steps (days, then customers) instead of count(distinct day), which sorts. A day whose orders all came back is no
# order day, but its money counts until the refund, and the refund after.
SUMMARISE: Final = """
WITH paid AS (
    SELECT o.customer_id, o.placed_on,
        count(*) FILTER (WHERE o.fully_refunded_on > %(as_of)s IS NOT FALSE) AS orders,
        coalesce(min(o.placed_at) FILTER (WHERE o.fully_refunded_on > %(as_of)s IS NOT FALSE), min(o.placed_at))
            AS first_at,
        coalesce(max(o.placed_at) FILTER (WHERE o.fully_refunded_on > %(as_of)s IS NOT FALSE), max(o.placed_at))
            AS last_at,
        sum(o.value_cents)::bigint AS value_cents, sum(o.margin_cents)::bigint AS margin_cents
    FROM customers_order o {of_orders}
    WHERE o.status = 'paid' AND o.placed_on <= %(as_of)s AND o.customer_id IS NOT NULL
    GROUP BY 1, 2
), back AS (
    SELECT o.customer_id, o.placed_on,
        sum(r.value_cents)::bigint AS value_back,
        sum(r.value_cents) FILTER (WHERE r.refunded_on > o.placed_on) AS refunded,
        sum(r.margin_cents)::bigint AS margin_back
    FROM customers_refund r {of_refunds} JOIN customers_order o ON o.id = r.order_id AND o.customer_id = r.customer_id
    WHERE r.refunded_on <= %(as_of)s AND o.status = 'paid' AND o.customer_id IS NOT NULL
    GROUP BY 1, 2
), seen AS (
    SELECT *, value_cents - coalesce(value_back, 0) AS net, margin_cents - coalesce(margin_back, 0) AS net_margin,
        min(placed_on) FILTER (WHERE orders > 0) OVER (PARTITION BY customer_id) AS first_on,
        max(placed_on) FILTER (WHERE orders > 0) OVER earlier AS before_on
    FROM paid LEFT JOIN back USING (customer_id, placed_on)
    WINDOW earlier AS (PARTITION BY customer_id ORDER BY placed_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), days AS (
    SELECT *, max(before_on) FILTER (WHERE orders > 0) OVER earlier AS prior_on,
        CASE WHEN orders > 0 AND placed_on > first_on THEN ln((placed_on - before_on)::float8) END AS log_gap,
        CASE WHEN orders > 0 AND placed_on > first_on AND net > 0 THEN ln(net::float8) END AS log_net
    FROM seen
    WINDOW earlier AS (PARTITION BY customer_id ORDER BY placed_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), lost AS (
    SELECT customer_id, sum(u.value_cents)::bigint AS value_lost, sum(u.margin_cents)::bigint AS margin_lost
    FROM customers_unmatchedreturn u {of_returns}
    WHERE u.returned_on <= %(as_of)s AND u.customer_id IS NOT NULL
    GROUP BY 1
), people AS (
    SELECT customer_id,
        sum(orders)::int AS orders, (count(*) FILTER (WHERE orders > 0))::int AS order_days,
        coalesce(min(first_at) FILTER (WHERE orders > 0), min(first_at)) AS first_at,
        coalesce(max(last_at) FILTER (WHERE orders > 0), max(last_at)) AS last_at,
        coalesce(min(first_on), min(placed_on)) AS first_on,
        coalesce(max(placed_on) FILTER (WHERE orders > 0), max(placed_on)) AS last_on,
        sum(net)::bigint AS net, coalesce(sum(net) FILTER (WHERE placed_on > first_on), 0)::bigint AS repeat_net,
        sum(net_margin)::bigint AS net_margin,
        max(prior_on) FILTER (WHERE orders > 0) AS prior_on, coalesce(sum(log_gap), 0) AS log_gaps,
        count(log_net)::int AS paid_days, coalesce(sum(log_net), 0) AS log_value,
        coalesce(sum(log_net * log_net), 0) AS log_value_sq, coalesce(sum(refunded), 0)::bigint AS refunded
    FROM days GROUP BY 1
)
SELECT customer_id, orders, order_days, first_at, last_at, first_on, last_on,
    net - coalesce(value_lost, 0),
    CASE WHEN order_days > 1 THEN repeat_net - coalesce(value_lost, 0) ELSE 0 END,
    net_margin - coalesce(margin_lost, 0),
    coalesce(prior_on, first_on), log_gaps, paid_days, log_value, log_value_sq,
    refunded + coalesce(value_lost, 0)
FROM people LEFT JOIN lost USING (customer_id)
ORDER BY customer_id
"""

CHANGED: Final = """
CREATE TEMP TABLE changed_customers ON COMMIT DROP AS
SELECT object_id AS customer_id FROM core_change
WHERE kind = 'customer_orders' AND xid >= %(since)s::xid8 AND xid < %(until)s::xid8
UNION SELECT customer_id FROM customers_order
WHERE placed_on > %(from)s AND placed_on <= %(as_of)s AND customer_id IS NOT NULL
UNION SELECT customer_id FROM customers_refund
WHERE refunded_on > %(from)s AND refunded_on <= %(as_of)s AND customer_id IS NOT NULL
UNION SELECT customer_id FROM customers_unmatchedreturn
WHERE returned_on > %(from)s AND returned_on <= %(as_of)s AND customer_id IS NOT NULL;
ANALYZE changed_customers
"""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many summaries were written, and up to which transaction facts were read."""

    written: int
    facts_xid: int


@transaction.atomic
def refresh(*, as_of: date) -> Refreshed:
    """Bring the summaries to `as_of`, computing only what changed since the last time."""
    since, until = feed.position(REACTION), feed.horizon()
    reached = Cursor.objects.get(reaction=REACTION).as_of
    if not since or reached is None or reached > as_of:
        written = rebuild(table=TABLE, as_of=as_of)
    else:
        written = _refresh_changed(since=since, until=until, reached=reached, as_of=as_of)
    Cursor.objects.filter(reaction=REACTION).update(xid=until, as_of=as_of)
    return Refreshed(written=written, facts_xid=until)


def _refresh_changed(*, since: int, until: int, reached: date, as_of: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, {"since": str(since), "until": str(until), "from": reached, "as_of": as_of})
        cursor.execute(f"SELECT (SELECT count(*) FROM changed_customers), (SELECT count(*) FROM {TABLE})")
        changed, known = cursor.fetchone()
        if changed > REBUILD_SHARE * known:
            cursor.execute("DROP TABLE changed_customers")
            return rebuild(table=TABLE, as_of=as_of)
        cursor.execute(f"DELETE FROM {TABLE} s USING changed_customers c WHERE c.customer_id = s.customer_id")
        cursor.execute(f"INSERT INTO {TABLE} ({COLUMNS}) {_summarise(changed=True)}", {"as_of": as_of})
        written = int(cursor.rowcount)
        cursor.execute("DROP TABLE changed_customers")
        return written


def rebuild(*, table: str, as_of: date) -> int:
    """Compute every summary as of `as_of` into `table` (a trusted name), from the facts known now."""
    with connection.cursor() as cursor:
        empty(table)
        cursor.execute(f"INSERT INTO {table} ({COLUMNS}) {_summarise(changed=False)}", {"as_of": as_of})
        written = int(cursor.rowcount)
        cursor.execute(f"ANALYZE {table}")
    return written


def empty(table: str) -> None:
    """TRUNCATE, or row by row beside somebody who reads for long, such as a backup."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute("SET LOCAL lock_timeout = '3s'")
                cursor.execute(f"TRUNCATE {table}")
        except OperationalError:
            cursor.execute(f"DELETE FROM {table}")


def _summarise(*, changed: bool) -> str:
    if not changed:
        return SUMMARISE.format(of_orders="", of_refunds="", of_returns="")
    return SUMMARISE.format(
        of_orders="JOIN changed_customers c ON c.customer_id = o.customer_id",
        of_refunds="JOIN changed_customers c ON c.customer_id = r.customer_id",
        of_returns="JOIN changed_customers c USING (customer_id)",
    )


def past_table(run_id: int) -> str:
    return f"{PAST_PREFIX}{int(run_id)}"


@transaction.atomic
def build_past(*, run_id: int, as_of: date) -> Refreshed:
    """Summaries for a past date, beside the kept ones: a table of the run's own, dropped when the run is tidied up.

    A logged table: a crash of PostgreSQL empties others, and an empty night would be published.
    """
    table, until = past_table(run_id), feed.horizon()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (LIKE {TABLE} INCLUDING INDEXES)")
    return Refreshed(written=rebuild(table=table, as_of=as_of), facts_xid=until)
