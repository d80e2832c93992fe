"""What the tables hold, in numbers that can be compared: rows, and a hash that does not depend on their order.

The hash of a table is the sum over its rows of the first 64 bits of MD5 of the row as text. MD5 guards against
accidents here, not against people; it is the same in every version of PostgreSQL, as its own hashes need not be.
"""

from typing import Final, NamedTuple, TypeAlias

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from psycopg import sql

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]

# Rows as text look the same under these, whatever the server's and the user's own settings are.
PLAIN: Final = """
SET LOCAL search_path = pg_catalog; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
"""
# Ordinary and partitioned tables of ours: no system tables, none that an extension brought, none of a session.
LIST: Final = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind = 'r',
    NOT c.relispartition AND c.relname ~ %(scratch)s
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY 1
"""
CONTENT: Final = """
SELECT {label}, count(*), coalesce(sum(('x' || left(md5(whole_row::text), 16))::bit(64)::bigint), 0)
FROM ONLY {table} whole_row"""


class Tables(NamedTuple):
    """Names, quoted as SQL wants them: `all` with rows or partitions, `filled` with rows, `scratch` left out."""

    all: list[str]
    filled: list[str]
    scratch: list[str]


class Content(NamedTuple):
    rows: int
    hash: str


def connect() -> Connection:
    """A connection of our own to the default database, beside Django's."""
    dsn, password = address()
    return psycopg.connect(dsn, password=password)


def address() -> tuple[str, str]:
    """Where the database is, as libpq's programs want it, and its password, which belongs in the environment."""
    django_connection.ensure_connection()
    info = django_connection.connection.info
    return info.dsn, info.password


def listed(connection: Connection) -> Tables:
    """The tables; those of a night that is still being worked out (BACKUP_SCRATCH_TABLES) count as scratch."""
    rows = connection.execute(LIST, {"scratch": settings.BACKUP_SCRATCH_TABLES}).fetchall()
    return Tables(
        all=[str(name) for name, _, scratch in rows if not scratch],
        filled=[str(name) for name, filled, scratch in rows if filled and not scratch],
        scratch=[str(name) for name, _, scratch in rows if scratch],
    )


def content_query(table: str) -> str:
    """The query for one table's content: its name, its rows, its hash. `table` is quoted already."""
    return CONTENT.format(label=sql.Literal(table).as_string(None), table=table)


def contents(connection: Connection, names: list[str]) -> dict[str, Content]:
    """The content of each table. Call it in a transaction."""
    connection.execute(PLAIN)
    found = {}
    for name in names:
        row = connection.execute(content_query(name).encode()).fetchone()
        if row is not None:
            found[name] = Content(rows=int(str(row[1])), hash=str(row[2]))
    return found
