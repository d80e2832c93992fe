"""Profit per customer: margin less what it cost to win, to serve and to keep her, and the day it became one.

What a channel cost in a month is divided among the customers it won in that month, to the last cent: the first in the
order of ids take what is left over. Orders and returns are counted from the facts at their unit costs of today, all
others were told with their price. The cost follows what changed: customers whose facts changed, and those of the
channels and months whose spend or number of customers did.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction

from analytics.clv import profit
from analytics.clv.history import History
from analytics.models import AppliedUnitCosts
from analytics.services import baskets, following
from core import money
from core.models import Cursor, Run
from customers.services.merging import run

REACTION: Final = "profit"
TABLE: Final = "analytics_profit"
CELLS: Final = "analytics_channelmonth"
PAST_PREFIX: Final = "analytics_profit_of_run_"

NOBODY: Final = "CREATE TEMP TABLE changed_customers (customer_id bigint) ON COMMIT DROP"
ALSO_CHANGED: Final = """
INSERT INTO changed_customers
SELECT object_id FROM core_change
WHERE kind = 'customer_costs' AND xid >= %(since)s::xid8 AND xid < %(until)s::xid8
UNION SELECT customer_id FROM customers_cost WHERE spent_on > %(from)s AND spent_on <= %(as_of)s
EXCEPT SELECT customer_id FROM changed_customers"""

# Read once: somebody may write other spend before this is done.
SPEND: Final = """
CREATE TEMP TABLE spend ON COMMIT DROP AS
SELECT channel, month, amount_cents FROM customers_acquisitioncost WHERE month <= %(as_of)s"""

ACQUIRED: Final = """
CREATE TEMP TABLE acquired ON COMMIT DROP AS
SELECT b.customer_id, b.first_channel AS channel, b.first_on - extract(day FROM b.first_on)::int + 1 AS month
FROM {baskets} b {of_baskets};
ANALYZE acquired"""

# The channels and months whose spend is to be divided anew: somebody came or went, or the spend is another.
TOUCHED: Final = """
CREATE TEMP TABLE touched ON COMMIT DROP AS
WITH was AS (
    SELECT p.customer_id, p.channel, p.acquired_on - extract(day FROM p.acquired_on)::int + 1 AS month
    FROM {profit} p JOIN changed_customers c USING (customer_id) WHERE p.acquired_on IS NOT NULL
), moved AS (
    SELECT a.channel, a.month, w.channel AS old_channel, w.month AS old_month
    FROM acquired a FULL JOIN was w USING (customer_id) WHERE (a.channel, a.month) IS DISTINCT FROM (w.channel, w.month)
)
SELECT channel, month FROM moved WHERE month IS NOT NULL
UNION SELECT old_channel, old_month FROM moved WHERE old_month IS NOT NULL
UNION SELECT channel, month FROM spend s FULL JOIN {cells} c USING (channel, month)
WHERE coalesce(s.amount_cents, 0) <> coalesce(c.amount_cents, 0);
ANALYZE touched"""

SHARES: Final = """
CREATE TEMP TABLE shares ON COMMIT DROP AS
WITH members AS (
    SELECT customer_id, channel, month FROM acquired JOIN touched USING (channel, month)
    UNION ALL
    SELECT p.customer_id, t.channel, t.month FROM touched t
    JOIN {profit} p ON p.channel = t.channel
        AND p.acquired_on >= t.month AND p.acquired_on < t.month + interval '1 month'
    WHERE NOT EXISTS (SELECT FROM changed_customers c WHERE c.customer_id = p.customer_id)
)
SELECT customer_id, channel, month, div(amount, count(*) OVER cell)::bigint
    + (row_number() OVER (PARTITION BY channel, month ORDER BY customer_id) <= amount %% count(*) OVER cell)::int
    AS acquisition_cents
FROM members LEFT JOIN spend USING (channel, month)
CROSS JOIN LATERAL (SELECT coalesce(amount_cents, 0) AS amount) told
WINDOW cell AS (PARTITION BY channel, month);
ANALYZE shares;
INSERT INTO changed_customers
SELECT customer_id FROM shares s JOIN {profit} p USING (customer_id)
WHERE s.acquisition_cents <> p.acquisition_cents
    AND NOT EXISTS (SELECT FROM changed_customers c WHERE c.customer_id = p.customer_id);
ANALYZE changed_customers"""

# What each customer cost to win: a new share, or the one of before.
WON: Final = """
CREATE TEMP TABLE won ON COMMIT DROP AS
SELECT customer_id, b.first_on, b.first_channel AS channel,
    coalesce(s.acquisition_cents, k.acquisition_cents, 0) AS acquisition_cents
