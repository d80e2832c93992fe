"""Orders and lines as rows: found, locked, inserted and changed, each statement for all orders at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection

from customers.models import Order

Key = tuple[str, str]  # source, external id


class LineRow(NamedTuple):
    """A line as it will stand."""

    position: int
    product_id: int
    quantity: Decimal
    unit_price: Decimal
    discount_cents: int
    net_cents: int
    counts: bool
    unit_cost: Decimal | None
    margin_cents: int


class OldLine(NamedTuple):
    """A line as it stands, and whether something of it came back."""

    product_id: int
    quantity: Decimal
    unit_cost: Decimal | None
    refunded_quantity: Decimal
    refunded_cents: int
    came_back: bool


class Written(NamedTuple):
    """An order with the lines that it will have."""

    order: Order
    lines: Sequence[LineRow]
    known: bool  # whether the order is there already


FIND: Final = """
SELECT o.* FROM unnest(%(sources)s::text[], %(ids)s::text[]) AS wanted (source, external_id)
JOIN customers_order o ON o.source = wanted.source AND o.external_id = wanted.external_id"""
LOCK: Final = f"{FIND} ORDER BY o.id FOR NO KEY UPDATE OF o"

OLD_LINES: Final = """
SELECT l.order_id, l.position, l.product_id, l.quantity, l.unit_cost, l.refunded_quantity, l.refunded_cents,
    l.refunded_quantity > 0 OR EXISTS (SELECT FROM customers_refundline r WHERE r.line_id = l.id)
FROM customers_orderline l WHERE l.order_id = ANY(%(orders)s) ORDER BY l.id FOR NO KEY UPDATE OF l"""

LINES: Final = """unnest(%(number)s::int[], %(position)s::int[], %(product_id)s::bigint[], %(quantity)s::numeric[],
        %(unit_price)s::numeric[], %(line_discount)s::bigint[], %(line_net)s::bigint[], %(counts)s::bool[],
        %(unit_cost)s::numeric[], %(line_margin)s::bigint[]
    ) AS line (number, position, product_id, quantity, unit_price, discount_cents, net_cents, counts, unit_cost,
        margin_cents)"""
ORDERS: Final = """unnest(%(source)s::text[], %(external_id)s::text[], %(customer_id)s::bigint[], %(status)s::text[],
        %(placed_at)s::timestamptz[], %(placed_on)s::date[], %(channel)s::text[], %(net_cents)s::bigint[],
        %(value_cents)s::bigint[], %(margin_cents)s::bigint[], %(tax_cents)s::bigint[], %(shipping_cents)s::bigint[],
        %(content)s::uuid[], %(order_id)s::bigint[]
    ) WITH ORDINALITY AS placed (source, external_id, customer_id, status, placed_at, placed_on, channel, net_cents,
        value_cents, margin_cents, tax_cents, shipping_cents, content, order_id, number)"""
ORDER_FIELDS: Final = (
    *("source", "external_id", "customer_id", "status", "placed_at", "placed_on", "channel", "net_cents"),
    *("value_cents", "margin_cents", "tax_cents", "shipping_cents", "content"),
)

INSERT: Final = f"""
WITH placed AS MATERIALIZED (
    SELECT *, nextval(pg_get_serial_sequence('customers_order', 'id')) AS id FROM {ORDERS}
), made AS (
    INSERT INTO customers_order (id, {", ".join(ORDER_FIELDS)}, date_only, created_at)
    SELECT id, {", ".join(ORDER_FIELDS)}, false, now() FROM placed ORDER BY source, external_id
), lines AS (
    INSERT INTO customers_orderline (order_id, customer_id, position, product_id, quantity, unit_price, discount_cents,
        net_cents, counts, unit_cost, margin_cents, refunded_quantity, refunded_cents)
    SELECT placed.id, placed.customer_id, line.position, line.product_id, line.quantity, line.unit_price,
        line.discount_cents, line.net_cents, line.counts, line.unit_cost, line.margin_cents, 0, 0
    FROM {LINES} JOIN placed ON placed.number = line.number
), told AS (
    INSERT INTO core_change (kind, object_id)
    SELECT 'order', id FROM placed
    UNION SELECT 'customer_orders', customer_id FROM placed WHERE customer_id IS NOT NULL
    UNION SELECT 'day', placed_on - date '1970-01-01' FROM placed
)
SELECT id FROM placed ORDER BY number"""

# A line that something came back of keeps its row; `came_back` of the old lines is the guard for those that go.
UPDATE_LINES: Final = f"""
DELETE FROM customers_orderline l USING {ORDERS}
WHERE l.order_id = placed.order_id AND NOT EXISTS (
    SELECT FROM {LINES} WHERE line.number = placed.number AND line.position = l.position);
