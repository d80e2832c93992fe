"""Tables by customer that follow the facts: brought to a business date for those who changed, else made anew.

Who changed is named by the change feed, or has a fact dated between the last business date and this one. Their facts
are gathered first, from indexes that hold them side by side, and analysed, so that plans do not depend on a guess.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

from django.db import OperationalError, connection, transaction

from core import feed
from core.models import Cursor

# Above this share of changed customers, everything is computed again: one pass is cheaper than many look-ups.
REBUILD_SHARE: Final = 0.2

CHANGED: Final = """
CREATE TEMP TABLE changed_customers ON COMMIT DROP AS
SELECT object_id AS customer_id FROM core_change
WHERE kind = 'customer_orders' AND xid >= %(since)s::xid8 AND xid < %(until)s::xid8
UNION SELECT customer_id FROM customers_order
WHERE placed_on > %(from)s AND placed_on <= %(as_of)s AND customer_id IS NOT NULL
UNION SELECT customer_id FROM customers_refund
WHERE refunded_on > %(from)s AND refunded_on <= %(as_of)s AND customer_id IS NOT NULL
UNION SELECT customer_id FROM customers_unmatchedreturn
WHERE returned_on > %(from)s AND returned_on <= %(as_of)s AND customer_id IS NOT NULL"""

# How many rows the table has is known to ANALYZE, which ends a rebuild; -1 where there was none.
FEW: Final = """
SELECT (SELECT count(*) FROM changed_customers) <= %(share)s * greatest(reltuples, 0)
FROM pg_class WHERE oid = '{table}'::regclass"""

# The tables of facts by the name that queries have for them: everybody's, or those of the customers who changed.
EVERYBODY: Final = {
    "orders": "customers_order",
    "lines": "customers_orderline",
    "refunds": "customers_refund",
    "returns": "customers_unmatchedreturn",
    "costs": "customers_cost",
}
OF_CHANGED: Final = {name: f"changed_{name}" for name in EVERYBODY}

# Orders and lines are read from indexes alone: ask for no other columns (customers.models.order).
COLUMNS: Final = {
    "orders": "id, customer_id, text 'paid' AS status, placed_on, placed_at, channel, value_cents, margin_cents,"
    " fully_refunded_on",
    "lines": "id, customer_id, true AS counts, order_id, product_id, net_cents, discount_cents",
}
WHICH: Final = {"orders": "WHERE status = 'paid'", "lines": "WHERE counts"}
GATHER: Final = """
CREATE TEMP TABLE {copy} ON COMMIT DROP AS
SELECT {columns} FROM changed_customers JOIN {table} USING (customer_id) {which};
ANALYZE {copy}"""
FORGET: Final = f"DROP TABLE IF EXISTS changed_customers, {', '.join(OF_CHANGED.values())}"


@transaction.atomic
def follow(
    *,
    reaction: str,
    table: str,
    as_of: date,
    exchange: Callable[[], int],
    rebuild: Callable[[], int],
    also_changed: Sequence[str] = (),
    until: int | None = None,
) -> int:
    """Bring a table (one row per customer) to `as_of`; returns how many rows were written.

    `exchange` writes the rows of those in the temporary table changed_customers anew, `rebuild` everybody's.
    `also_changed` are statements that add to that table. `until` is the transaction to read up to, the horizon if None.
    """
    since, until = feed.position(reaction), feed.horizon() if until is None else until
    reached = Cursor.objects.get(reaction=reaction).as_of
    params = {"since": str(since), "until": str(until), "from": reached, "as_of": as_of}
    is_behind = bool(since) and since <= until and reached is not None and reached <= as_of
    written = exchange() if is_behind and _few_changed(table, also_changed, params) else _anew(rebuild)
    _execute(FORGET)
    Cursor.objects.filter(reaction=reaction).update(xid=until, as_of=as_of)
    return written


def _few_changed(table: str, also_changed: Sequence[str], params: Mapping[str, Any]) -> bool:
    for statement in (CHANGED, *also_changed, "ANALYZE changed_customers"):
        _execute(statement, params)
    with connection.cursor() as cursor:
        cursor.execute(FEW.format(table=table), {"share": REBUILD_SHARE})
        return bool(cursor.fetchone()[0])


def _anew(rebuild: Callable[[], int]) -> int:
    _execute(FORGET)
    return rebuild()


def gather(*names: str) -> None:
    """Copy these facts of the changed customers into temporary tables, whose names OF_CHANGED has."""
    for name in names:
        columns, which = COLUMNS.get(name, "t.*"), WHICH.get(name, "")
        statement = GATHER.format(copy=OF_CHANGED[name], columns=columns, table=f"{EVERYBODY[name]} t", which=which)
        for part in statement.split(";\n"):
            _execute(part)


def exchange(*, table: str, columns: str, query: str, as_of: date) -> int:
    """Write the rows of the changed customers anew, from the facts that were gathered; returns how many."""
    with whole_tables():  # one pass over a table of summaries is sooner done than a page here and there
        _execute(f"DELETE FROM {table} t USING changed_customers c WHERE c.customer_id = t.customer_id")
    return fill(table=table, columns=columns, query=query, as_of=as_of)


def fill(*, table: str, columns: str, query: str, as_of: date) -> int:
    """Write the rows of the changed customers, of whom the table has none, from the facts that were gathered."""
    return _execute(f"INSERT INTO {table} ({columns}) {query.format_map(OF_CHANGED)}", {"as_of": as_of})


def rebuild(*, table: str, columns: str, query: str, as_of: date) -> int:
    """Write everybody's rows into `table` (a trusted name), from the facts known now; returns how many."""
    empty(table)
    with whole_tables():
        written = _execute(f"INSERT INTO {table} ({columns}) {query.format_map(EVERYBODY)}", {"as_of": as_of})
    _execute(f"ANALYZE {table}")
    return written


@contextmanager
def whole_tables() -> Iterator[None]:
    """No nested loops within, whatever the planner expects: they would visit every page of a table in no order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_nestloop')")
        (before,) = cursor.fetchone()
    _execute("SET LOCAL enable_nestloop = off")
    yield
    _execute(f"SET LOCAL enable_nestloop = {before}")


def empty(table: str) -> None:
    """TRUNCATE, or row by row beside somebody who reads for long, such as a backup."""
    try:
        with transaction.atomic():
            _execute("SET LOCAL lock_timeout = '3s'")
            _execute(f"TRUNCATE {table}")
    except OperationalError:
        _execute(f"DELETE FROM {table}")


def _execute(statement: str, params: Mapping[str, Any] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)
