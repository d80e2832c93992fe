"""Where a run's scores live: a table of its own that becomes a partition of analytics_score when it is complete.

Readers see a whole run or none of it. Tables are named by the run's number, so the names below are never input.
"""

from collections.abc import Iterable
from typing import Final

from django.db import OperationalError, connection, transaction

# The orders people ask for (crm.selectors.people), each ending with the key. Only the current run has them.
SORTS: Final = {
    "clv": "(clv_cents, customer_id)",
    "risk": "(churn_risk, customer_id)",
    "last": "(last_at, customer_id)",
    "value": "(value_cents, customer_id)",
    "segment": "(segment, clv_cents, customer_id)",
    "band": "(churn_band, clv_cents, customer_id)",
}
KEY: Final = "pkey"
# All indexes in two parts that take about as long, with what else is to be done to a complete table in the first.
PARTS: Final = ((KEY, "clv", "risk", "last"), ("value", "segment", "band"))
PREFIX: Final = "analytics_score_of_run_"
TABLES: Final = """
SELECT substring(relname FROM '[0-9]+$')::int FROM pg_class
WHERE relkind = 'r' AND relname ~ %(pattern)s AND pg_table_is_visible(oid)
"""
# How long publishing may wait for a lock, and tidying: while it waits for one, new readers wait behind it.
PATIENCE: Final = "3s"
SHORT_PATIENCE: Final = "200ms"


def table_of(run_id: int) -> str:
    return f"{PREFIX}{int(run_id)}"


def create(run_id: int) -> None:
    """An empty table for the run's scores, without indexes: rows are copied in faster."""
    table = table_of(run_id)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} (LIKE analytics_score INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_run CHECK (run_id = {int(run_id)})")


def index(run_id: int, *, sorts: bool) -> None:
    """The key, the sort indexes of a run that becomes current, and the planner's statistics.

    Others may read the table meanwhile: its index becomes the primary key when it is attached, which locks them out.
    """
    build(run_id, [KEY, *(SORTS if sorts else ())])
    analyse(run_id, sorts=sorts)


def build(run_id: int, names: Iterable[str]) -> None:
    """Indexes by their names, KEY and those of SORTS."""
    table = table_of(run_id)
    with connection.cursor() as cursor:
        for name in names:
            unique, columns = ("UNIQUE ", "(customer_id)") if name == KEY else ("", SORTS[name])
            cursor.execute(f"CREATE {unique}INDEX {table}_{name} ON {table} {columns}")


def analyse(run_id: int, *, sorts: bool) -> None:
    """What the planner knows of the rows. Waits for indexes that others make just now."""
    table = table_of(run_id)
    with connection.cursor() as cursor:
        if sorts:  # champions are hardly ever at risk: without this the planner looks for them row by row
            cursor.execute(f"CREATE STATISTICS {table}_cells (mcv) ON segment, churn_band FROM {table}")
        cursor.execute(f"ANALYZE {table}")


def attach(run_id: int) -> None:
    """Make the table a partition. Its CHECK spares the scan, so that this takes milliseconds."""
    table = table_of(run_id)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY USING INDEX {table}_{KEY}")
        cursor.execute(f"ALTER TABLE analytics_score ATTACH PARTITION {table} FOR VALUES IN ({int(run_id)})")


def drop(run_id: int) -> None:
    """Forget the scores of a run, attached or not. Raises OperationalError while somebody reads them for long."""
    _run([f"DROP TABLE IF EXISTS {table_of(run_id)}"], patience=PATIENCE)


def drop_if_free(table: str) -> bool:
    """Drop a table of a run unless somebody reads it; False when it has to wait for the next night."""
    return _run_if_free([f"DROP TABLE IF EXISTS {table}"])


def drop_sorts_if_free(run_id: int) -> bool:
    """Take the sort indexes off a run that is no longer current; False when it has to wait for the next night."""
    return _run_if_free([f"DROP INDEX IF EXISTS {table_of(run_id)}_{name}" for name in SORTS])


def kept() -> set[int]:
    """The runs that have a table of scores, attached or not."""
    return runs_with(PREFIX)


def runs_with(prefix: str) -> set[int]:
    """The runs that have a table whose name is `prefix` and their number."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES, {"pattern": f"^{prefix}[0-9]+$"})
        return {number for (number,) in cursor.fetchall()}


def _run_if_free(statements: list[str]) -> bool:
    try:
        _run(statements, patience=SHORT_PATIENCE)
    except OperationalError:
        return False
    return True


@transaction.atomic
def _run(statements: list[str], *, patience: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{patience}'")
        for statement in statements:
            cursor.execute(statement)