FROM {baskets} b {of_baskets} LEFT JOIN shares s USING (customer_id) LEFT JOIN {profit} k USING (customer_id);
ANALYZE won"""

# By customer and day, then day by day. A day is below while margin does not cover the costs and the acquisition by its
# end; she is profitable since the day after the last such day on which anything happened.
FIGURES: Final = """
INSERT INTO {profit} AS p (customer_id, acquired_on, channel, acquisition_cents, margin_cents, cost_cents, other_cents,
    profitable_on)
WITH moved AS (
    SELECT o.customer_id, o.placed_on AS day, o.margin_cents AS margin, %(order_cents)s::numeric AS cost,
        NULL::numeric AS other
    FROM {orders} o
    WHERE o.status = 'paid' AND o.placed_on <= %(as_of)s AND o.customer_id IS NOT NULL
    UNION ALL
    SELECT o.customer_id, r.refunded_on, -r.margin_cents, %(return_cents)s::numeric, %(return_cents)s::numeric
    FROM {refunds} r JOIN {orders} o ON o.id = r.order_id AND o.customer_id = r.customer_id
    WHERE r.refunded_on <= %(as_of)s AND o.status = 'paid'
    UNION ALL
    SELECT u.customer_id, u.returned_on, -sum(u.margin_cents)::bigint, %(return_cents)s::numeric,
        %(return_cents)s::numeric
    FROM {returns} u
    WHERE u.returned_on <= %(as_of)s AND u.customer_id IS NOT NULL
    GROUP BY u.customer_id, u.returned_on, u.source, u.external_id
    UNION ALL
    SELECT s.customer_id, s.spent_on, 0, s.quantity * s.unit_cents, s.quantity * s.unit_cents
    FROM {costs} s
    WHERE s.spent_on <= %(as_of)s
), days AS (
    SELECT customer_id, day, sum(margin) AS margin, sum(cost) AS cost, sum(other) AS other FROM moved GROUP BY 1, 2
), running AS (
    SELECT d.*, w.first_on, coalesce(w.channel, '') AS channel, coalesce(w.acquisition_cents, 0) AS won_for,
        sum(margin) OVER upto - round(sum(cost) OVER upto) < coalesce(w.acquisition_cents, 0) AS is_below,
        lead(day, 1, 'infinity') OVER upto AS next
    FROM days d LEFT JOIN won w USING (customer_id)
    WINDOW upto AS (PARTITION BY d.customer_id ORDER BY d.day)
)
SELECT customer_id, any_value(first_on), any_value(channel), any_value(won_for), sum(margin)::bigint,
    round(sum(cost))::bigint, coalesce(round(sum(other)), 0)::bigint,
    CASE WHEN any_value(first_on) IS NOT NULL THEN
        nullif(greatest(coalesce(max(next) FILTER (WHERE is_below), min(day)), any_value(first_on)), 'infinity') END