INSERT INTO customers_orderline AS l (order_id, customer_id, position, product_id, quantity, unit_price, discount_cents,
    net_cents, counts, unit_cost, margin_cents, refunded_quantity, refunded_cents)
SELECT placed.order_id, placed.customer_id, line.position, line.product_id, line.quantity, line.unit_price,
    line.discount_cents, line.net_cents, line.counts, line.unit_cost, line.margin_cents, 0, 0
FROM {LINES} JOIN {ORDERS} ON placed.number = line.number
ON CONFLICT (order_id, position) DO UPDATE SET customer_id = excluded.customer_id, product_id = excluded.product_id,
    quantity = excluded.quantity, unit_price = excluded.unit_price, discount_cents = excluded.discount_cents,
    net_cents = excluded.net_cents, counts = excluded.counts, unit_cost = excluded.unit_cost,
    margin_cents = excluded.margin_cents"""

# Readers look again at where an order was before, too, and at its refunds: they count while it is paid.
LEFT_BEHIND: Final = """
INSERT INTO core_change (kind, object_id)
SELECT 'order', id FROM customers_order WHERE id = ANY(%(order_id)s)
UNION SELECT 'customer_orders', customer_id FROM customers_order
    WHERE id = ANY(%(order_id)s) AND customer_id IS NOT NULL
UNION SELECT 'day', placed_on - date '1970-01-01' FROM customers_order WHERE id = ANY(%(order_id)s)
UNION SELECT 'day', refunded_on - date '1970-01-01' FROM customers_refund WHERE order_id = ANY(%(order_id)s)
UNION SELECT 'customer_orders', customer FROM unnest(%(customer_id)s::bigint[]) AS customer WHERE customer IS NOT NULL
UNION SELECT 'day', day - date '1970-01-01' FROM unnest(%(placed_on)s::date[]) AS day"""

UPDATE_ORDERS: Final = f"""
UPDATE customers_order o SET {", ".join(f"{name} = placed.{name}" for name in ORDER_FIELDS[2:])}, date_only = false,
    batch_id = NULL, fully_refunded_on = NULL
FROM {ORDERS} WHERE o.id = placed.order_id;
UPDATE customers_refund r SET customer_id = placed.customer_id FROM {ORDERS}
WHERE r.order_id = placed.order_id AND r.customer_id IS DISTINCT FROM placed.customer_id"""


def find(keys: Iterable[Key], *, lock: bool = False) -> dict[Key, Order]:
    """The orders that are there; with `lock` as they are when nobody else can change them."""
    wanted = list(keys)
    if not wanted:
        return {}
    params = {"sources": [source for source, _ in wanted], "ids": [external_id for _, external_id in wanted]}
    return {(order.source, order.external_id): order for order in Order.objects.raw(LOCK if lock else FIND, params)}


def old_lines(order_ids: Sequence[int]) -> Mapping[int, Mapping[int, OldLine]]:
    """The lines of orders by position, locked."""
    lines: dict[int, dict[int, OldLine]] = defaultdict(dict)
    if order_ids:
        with connection.cursor() as cursor:
            cursor.execute(OLD_LINES, {"orders": list(order_ids)})
            for order_id, position, *facts in cursor.fetchall():
                lines[order_id][position] = OldLine(*facts)
    return lines


def insert(written: Sequence[Written]) -> None:
    """Write new orders, and what readers of the change feed look at. Gives the orders their keys."""
    if not written:
        return
    with connection.cursor() as cursor:
        cursor.execute(INSERT, _params(written))
        for one, (pk,) in zip(written, cursor.fetchall(), strict=True):
            one.order.pk = pk


def update(written: Sequence[Written]) -> None:
    """Write changed orders (locked by the caller, with their keys) and tell readers of both states."""
    if not written:
        return
    params = _params(written)
    with connection.cursor() as cursor:
        for statement in (LEFT_BEHIND, UPDATE_LINES, UPDATE_ORDERS):
            for part in statement.split(";\n"):
                cursor.execute(part, params)


def _params(written: Sequence[Written]) -> dict[str, list[Any]]:
    """The columns of all orders, and of all lines with the number of their order."""
    orders = [one.order for one in written]
    lines = [(number, *line) for number, one in enumerate(written, start=1) for line in one.lines]
    columns: list[list[Any]] = [list(column) for column in zip(*lines, strict=True)]
    names = ("number", "position", "product_id", "quantity", "unit_price", "line_discount", "line_net", "counts")
    return {
        **{name: [getattr(order, name) for order in orders] for name in ORDER_FIELDS},
        "order_id": [order.pk for order in orders],
        **dict(zip((*names, "unit_cost", "line_margin"), columns, strict=True)),
    }
