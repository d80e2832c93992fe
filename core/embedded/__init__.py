"""PostgreSQL and Redis for a try-out and for tests: real servers from wheels, one pair per home.

A home is a directory (PERENNIAL_HOME). Its servers listen on unix sockets only, so two homes never meet.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.embedded import owner, places, postgres, process, redis
from core.embedded.errors import EmbeddedError
from core.embedded.places import broker_url, database_url, redis_url

__all__ = ["EmbeddedError", "State", "broker_url", "database_url", "redis_url", "start", "status", "stop"]


class State(NamedTuple):
    """What one server is doing: `answer` is "" when it is ready."""

    name: str
    running: bool
    pid: int | None
    answer: str
    log: Path


def start(home: Path, *, durable: bool = True, with_postgres: bool = True, with_redis: bool = True) -> bool:
    """Return once the servers of a home answer; True if one had to be started.

    Costs a few milliseconds when they run already. Raises EmbeddedError with a sentence for the user.
    `durable=False` trades safety against a crash of the machine for speed: for tests.
    """
    wanted = _wanted(home, durable=durable, with_postgres=with_postgres, with_redis=with_redis)
    if not any(server.probe() for server in wanted):
        return False
    try:
        make_home(home)
        with process.one_at_a_time(home):
            if with_postgres:
                postgres.ensure(home, durable=durable)
            if with_redis:
                redis.ensure(home)
    except PermissionError as error:
        raise EmbeddedError(
            f"{error.filename or home} is closed to user {os.geteuid()}: run this as the user who owns {home},"
            " or set PERENNIAL_HOME to another directory."
        ) from error
    return True


def stop(home: Path) -> bool:
    """Stop the servers of a home in good order; True if one was running."""
    if not places.run(home).exists():
        return False
    with process.one_at_a_time(home):
        stopped = [process.stop(server) for server in _wanted(home)]
    if places.sockets(home) != places.run(home):
        with suppress(OSError):
            places.sockets(home).rmdir()
    return any(stopped)


def status(home: Path) -> list[State]:
    """Return what the servers of a home are doing. Starts nothing, changes nothing."""
    return [
        State(server.name, process.alive(server), process.pid_of(server), server.probe(), server.log)
        for server in _wanted(home)
    ]


def make_home(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    places.logs(home).mkdir(exist_ok=True)
    places.make_private(places.run(home), owner.of(home))


def _wanted(
    home: Path, *, durable: bool = True, with_postgres: bool = True, with_redis: bool = True
) -> list[process.Server]:
    servers = []
    if with_postgres:
        servers.append(postgres.server(home, durable=durable))
    if with_redis:
        servers.append(redis.server(home))
    return servers
