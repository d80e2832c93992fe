"""Where a run's scores live: a table of its own that becomes a partition of analytics_score when it is complete.

Readers see a whole run or none of it. Tables are named by the run's number, so the names below are never input.
"""

from typing import Final

from django.db import connection

# The orders people ask for (crm.selectors.customer_list), each ending with the key. Only the current run has them.
SORTS: Final = {
    "clv": "(clv_cents, customer_id)",
    "risk": "(churn_risk, customer_id)",
    "last": "(last_at, customer_id)",
    "value": "(value_cents, customer_id)",
    "segment": "(segment, clv_cents, customer_id)",
}


def table_of(run_id: int) -> str:
    return f"analytics_score_of_run_{int(run_id)}"


def create(run_id: int) -> None:
    """An empty table for the run's scores, without indexes: rows are copied in faster."""
    table = table_of(run_id)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} (LIKE analytics_score INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_run CHECK (run_id = {int(run_id)})")


def index(run_id: int, *, sorts: bool) -> None:
    """The key, the sort indexes of a run that becomes current, and the planner's statistics."""
    table = table_of(run_id)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (customer_id)")
        for name, columns in SORTS.items() if sorts else ():
            cursor.execute(f"CREATE INDEX {table}_{name} ON {table} {columns}")
        cursor.execute(f"ANALYZE {table}")


def attach(run_id: int) -> None:
    """Make the table a partition. Its CHECK spares the scan, so that this takes milliseconds."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        cursor.execute(f"ALTER TABLE analytics_score ATTACH PARTITION {table_of(run_id)} FOR VALUES IN ({int(run_id)})")


def drop_sorts(run_id: int) -> None:
    """Take the sort indexes off a run that is no longer current."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        for name in SORTS:
            cursor.execute(f"DROP INDEX IF EXISTS {table_of(run_id)}_{name}")


def drop(run_id: int) -> None:
    """Forget the scores of a run, attached or not."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        cursor.execute(f"DROP TABLE IF EXISTS {table_of(run_id)}")


def kept() -> set[int]:
    """The runs that have a table of scores, attached or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'analytics\\_score\\_of\\_run\\_%'"
        )
        return {int(name.rsplit("_", 1)[1]) for (name,) in cursor.fetchall()}
