"""One chunk of staged returns into the facts: refunds of order lines, and unmatched returns for the rest.

Which line a return takes from depends on the returns before it, so the matching is plain Python over the lines of the
chunk's customers (customers.importing.matching); reading and writing are set-based.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from customers.importing import matching
from customers.importing.matching import Back, Match, Sold
from customers.services.merging import run

# What earlier imports made of these returns. The same content again is no change.
EXISTING: Final = """
UPDATE document d SET outcome = CASE WHEN known.content = d.content THEN 'unchanged' ELSE 'updated' END
FROM (
    SELECT r.external_id, r.content FROM customers_refund r JOIN customers_order o ON o.id = r.order_id
    WHERE o.source = %(source)s AND r.content IS NOT NULL
        AND r.external_id IN (SELECT key FROM document WHERE chunk = %(chunk)s AND is_return)
    UNION SELECT external_id, content FROM customers_unmatchedreturn WHERE source = %(source)s
        AND external_id IN (SELECT key FROM document WHERE chunk = %(chunk)s AND is_return)
) known
WHERE d.chunk = %(chunk)s AND d.is_return AND d.problem IS NULL AND d.key = known.external_id"""

NEW: Final = """
UPDATE document SET outcome = 'created'
WHERE chunk = %(chunk)s AND is_return AND problem IS NULL AND outcome IS NULL"""

# A return that changed is taken back whole and matched again.
RELEASE: Final = """
DROP TABLE IF EXISTS pg_temp.stale;
CREATE TEMP TABLE stale AS
SELECT r.* FROM customers_refund r JOIN customers_order o ON o.id = r.order_id
JOIN document d ON d.key = r.external_id AND d.is_return AND d.outcome = 'updated' AND d.chunk = %(chunk)s
WHERE o.source = %(source)s AND r.content IS NOT NULL;
INSERT INTO customers_importedrow (batch_id, "table", object_id, created, before)
SELECT %(batch)s, 'refund', s.id, false, jsonb_build_object('row', to_jsonb(s), 'lines', (
    SELECT jsonb_agg(to_jsonb(l)) FROM customers_refundline l WHERE l.refund_id = s.id))
FROM stale s ON CONFLICT DO NOTHING;
UPDATE customers_orderline l SET refunded_quantity = l.refunded_quantity - b.quantity,
    refunded_cents = l.refunded_cents - b.net
FROM (
    SELECT r.line_id, sum(r.quantity) AS quantity, sum(r.net_cents) AS net
    FROM customers_refundline r JOIN stale s ON s.id = r.refund_id GROUP BY r.line_id
) b WHERE l.id = b.line_id;
INSERT INTO core_change (kind, object_id)
SELECT DISTINCT 'order', order_id FROM stale
UNION ALL SELECT DISTINCT 'day', refunded_on - date '1970-01-01' FROM stale
UNION ALL SELECT DISTINCT 'customer_orders', customer_id FROM stale WHERE customer_id IS NOT NULL;
DELETE FROM customers_refundline l USING stale s WHERE l.refund_id = s.id;
DELETE FROM customers_refund r USING stale s WHERE r.id = s.id;
WITH gone AS (
    DELETE FROM customers_unmatchedreturn u USING document d
    WHERE u.source = %(source)s AND u.external_id = d.key AND d.is_return AND d.outcome = 'updated'
        AND d.chunk = %(chunk)s RETURNING u.*
), noted AS (
    INSERT INTO customers_importedrow (batch_id, "table", object_id, created, before)
    SELECT %(batch)s, 'unmatched', id, false, jsonb_build_object('row', to_jsonb(gone)) FROM gone ON CONFLICT DO NOTHING
)
INSERT INTO core_change (kind, object_id) SELECT DISTINCT 'day', returned_on - date '1970-01-01' FROM gone
UNION ALL SELECT DISTINCT 'customer_orders', customer_id FROM gone WHERE customer_id IS NOT NULL"""

RETURNED: Final = """
SELECT d.key, d.customer_id, s.sku, s.line, s.at, s.day, s.date_only, s.quantity, s.net_cents, s.of_order
FROM document d JOIN staged s ON s.document = d.key AND s.is_return
WHERE d.chunk = %(chunk)s AND d.is_return AND d.outcome IN ('created', 'updated') AND d.customer_id IS NOT NULL
ORDER BY d.at, d.line, s.line"""

SOLD: Final = """
SELECT l.customer_id, p.sku, l.id, o.id, o.external_id, l.position, o.placed_at, o.placed_on, o.date_only, l.quantity,
    l.net_cents, l.margin_cents, l.unit_cost, l.refunded_quantity, l.refunded_cents
