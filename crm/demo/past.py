"""The shop as it was at a time of the past, for one transaction.

PostgreSQL finds a temporary view before the table of the same name: services that are asked to work for that time see
the orders and refunds that there were, and write what they would have written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from customers.models import Order, OrderLine

NAMES: Final = ("customers_orderline", "customers_order", "customers_refund")
BACK: Final = """CASE WHEN l.refunded_quantity = 0 AND l.refunded_cents = 0 THEN 0 ELSE (
    SELECT coalesce(sum(b.{what}), 0) FROM {schema}.customers_refundline b
    JOIN {schema}.customers_refund r ON r.id = b.refund_id
    WHERE b.line_id = l.id AND r.refunded_at <= (SELECT at FROM demo_now)) END{cast}"""
VIEWS: Final = (
    "CREATE TEMP VIEW customers_orderline AS SELECT {lines} FROM {schema}.customers_orderline l",
    """CREATE TEMP VIEW customers_order AS SELECT {orders} FROM {schema}.customers_order
    WHERE placed_at <= (SELECT at FROM demo_now)""",
    """CREATE TEMP VIEW customers_refund AS SELECT * FROM {schema}.customers_refund
    WHERE refunded_at <= (SELECT at FROM demo_now)""",
)
LATER: Final = "CASE WHEN fully_refunded_on <= (SELECT at FROM demo_now)::date THEN fully_refunded_on END"


@contextmanager
def seen() -> Iterator[None]:
    """Within it `show` says which time it is. It ends with its transaction, too."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE demo_now ON COMMIT DROP AS SELECT now() AS at")
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        for statement in _views(schema):
            cursor.execute(statement)
        yield
        for name in NAMES:
            cursor.execute(f"DROP VIEW pg_temp.{name}")
        cursor.execute("DROP TABLE demo_now")


def show(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE demo_now SET at = %s", [at])


def _views(schema: str) -> Iterator[str]:
    orders = {"fully_refunded_on": f"{LATER} AS fully_refunded_on"}
    lines = {
        "refunded_cents": BACK.format(what="net_cents", schema=schema, cast="::bigint AS refunded_cents"),
        "refunded_quantity": BACK.format(what="quantity", schema=schema, cast="::numeric(14, 3) AS refunded_quantity"),
    }
    told = {"schema": schema, "orders": _columns(Order, orders), "lines": _columns(OrderLine, lines)}
    return (view.format(**told) for view in VIEWS)


def _columns(model: type[Order | OrderLine], instead: dict[str, str]) -> str:
    names = [field.column for field in model._meta.concrete_fields if field.column]
    return ", ".join(instead.get(name, f'"{name}"') for name in names)
