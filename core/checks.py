"""Can the servers that DATABASE_URL and REDIS_URL name do what Perennial needs? One sentence says what is wrong."""

import re
from typing import LiteralString, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import psycopg
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

OLDEST_POSTGRES = 16
OLDEST_REDIS = (6, 2)
EXTENSIONS = ("pg_trgm", "unaccent")
SCHEMES = ("postgres://", "postgresql://", "psql://", "pgsql://")
WAIT_SECONDS = 10

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]

FACTS = """
SELECT current_setting('server_version_num')::int / 10000,
       pg_encoding_to_char(encoding),
       has_database_privilege(oid, 'CREATE'),
       ARRAY(SELECT name::text FROM pg_available_extensions),
       ARRAY(SELECT extname::text FROM pg_extension)
FROM pg_database WHERE datname = current_database()
"""
NEW_DATABASE = (
    "CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
    " (PostgreSQL 17 and later also LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8')"
)


class UnfitServerError(RuntimeError):
    """A server that a URL names is out of reach or cannot do what is needed. The message says what to do."""


def postgres(url: str) -> None:
    """Check version, encoding, locale and extensions of the database. Raises UnfitServerError."""
    if not url.startswith(SCHEMES):
        raise UnfitServerError(
            f"DATABASE_URL must begin with postgresql://, not {url.partition('://')[0]}://: only PostgreSQL will do."
        )
    try:
        with psycopg.connect(_for_libpq(url), connect_timeout=WAIT_SECONDS) as connection:
            _check(connection)
            connection.rollback()
    except psycopg.Error as error:
        said = str(error).strip().splitlines()[-1]
        raise UnfitServerError(f"DATABASE_URL ({without_password(url)}) cannot be used: {said}") from error


def _for_libpq(url: str) -> str:
    return f"postgresql://{url.partition('://')[2]}"


def _check(connection: Connection) -> None:
    row = connection.execute(FACTS).fetchone()
    if row is None:
        raise UnfitServerError("DATABASE_URL names a database that does not list itself.")
    version, encoding, may_create, available, installed = row
    demand(
        int(str(version)) >= OLDEST_POSTGRES,
        f"DATABASE_URL names PostgreSQL {version}; Perennial needs {OLDEST_POSTGRES} or later: upgrade the server.",
    )
    demand(
        encoding == "UTF8",
        f"DATABASE_URL names a database in {encoding}; Perennial needs UTF8: make a new one with {NEW_DATABASE}.",
    )
    demand(
        is_true(connection, "SELECT lower('Ł') = 'ł'"),
        f"The locale of the database does not fold letters such as Ł: make a new one with {NEW_DATABASE}.",
    )
    _check_extensions(connection, set(list_of(available)), set(list_of(installed)), may_create=bool(may_create))


def is_true(connection: Connection, query: LiteralString) -> bool:
    row = connection.execute(query).fetchone()
    return bool(row and row[0])


def list_of(names: object) -> list[str]:
    return [str(name) for name in names] if isinstance(names, list) else []


def _check_extensions(connection: Connection, available: set[str], installed: set[str], *, may_create: bool) -> None:
    for name in EXTENSIONS:
        if name in installed:
            continue
        demand(
            name in available,
            f"PostgreSQL lacks the extension {name}: install its contrib package (Debian: postgresql-contrib).",
        )
        demand(
            may_create,
            f"The extension {name} is missing and this user may not create it:"
            f" run CREATE EXTENSION {name} in the database as a superuser.",
        )
        # Rolled back: migrations make it for good.
        connection.execute(f"CREATE EXTENSION {name}")
    demand(
        is_true(connection, "SELECT cardinality(show_trgm('Łódź')) = 5"),
        f"Searching for letters such as ź finds nothing under the locale of this database"
        f" (its LC_CTYPE): make a new one with {NEW_DATABASE}.",
    )


def redis(url: str) -> None:
    """Check that Redis answers and is new enough. Raises UnfitServerError."""
    try:
        with Redis.from_url(url, socket_connect_timeout=WAIT_SECONDS, socket_timeout=WAIT_SECONDS) as client:
            found = str(client.info("server")["redis_version"])
    except AuthenticationError as error:
        raise UnfitServerError(f"REDIS_URL ({without_password(url)}) has the wrong password: {error}.") from error
    except (RedisError, ValueError, OSError) as error:
        raise UnfitServerError(
            f"REDIS_URL ({without_password(url)}) cannot be used: {str(error).rstrip('.')}."
        ) from error
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
    demand(numbers >= OLDEST_REDIS, f"REDIS_URL names Redis {found}; Perennial needs 6.2 or later: upgrade the server.")


def demand(fulfilled: bool, otherwise: str) -> None:
    if not fulfilled:
        raise UnfitServerError(otherwise)


def without_password(url: str) -> str:
    """Return a URL as it may stand in a message."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":…@")))
