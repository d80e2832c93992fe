"""Purchase summaries: what the engine reads, kept up to date for the customers whose orders changed.

The cost follows what changed (analytics.services.following).
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection, transaction

from analytics.services import following
from core import feed

REACTION: Final = "purchase summaries"
TABLE: Final = "analytics_purchasesummary"
PAST_PREFIX: Final = "analytics_summary_of_run_"

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
    FROM {orders} o
    WHERE o.status = 'paid' AND o.placed_on <= %(as_of)s AND o.customer_id IS NOT NULL
    GROUP BY 1, 2
), back AS (
    SELECT o.customer_id, o.placed_on,
        sum(r.value_cents)::bigint AS value_back,
        sum(r.value_cents) FILTER (WHERE r.refunded_on > o.placed_on) AS refunded,
        sum(r.margin_cents)::bigint AS margin_back
    FROM {refunds} r JOIN {orders} o ON o.id = r.order_id AND o.customer_id = r.customer_id
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
    FROM {returns} u
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


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many summaries were written, and up to which transaction facts were read."""

    written: int
    facts_xid: int


@transaction.atomic
def refresh(*, as_of: date) -> Refreshed:
    """Bring the summaries to `as_of`, computing only what changed since the last time."""
    until = feed.horizon()
    written = following.follow(
        reaction=REACTION,
        table=TABLE,
        as_of=as_of,
        until=until,
        exchange=lambda: _exchange(as_of),
        rebuild=lambda: rebuild(table=TABLE, as_of=as_of),
    )
    return Refreshed(written=written, facts_xid=until)


def _exchange(as_of: date) -> int:
    following.gather("orders", "refunds", "returns")
    return following.exchange(table=TABLE, columns=COLUMNS, query=SUMMARISE, as_of=as_of)


def rebuild(*, table: str, as_of: date) -> int:
    """Compute every summary as of `as_of` into `table` (a trusted name), from the facts known now."""
    return following.rebuild(table=table, columns=COLUMNS, query=SUMMARISE, as_of=as_of)


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