FROM running GROUP BY customer_id
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET acquired_on = excluded.acquired_on, channel = excluded.channel,
    acquisition_cents = excluded.acquisition_cents, margin_cents = excluded.margin_cents,
    cost_cents = excluded.cost_cents, other_cents = excluded.other_cents, profitable_on = excluded.profitable_on"""

GONE: Final = """
DELETE FROM {profit} p USING changed_customers c WHERE c.customer_id = p.customer_id
    AND NOT EXISTS (SELECT FROM {orders} o
        WHERE o.customer_id = p.customer_id AND o.status = 'paid' AND o.placed_on <= %(as_of)s)
    AND NOT EXISTS (SELECT FROM {returns} u
        WHERE u.customer_id = p.customer_id AND u.returned_on <= %(as_of)s)
    AND NOT EXISTS (SELECT FROM {costs} s WHERE s.customer_id = p.customer_id AND s.spent_on <= %(as_of)s)"""

COUNT: Final = """
INSERT INTO {cells} (channel, month, customers, amount_cents)
SELECT channel, month, count(s.customer_id), coalesce(max(a.amount_cents), 0)
FROM touched t LEFT JOIN shares s USING (channel, month) LEFT JOIN spend a USING (channel, month)
GROUP BY channel, month
ON CONFLICT (channel, month) DO UPDATE SET customers = excluded.customers, amount_cents = excluded.amount_cents;
DELETE FROM {cells} WHERE customers = 0 AND amount_cents = 0"""

COMPARE: Final = (SPEND, ACQUIRED, TOUCHED)
SCRATCH: Final = "DROP TABLE spend, acquired, touched, shares, won"
CHANGED_BASKETS: Final = "JOIN changed_customers USING (customer_id)"


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """What handling one order and one return costs, in minor units."""

    order_cents: Decimal = Decimal(0)
    return_cents: Decimal = Decimal(0)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "UnitCosts":
        """As the settings of a run have them; 0 where a run was made before there were any."""
        told = settings.get("unit_costs", {})
        return cls(Decimal(told.get("order", 0)), Decimal(told.get("return", 0)))


@transaction.atomic
def refresh(*, as_of: date, units: UnitCosts) -> int:
    """Bring the figures to `as_of`, counting only what changed since the last time; returns how many were written.

    Call it when the baskets are at `as_of`: it reads changes as far as they did.
    """
    until = int(Cursor.objects.get(reaction=baskets.REACTION).xid)
    applied, _ = AppliedUnitCosts.objects.get_or_create(id=1)
    if (applied.order_cents, applied.return_cents) != (units.order_cents, units.return_cents):
        Cursor.objects.filter(reaction=REACTION).update(xid=0)
    names = {"profit": TABLE, "cells": CELLS, "baskets": baskets.TABLE}
    written = following.follow(
        reaction=REACTION,
        table=TABLE,
        as_of=as_of,
        until=until,
        also_changed=[ALSO_CHANGED],
        exchange=lambda: _count(names | following.OF_CHANGED, CHANGED_BASKETS, as_of=as_of, units=units),
        rebuild=lambda: rebuild(table=TABLE, cells=CELLS, of_baskets=baskets.TABLE, as_of=as_of, units=units),
    )
    AppliedUnitCosts.objects.update(order_cents=units.order_cents, return_cents=units.return_cents)
    return written


@transaction.atomic
def rebuild(*, table: str, cells: str, of_baskets: str, as_of: date, units: UnitCosts) -> int:
    """Count everybody as of `as_of` into `table` and `cells` from the facts known now; all three are trusted names."""
    following.empty(table)
    following.empty(cells)
    run((NOBODY,), {})
    names = {"profit": table, "cells": cells, "baskets": of_baskets, **following.EVERYBODY}
    with following.whole_tables():
        written = _count(names, "", as_of=as_of, units=units)
    run((f"ANALYZE {table}", following.FORGET), {})
    return written


def _count(names: dict[str, str], of_baskets: str, *, as_of: date, units: UnitCosts) -> int:
    names = names | {"of_baskets": of_baskets}
    params: dict[str, Any] = {"as_of": as_of, "order_cents": units.order_cents, "return_cents": units.return_cents}
    with following.whole_tables():
        run(tuple(statement.format_map(names) for statement in COMPARE), params)
    run((SHARES.format_map(names),), params)
    if of_baskets:  # not earlier: other shares are changes, too
        following.gather("orders", "refunds", "returns", "costs")
    run((WON.format_map(names),), params)
    with connection.cursor() as cursor:
        cursor.execute(FIGURES.format_map(names), params)
        written = int(cursor.rowcount)
    run((GONE.format_map(names), COUNT.format_map(names), SCRATCH), params)
    return written


def past_table(run_id: int) -> str:
    return f"{PAST_PREFIX}{int(run_id)}"


@transaction.atomic
def build_past(*, run_id: int, as_of: date, units: UnitCosts) -> int:
    """The figures of a past date, in a table of the run's own, dropped when the run is tidied up."""
    table = past_table(run_id)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} (LIKE {TABLE} INCLUDING INDEXES)")
        cursor.execute(f"CREATE TEMP TABLE past_cells (LIKE {CELLS} INCLUDING INDEXES) ON COMMIT DROP")
    written = rebuild(table=table, cells="past_cells", of_baskets=baskets.past_table(run_id), as_of=as_of, units=units)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE past_cells")
    return written


def table_of(run: Run) -> str:
    return past_table(run.pk) if run.is_past else TABLE


def other_cents(run: Run) -> int:
    """What the run's customers have cost so far besides winning them and handling their orders."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum(other_cents), 0) FROM {table_of(run)} WHERE acquired_on IS NOT NULL")
        return int(cursor.fetchone()[0])


def of_shop(*, run: Run, past: History, margin_rate: float) -> profit.Shop:
    """The averages of the run's customers that expected costs and the textbooks' formula need, in major units; without
    the other costs, which are counted meanwhile.
    """
    order_cost = float(UnitCosts.of(run.settings).order_cents) / 10 ** money.exponent(run.settings["currency"])
    return profit.shop(past, margin_rate=margin_rate, order_cost=order_cost)


@transaction.atomic
def join(*, run: Run) -> dict[str, Any]:
    """Put together what was fitted and what was counted beside it."""
    told = dict(run.jobs.filter(step__in=("fit", "profit")).values_list("step", "result"))
    whole = profit.with_costs(
        profit.Shop.from_dict(run.model["profit"]),
        other_costs=float(told["profit"]["other_cents"]) / 10 ** money.exponent(run.settings["currency"]),
        days=told["fit"]["days"],
    )
    run.model = run.model | {"profit": whole.as_dict()}
    run.save(update_fields=["model"])
    return {"rows": 1}
