"""The facts that points come from and go by, as loyalty.replay plays them: of all customers, or of some of them.

Orders since the programme counts them are judged by the rules of their day, those before by the rules of now. Temporary
tables: call it within a transaction.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from core.models import Business
from loyalty.earning import MOST_POINTS
from loyalty.models import Programme
from loyalty.replay import Fact, Kind
from loyalty.selectors import programme as programmes
from loyalty.services import targets
from loyalty.services.many import ROOT

WHICH: Final = "o.status = 'paid' AND o.customer_id IS NOT NULL AND o.placed_on BETWEEN %(since)s AND %(today)s"
COUNT: Final = f"SELECT count(*) FROM customers_order o WHERE {WHICH}"
ORDERS: Final = f"""
CREATE TEMP TABLE seen_order ON COMMIT DROP AS
SELECT o.id AS order_id, o.customer_id, o.placed_on, true AS is_anew,
    CASE WHEN o.placed_on >= %(from_day)s AND o.placed_at >= %(from_time)s THEN o.placed_at ELSE %(at)s::timestamptz
        END AS placed_at,
    coalesce(c.multiplier, (SELECT (t.multiplier * 100)::int FROM loyalty_standing s JOIN loyalty_tier t
        ON t.id = s.tier_id WHERE s.customer_id = o.customer_id AND (s.until IS NULL OR s.until >= %(today)s)), 100)
        AS multiplier
FROM customers_order o LEFT JOIN loyalty_credit c ON c.order_id = o.id AND c.customer_id = o.customer_id
WHERE {WHICH} AND o.customer_id %% %(share)s = 0 AND NOT o.placed_at <@ %(paused)s::tstzmultirange
"""
EARNED: Final = f"""
SELECT w.customer_id, w.placed_on, {Kind.ORDER}, sum(l.points), w.order_id, NULL, true
FROM seen_order w JOIN wanted_line l ON l.order_id = w.order_id
GROUP BY w.customer_id, w.placed_on, w.order_id HAVING sum(l.points) > 0
"""
# What each refund took of a line's points: what all up to it took, less what those before it did (loyalty.reversal).
REFUNDED: Final = f"""
WITH back AS (
    SELECT f.refunded_on, w.customer_id, l.order_id, e.points, l.net_cents, l.quantity, x.id, x.net_cents AS cents,
        x.quantity AS pieces, sum(x.net_cents) OVER of_line AS all_cents, sum(x.quantity) OVER of_line AS all_pieces
    FROM wanted_line e JOIN seen_order w ON w.order_id = e.order_id
    JOIN customers_orderline l ON l.order_id = e.order_id AND l.position = e.position
    JOIN customers_refundline x ON x.line_id = l.id JOIN customers_refund f ON f.id = x.refund_id
    WHERE e.points > 0 WINDOW of_line AS (PARTITION BY l.id ORDER BY f.refunded_at, x.id)
), taken AS (
    SELECT *, CASE WHEN net_cents <> 0 THEN div(points::numeric * abs(all_cents), abs(net_cents))
            - div(points::numeric * abs(all_cents - cents), abs(net_cents))
        WHEN quantity > 0 THEN div(points * all_pieces, quantity) - div(points * (all_pieces - pieces), quantity)
        ELSE 0 END AS gone
    FROM back
)
SELECT customer_id, refunded_on, {Kind.REFUND}, sum(gone), order_id, NULL, false
FROM taken GROUP BY customer_id, refunded_on, order_id HAVING sum(gone) > 0
"""
# What is not for an order, less what of it was taken back; what was redeemed, less what came back of it.
OTHERS: Final = f"""
SELECT a.customer_id, (p.at AT TIME ZONE %(zone)s)::date, CASE WHEN p.kind IN ('redeem', 'commit') THEN {Kind.SPEND}
        WHEN p.points < 0 THEN {Kind.TAKE} ELSE {Kind.GIFT} END,
    CASE WHEN p.kind IN ('redeem', 'commit') THEN p.asked - coalesce(later.back, 0)
        ELSE abs(p.points + p.pending_points) + coalesce(later.gone, 0) END AS points,
    0, (SELECT min((l.active_at AT TIME ZONE %(zone)s)::date) FROM loyalty_lot l WHERE l.posting_id = p.id),
    p.kind IN ('redeem', 'commit') OR p.key LIKE 'earn:act:%%' OR p.key LIKE 'earn:segment:%%'
FROM loyalty_posting p JOIN loyalty_account o ON o.id = p.account_id JOIN loyalty_account a ON a.id = {ROOT}
LEFT JOIN LATERAL (
    SELECT sum(r.asked) FILTER (WHERE r.kind = 'give_back') AS back,
        sum(r.points + r.pending_points) FILTER (WHERE r.kind = 'reverse') AS gone
    FROM loyalty_posting r WHERE r.source_id = p.id
) AS later ON true
WHERE p.at >= %(since)s AND p.at <= %(at)s AND o.customer_id %% %(share)s = 0
    AND (p.kind IN ('redeem', 'commit', 'adjust') OR p.kind = 'earn' AND p.key NOT LIKE 'earn:order:%%')
"""

Facts = Mapping[int, Sequence[Fact]]  # by customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which facts: since a day, of one in `share` customers."""

    since: date
    today: date
    at: datetime
    share: int


def orders(*, since: date, today: date) -> int:
    """How many orders of known customers there are since a day."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"since": since, "today": today})
        return int(cursor.fetchone()[0])


def of_customers(span: Span, *, programme: Programme, business: Business, bases: Sequence[str]) -> dict[str, Facts]:
    """All facts, for each base (Programme.EarnBase) that points may be counted on."""
    params = asdict(span) | {"most": MOST_POINTS, "zone": business.time_zone} | _counted(programme)
    params["paused"] = programmes.paused(programme)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute("DROP TABLE IF EXISTS pg_temp.seen_order")
        cursor.execute(ORDERS, params)
        cursor.execute("ANALYZE seen_order")
    others = _rows(OTHERS, params)
    return {base: _by_customer([*_of_orders(base, params), *others]) for base in bases}


def _counted(programme: Programme) -> dict[str, Any]:
    """From when on orders count: from never on, while the programme is not switched on."""
    if programme.opened_at is None:
        return {"from_day": "infinity", "from_time": "infinity"}
    if programme.credit_from is not None:
        return {"from_day": programme.credit_from, "from_time": "-infinity"}
    return {"from_day": "-infinity", "from_time": programme.opened_at}


def _of_orders(base: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.wanted_line")
        cursor.execute(targets.LINES, params | {"before_discount": base == Programme.EarnBase.BEFORE})
        cursor.execute("ANALYZE wanted_line")
    return [*_rows(EARNED, params), *_rows(REFUNDED, params)]


def _rows(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


def _by_customer(rows: Sequence[tuple[Any, ...]]) -> Facts:
    found: defaultdict[int, list[Fact]] = defaultdict(list)
    for customer_id, day, kind, points, order, active_on, is_activity in rows:
        if points > 0:
            found[customer_id].append(Fact(day, Kind(kind), int(points), order, active_on, is_activity))
    return found