FROM (
    SELECT DISTINCT d.customer_id, s.sku FROM document d JOIN staged s ON s.document = d.key AND s.is_return
    WHERE d.chunk = %(chunk)s AND d.is_return AND d.outcome IN ('created', 'updated') AND d.customer_id IS NOT NULL
) wanted
JOIN customers_product p ON p.sku = wanted.sku
JOIN customers_order o ON o.customer_id = wanted.customer_id AND o.source = %(source)s AND o.status <> 'cancelled'
JOIN customers_orderline l ON l.order_id = o.id AND l.product_id = p.id
WHERE l.net_cents >= 0 ORDER BY l.id FOR NO KEY UPDATE OF l"""

MATCHED: Final = """
DROP TABLE IF EXISTS pg_temp.matched, pg_temp.unmatched;
CREATE TEMP TABLE matched (
    document text, order_id bigint, line_id bigint, quantity numeric(14,3), net_cents bigint, margin_cents bigint
);
CREATE TEMP TABLE unmatched (document text, line int, quantity numeric(14,3), net_cents bigint, reason text)"""

GUESTS: Final = """
INSERT INTO unmatched (document, line, quantity, net_cents, reason)
SELECT d.key, s.line, s.quantity, s.net_cents, 'guest'
FROM document d JOIN staged s ON s.document = d.key AND s.is_return
WHERE d.chunk = %(chunk)s AND d.is_return AND d.outcome IN ('created', 'updated') AND d.customer_id IS NULL"""

REFUNDS: Final = """
WITH made AS (
    INSERT INTO customers_refund (order_id, customer_id, external_id, refunded_at, refunded_on, date_only, net_cents,
        value_cents, margin_cents, content, created_at, batch_id)
    SELECT m.order_id, d.customer_id, d.key, d.at, d.day, d.date_only, sum(m.net_cents),
        coalesce(sum(m.net_cents) FILTER (WHERE l.counts), 0), coalesce(sum(m.margin_cents) FILTER (WHERE l.counts), 0),
        d.content, %(at)s, %(batch)s
    FROM matched m JOIN customers_orderline l ON l.id = m.line_id
    JOIN document d ON d.key = m.document AND d.is_return
    GROUP BY m.order_id, d.customer_id, d.key, d.at, d.day, d.date_only, d.content
    RETURNING id, order_id, external_id
), noted AS (
    INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
    SELECT %(batch)s, 'refund', id, true FROM made
)
INSERT INTO customers_refundline (refund_id, line_id, quantity, net_cents, margin_cents)
SELECT made.id, m.line_id, sum(m.quantity), sum(m.net_cents), sum(m.margin_cents)
FROM made JOIN matched m ON m.order_id = made.order_id AND m.document = made.external_id
GROUP BY made.id, m.line_id;
UPDATE customers_orderline l SET refunded_quantity = l.refunded_quantity + b.quantity,
    refunded_cents = l.refunded_cents + b.net
