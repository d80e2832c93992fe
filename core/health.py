"""Is everything there that a page needs? Each part is asked by itself, with a limit of its own."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Final

import structlog
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core import stopping

log = structlog.get_logger(__name__)

OK: Final = "ok"
LIMIT_SECONDS: Final = 1.0
APPLIED: Final = "SELECT app, name FROM django_migrations"


class NotReadyError(Exception):
    """A part answers, but not as a page needs it. The message holds nothing secret."""


def postgres() -> None:
    """A question over a connection of its own, so that a broken one is not taken for a broken server."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {round(1000 * LIMIT_SECONDS)}")
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def migrations() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {round(1000 * LIMIT_SECONDS)}")
            cursor.execute(APPLIED)
            applied = set(cursor.fetchall())
    finally:
        connection.close()
    if missing := _known() - applied:
        raise NotReadyError(f"{len(missing)} to apply: run `migrate`")


@lru_cache(maxsize=1)
def _known() -> frozenset[tuple[str, str]]:
    """The last migration of each app, as the code has them; read once, as they cannot change while it runs."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def redis() -> None:
    limits = {"socket_timeout": LIMIT_SECONDS, "socket_connect_timeout": LIMIT_SECONDS}
    with Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **limits) as client:
        client.ping()


PARTS: Final[Mapping[str, Callable[[], None]]] = {"postgres": postgres, "migrations": migrations, "redis": redis}
_POOL: Final = ThreadPoolExecutor(max_workers=2 * len(PARTS), thread_name_prefix="health")


def parts(asked: Mapping[str, Callable[[], None]] = PARTS) -> dict[str, str]:
    """What each part says: `ok`, or in a few words what is wrong. All are asked at once, each for a second."""
    waiting = {name: _POOL.submit(ask) for name, ask in asked.items()}
    return {name: _answer(name, future) for name, future in waiting.items()}


def _answer(name: str, future: "Future[None]") -> str:
    try:
        future.result(timeout=LIMIT_SECONDS)
    except TimeoutError:
        future.cancel()
        return f"no answer within {LIMIT_SECONDS:g} s"
    except NotReadyError as error:
        return str(error)
    except Exception as error:
        log.warning("a part is not ready", part=name, kind=type(error).__name__)
        return "does not answer"
    return OK


def ready() -> tuple[bool, dict[str, str]]:
    """Whether new callers are welcome, and what each part says."""
    if stopping.begun():
        return False, {"server": "stopping"}
    found = parts()
    return all(said == OK for said in found.values()), found
