"""One chunk of staged orders into the facts: customers, orders and lines, what was changed, and the change feed.

Each statement works on the whole chunk. `document` (customers.services.staging) carries the outcome of each order.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import connection

from customers.places import Place

SMALL_BYTES: Final = 256 << 20

NEW_CUSTOMERS: Final = """
WITH wanted AS (
    SELECT DISTINCT customer FROM document
    WHERE chunk = %(chunk)s AND is_return = %(is_return)s AND customer <> '' AND problem IS NULL
), missing AS (
    SELECT w.customer, nextval(pg_get_serial_sequence('customers_customer', 'id')) AS id
    FROM wanted w LEFT JOIN customers_identity i ON i.source = %(source)s AND i.external_id = w.customer
    WHERE i.id IS NULL
), named AS (
    INSERT INTO customers_identity (customer_id, source, external_id)
    SELECT id, %(source)s, customer FROM missing RETURNING customer_id, external_id
), created AS (
    INSERT INTO customers_customer (id, name, channel, street, postcode, city, region, country, locale, time_zone,
        sort_name, search, created_at, batch_id)
    SELECT n.customer_id, p.name, p.channel, p.street, p.postcode, p.city, p.region, p.country, '', '', '', '',
        %(at)s, %(batch)s
    FROM named n JOIN staged_person p ON p.customer = n.external_id RETURNING id
)
INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, 'customer', id, true FROM created"""

# Whether an address that is told can be the customer's `c`: none is known, and what is known of it does not speak
# against it. It comes whole or not at all, so that no two are mixed.
FITS: Final = """
    (told.street <> '' AND c.street = '' AND c.postcode = '' AND c.region = ''
        AND (c.city = '' OR lower(c.city) = lower(told.city))
        AND (c.country = '' OR told.country = '' OR lower(c.country) = lower(told.country)))"""
SAYS_MORE: Final = f"(c.name = '' AND told.name <> '' OR c.country = '' AND told.country <> '' OR {FITS})"
FILLED_IN: Final = ", ".join(
    f"{name} = CASE WHEN c.{name} = '' AND {'true' if name in ('name', 'country') else FITS} THEN told.{name}"
    f" ELSE c.{name} END"
    for name in ("name", *Place._fields)
)

# Orders fill in what is not known of a customer; they overwrite nothing.
KNOWN_CUSTOMERS: Final = f"""
WITH told AS (
    SELECT DISTINCT c.id, told.name, told.street, told.postcode, told.city, told.region, told.country
    FROM document d
    JOIN staged_person told ON told.customer = d.customer
    JOIN customers_customer c ON c.id = d.customer_id
    WHERE d.chunk = %(chunk)s AND d.is_return = %(is_return)s AND c.batch_id IS DISTINCT FROM %(batch)s
        AND {SAYS_MORE}
), noted AS (
    INSERT INTO customers_importedrow (batch_id, "table", object_id, created, before)
    SELECT %(batch)s, 'customer', c.id, false, to_jsonb(c) FROM customers_customer c JOIN told ON told.id = c.id
    ON CONFLICT DO NOTHING
)
UPDATE customers_customer c SET {FILLED_IN}
FROM told WHERE told.id = c.id"""

CONTACTS: Final = """
WITH address AS (
    INSERT INTO customers_email (customer_id, address)
    SELECT DISTINCT d.customer_id, s.email FROM staged s JOIN document d
        ON d.key = s.document AND d.is_return = s.is_return
    WHERE d.chunk = %(chunk)s AND d.is_return = %(is_return)s AND d.customer_id IS NOT NULL AND s.email <> ''
    ON CONFLICT DO NOTHING RETURNING id
), number AS (
    INSERT INTO customers_phone (customer_id, number)
    SELECT DISTINCT d.customer_id, s.phone FROM staged s JOIN document d
        ON d.key = s.document AND d.is_return = s.is_return
    WHERE d.chunk = %(chunk)s AND d.is_return = %(is_return)s AND d.customer_id IS NOT NULL AND s.phone <> ''
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, 'email', id, true FROM address UNION ALL SELECT %(batch)s, 'phone', id, true FROM number"""

IDENTIFY: Final = """
UPDATE document d SET customer_id = i.customer_id FROM customers_identity i
WHERE d.chunk = %(chunk)s AND d.is_return = %(is_return)s AND d.problem IS NULL
    AND i.source = %(source)s AND i.external_id = d.customer"""

EXISTING: Final = """
WITH locked AS MATERIALIZED (
    SELECT o.id, o.external_id, o.content FROM customers_order o JOIN document d ON o.external_id = d.key
    WHERE o.source = %(source)s AND d.chunk = %(chunk)s AND NOT d.is_return AND d.problem IS NULL
    ORDER BY o.id FOR NO KEY UPDATE OF o
)
UPDATE document d SET order_id = l.id,
    outcome = CASE WHEN l.content = d.content THEN 'unchanged' ELSE 'updated' END
FROM locked l WHERE d.chunk = %(chunk)s AND NOT d.is_return AND d.key = l.external_id AND d.problem IS NULL"""

NEW: Final = """
UPDATE document SET order_id = nextval(pg_get_serial_sequence('customers_order', 'id')), outcome = 'created'
WHERE chunk = %(chunk)s AND NOT is_return AND problem IS NULL AND order_id IS NULL"""

# The lines of the chunk as they will stand. A cost is kept as it was when the line was first written.
LINES: Final = """
DROP TABLE IF EXISTS pg_temp.line;
CREATE TEMP TABLE line AS
SELECT costed.*, CASE WHEN cost IS NOT NULL THEN net_cents - round(cost * quantity * %(units)s)
    ELSE round(net_cents * rate) END::bigint AS margin_cents
FROM (
    SELECT placed.*, coalesce(placed.file_cost, old.unit_cost, p.unit_cost) AS cost,
        coalesce(c.margin_rate, %(margin_rate)s) AS rate
    FROM (
        SELECT d.order_id, d.customer_id, row_number() OVER (PARTITION BY d.order_id ORDER BY s.line) AS position,
            product.id AS product_id, s.quantity, s.unit_price, s.discount_cents, s.net_cents, s.counts,
            s.unit_cost AS file_cost
        FROM document d
        JOIN staged s ON s.document = d.key AND s.is_return = d.is_return
        JOIN customers_product product ON product.sku = s.sku
        WHERE d.chunk = %(chunk)s AND NOT d.is_return AND d.outcome IN ('created', 'updated')
    ) placed
    JOIN customers_product p ON p.id = placed.product_id
    LEFT JOIN customers_category c ON c.id = p.category_id
    LEFT JOIN customers_orderline old
        ON old.order_id = placed.order_id AND old.position = placed.position AND old.product_id = placed.product_id
) costed;
ANALYZE line"""

# A line of which something came back keeps its product, and at least what came back.
GUARD: Final = """
UPDATE document d SET outcome = NULL, field = 'quantity', value = trim_scale(found.new_quantity)::text,
    problem = format('is not what came back already: %%s of line %%s of order %%s', trim_scale(found.refunded_quantity),
        found.position, d.key)
FROM (
    SELECT DISTINCT ON (l.order_id) l.order_id, l.position, l.refunded_quantity, coalesce(n.quantity, 0) AS new_quantity
    FROM document d
    JOIN customers_orderline l ON l.order_id = d.order_id
    LEFT JOIN pg_temp.line n ON n.order_id = l.order_id AND n.position = l.position
    WHERE d.chunk = %(chunk)s AND d.outcome = 'updated'
        AND (l.refunded_quantity > 0 OR EXISTS (SELECT FROM customers_refundline r WHERE r.line_id = l.id))
        AND (n.position IS NULL OR n.product_id <> l.product_id OR n.quantity < l.refunded_quantity
            OR n.net_cents < l.refunded_cents)
    ORDER BY l.order_id, l.position
) found
WHERE d.order_id = found.order_id AND NOT d.is_return AND d.outcome = 'updated'"""

BEFORE: Final = """
INSERT INTO customers_importedrow (batch_id, "table", object_id, created, before)
SELECT %(batch)s, 'order', o.id, false, jsonb_build_object('row', to_jsonb(o), 'lines', (
    SELECT jsonb_agg(to_jsonb(l) ORDER BY l.position) FROM customers_orderline l WHERE l.order_id = o.id))
FROM customers_order o JOIN document d ON d.order_id = o.id AND d.outcome = 'updated'
WHERE d.chunk = %(chunk)s AND NOT d.is_return
ON CONFLICT DO NOTHING"""

# What readers have to look at again because of where an order was before; its refunds count while it is paid.
LEFT_BEHIND: Final = """
INSERT INTO core_change (kind, object_id)
SELECT DISTINCT 'day', o.placed_on - date '1970-01-01' FROM customers_order o JOIN document d ON d.order_id = o.id
WHERE d.chunk = %(chunk)s AND d.outcome = 'updated'
UNION
SELECT DISTINCT 'day', r.refunded_on - date '1970-01-01' FROM customers_refund r
JOIN document d ON d.order_id = r.order_id WHERE d.chunk = %(chunk)s AND d.outcome = 'updated'
UNION
SELECT DISTINCT 'customer_orders', o.customer_id FROM customers_order o JOIN document d ON d.order_id = o.id
WHERE d.chunk = %(chunk)s AND d.outcome = 'updated' AND o.customer_id IS NOT NULL"""

UPDATE_LINES: Final = """
DELETE FROM customers_orderline l USING document d
WHERE d.chunk = %(chunk)s AND d.outcome = 'updated' AND NOT d.is_return AND l.order_id = d.order_id
    AND NOT EXISTS (SELECT FROM pg_temp.line n WHERE n.order_id = l.order_id AND n.position = l.position);
UPDATE customers_orderline l SET customer_id = n.customer_id, product_id = n.product_id, quantity = n.quantity,
    unit_price = n.unit_price, discount_cents = n.discount_cents, net_cents = n.net_cents, counts = n.counts,
    unit_cost = n.cost, margin_cents = n.margin_cents
FROM pg_temp.line n JOIN document d ON d.order_id = n.order_id AND d.outcome = 'updated'
WHERE l.order_id = n.order_id AND l.position = n.position"""

UPDATE_ORDERS: Final = """
UPDATE customers_order o SET customer_id = d.customer_id, status = d.status, placed_at = d.at, placed_on = d.day,
    date_only = d.date_only, channel = d.channel, tax_cents = coalesce(d.tax_cents, 0),
    shipping_cents = coalesce(d.shipping_cents, 0), content = d.content, batch_id = %(batch)s,
    fully_refunded_on = NULL, net_cents = t.net, value_cents = t.value, margin_cents = t.margin
FROM document d JOIN (
    SELECT order_id, sum(net_cents) AS net, coalesce(sum(net_cents) FILTER (WHERE counts), 0) AS value,
        coalesce(sum(margin_cents) FILTER (WHERE counts), 0) AS margin
    FROM pg_temp.line GROUP BY order_id
) t ON t.order_id = d.order_id
WHERE d.chunk = %(chunk)s AND d.outcome = 'updated' AND NOT d.is_return AND o.id = d.order_id;
UPDATE customers_refund r SET customer_id = d.customer_id FROM document d
WHERE d.chunk = %(chunk)s AND d.outcome = 'updated' AND NOT d.is_return AND r.order_id = d.order_id
    AND r.customer_id IS DISTINCT FROM d.customer_id"""

INSERT_LINES: Final = """
INSERT INTO customers_orderline (order_id, customer_id, position, product_id, quantity, unit_price, discount_cents,
    net_cents, counts, unit_cost, margin_cents, refunded_quantity, refunded_cents)
SELECT n.order_id, n.customer_id, n.position, n.product_id, n.quantity, n.unit_price, n.discount_cents, n.net_cents,
    n.counts, n.cost, n.margin_cents, 0, 0
FROM pg_temp.line n JOIN document d ON d.order_id = n.order_id AND NOT d.is_return
WHERE d.chunk = %(chunk)s AND (d.outcome = 'created' OR d.outcome = 'updated' AND NOT EXISTS (
    SELECT FROM customers_orderline l WHERE l.order_id = n.order_id AND l.position = n.position))
ORDER BY n.order_id, n.position"""

INSERT_ORDERS: Final = """
INSERT INTO customers_order (id, source, external_id, customer_id, status, placed_at, placed_on, date_only, channel,
    net_cents, value_cents, margin_cents, tax_cents, shipping_cents, content, created_at, batch_id)
SELECT d.order_id, %(source)s, d.key, d.customer_id, d.status, d.at, d.day, d.date_only, d.channel,
    t.net, t.value, t.margin, coalesce(d.tax_cents, 0), coalesce(d.shipping_cents, 0), d.content, %(at)s, %(batch)s
FROM document d JOIN (
    SELECT order_id, sum(net_cents) AS net, coalesce(sum(net_cents) FILTER (WHERE counts), 0) AS value,
        coalesce(sum(margin_cents) FILTER (WHERE counts), 0) AS margin
    FROM pg_temp.line GROUP BY order_id
) t ON t.order_id = d.order_id
WHERE d.chunk = %(chunk)s AND d.outcome = 'created' AND NOT d.is_return ORDER BY d.order_id"""

CREATED: Final = """
INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, 'order', order_id, true FROM document
WHERE chunk = %(chunk)s AND outcome = 'created' AND NOT is_return"""

CHANGES: Final = """
INSERT INTO core_change (kind, object_id)
SELECT 'order', order_id FROM document
WHERE chunk = %(chunk)s AND NOT is_return AND outcome IN ('created', 'updated')
UNION ALL
SELECT DISTINCT 'customer_orders', customer_id FROM document
WHERE chunk = %(chunk)s AND NOT is_return AND outcome IN ('created', 'updated') AND customer_id IS NOT NULL
UNION ALL
SELECT DISTINCT 'day', day - date '1970-01-01' FROM document
WHERE chunk = %(chunk)s AND NOT is_return AND outcome IN ('created', 'updated')"""

ORDERS: Final = (
    *(EXISTING, NEW, LINES, GUARD, BEFORE, LEFT_BEHIND, UPDATE_LINES, UPDATE_ORDERS, INSERT_LINES, INSERT_ORDERS),
    *(CREATED, CHANGES),
)


def merge_customers(params: Mapping[str, Any]) -> None:
    """The customers of a chunk of orders or returns (`is_return`): made where they are new, and found."""
    run((NEW_CUSTOMERS, IDENTIFY, KNOWN_CUSTOMERS, CONTACTS), params)


def merge_orders(params: Mapping[str, Any]) -> None:
    """The orders of a chunk. Params: chunk, source, batch, at, units (minor units in a main unit), margin_rate."""
    run(ORDERS, params)


def choose_joins() -> None:
    """Until the end of the transaction: no nested loops while the tables are small.

    The planner goes by statistics from before the import, perhaps from when the tables were empty, and would then read
    thousands of rows for each of thousands. Hash joins are never bad here; large tables have had time to be analysed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('customers_orderline')")
        if cursor.fetchone()[0] < SMALL_BYTES:
            cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL jit = off")


def run(statements: tuple[str, ...], params: Mapping[str, Any]) -> None:
    """Execute statements that share their parameters; several in one string are divided by a semicolon and a line."""
    with connection.cursor() as cursor:
        for statement in statements:
            for part in statement.split(";\n"):
                cursor.execute(part, params)