FROM (SELECT line_id, sum(quantity) AS quantity, sum(net_cents) AS net FROM matched GROUP BY line_id) b
WHERE l.id = b.line_id"""

UNMATCHED: Final = """
WITH made AS (
    INSERT INTO customers_unmatchedreturn (source, external_id, position, customer_id, product_id, reason, returned_at,
        returned_on, date_only, quantity, net_cents, value_cents, margin_cents, content, batch_id)
    SELECT %(source)s, d.key, row_number() OVER (PARTITION BY d.key ORDER BY u.line), d.customer_id, p.id, u.reason,
        d.at, d.day, d.date_only, u.quantity, u.net_cents,
        CASE WHEN s.counts THEN u.net_cents ELSE 0 END,
        CASE WHEN NOT s.counts THEN 0
            WHEN p.unit_cost IS NOT NULL THEN u.net_cents - round(p.unit_cost * u.quantity * %(units)s)
            ELSE round(u.net_cents * coalesce(c.margin_rate, %(margin_rate)s)) END,
        d.content, %(batch)s
    FROM unmatched u
    JOIN document d ON d.key = u.document AND d.is_return
    JOIN staged s ON s.line = u.line AND s.is_return AND s.document = u.document
    JOIN customers_product p ON p.sku = s.sku LEFT JOIN customers_category c ON c.id = p.category_id
    RETURNING id
)
INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, 'unmatched', id, true FROM made
"""

CHANGES: Final = """
INSERT INTO core_change (kind, object_id)
SELECT DISTINCT 'order', order_id FROM matched
UNION ALL
SELECT DISTINCT 'customer_orders', customer_id FROM document
WHERE chunk = %(chunk)s AND is_return AND outcome IN ('created', 'updated') AND customer_id IS NOT NULL
UNION ALL
SELECT DISTINCT 'day', day - date '1970-01-01' FROM document
WHERE chunk = %(chunk)s AND is_return AND outcome IN ('created', 'updated')"""

# The day on which the last of an order's goods came back. An order without goods is judged by all that counts.
FULLY_REFUNDED: Final = """
UPDATE customers_order o SET fully_refunded_on = judged.day
FROM (
    SELECT l.order_id,
        CASE WHEN bool_and(l.refunded_quantity = l.quantity) THEN greatest(max(back.day), max(l.placed_on)) END AS day
    FROM (
        SELECT l.id, l.order_id, l.quantity, l.refunded_quantity, p.kind, o.placed_on,
            bool_or(p.kind = 'goods') OVER (PARTITION BY l.order_id) AS has_goods
        FROM customers_orderline l
        JOIN customers_product p ON p.id = l.product_id
        JOIN customers_order o ON o.id = l.order_id
        WHERE l.counts AND l.quantity > 0 AND l.order_id = ANY(%(orders)s::bigint[])
    ) l
    LEFT JOIN (
        SELECT rl.line_id, max(r.refunded_on) AS day FROM customers_refundline rl
        JOIN customers_refund r ON r.id = rl.refund_id WHERE r.order_id = ANY(%(orders)s::bigint[]) GROUP BY rl.line_id
    ) back ON back.line_id = l.id
    WHERE l.kind = 'goods' OR NOT l.has_goods GROUP BY l.order_id
) judged
WHERE o.id = judged.order_id AND o.fully_refunded_on IS DISTINCT FROM judged.day"""

Key = tuple[int, str]
Returned = tuple[str, int, str, int, Back]  # document, customer, sku, line of the file


def merge_returns(params: Mapping[str, Any], *, exponent: int) -> None:
    """The returns of a chunk, after all orders of the file. Params as in merging.merge_orders."""
    run((EXISTING, NEW, RELEASE, MATCHED), params)
    _write_matches(_match(params, exponent=exponent))
    run((GUESTS, REFUNDS, UNMATCHED, CHANGES), params)
    refresh_orders(_touched_orders())


def _touched_orders() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT order_id FROM matched UNION SELECT order_id FROM stale")
        return [order for (order,) in cursor.fetchall()]


def refresh_orders(order_ids: Sequence[int]) -> None:
    """Judge anew whether these orders came back whole."""
    if order_ids:
        run((FULLY_REFUNDED,), {"orders": list(order_ids)})


def _match(params: Mapping[str, Any], *, exponent: int) -> Iterator[tuple[str, int, Match]]:
    sold = _sold(params)
    for document, customer, sku, line, back in _returned(params):
        yield document, line, matching.match(back, sold.get((customer, sku), ()), exponent=exponent)


def _returned(params: Mapping[str, Any]) -> Iterator[Returned]:
    with connection.cursor() as cursor:
        cursor.execute(RETURNED, params)
        for document, customer, sku, line, *facts in cursor.fetchall():
            yield document, customer, sku, line, Back(*facts)


def _sold(params: Mapping[str, Any]) -> dict[Key, list[Sold]]:
    lines: dict[Key, list[Sold]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(SOLD, params)
        for customer, sku, *facts in cursor.fetchall():
            lines[customer, sku].append(Sold(*facts))
    return lines


def _write_matches(matches: Iterable[tuple[str, int, Match]]) -> None:
    parts: list[tuple[str, int, int, Decimal, int, int]] = []
    rest: list[tuple[str, int, Decimal, int, str]] = []
    for document, line, match in matches:
        parts.extend(
            (document, p.line.order_id, p.line.line_id, p.quantity, p.net_cents, p.margin_cents) for p in match.parts
        )
        if match.reason:
            rest.append((document, line, match.quantity, match.net_cents, match.reason))
    _copy("COPY matched FROM STDIN", parts)
    _copy("COPY unmatched FROM STDIN", rest)


def _copy(statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
