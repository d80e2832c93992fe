"""The embedded Redis (or Valkey) of a home: an append-only file and a private socket."""

import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from core.embedded import owner, places, process, programs
from core.embedded.errors import EmbeddedError


def server(home: Path) -> process.Server:
    return process.Server(
        name="Redis",
        home=home,
        directory=home / "redis",
        goodbye=signal.SIGTERM,
        probe=partial(probe, home),
        launch=partial(launch, home),
    )


def ensure(home: Path) -> None:
    """Return when this home's Redis answers.

    It holds only doorbells, the work itself is in PostgreSQL: data it cannot read is put aside, not fatal.
    """
    places.make_private(home / "redis", owner.of(home))
    try:
        process.ensure(server(home))
    except EmbeddedError as error:
        if not any((home / "redis").iterdir()):
            raise
        aside = home / f"redis.unreadable-{time.time_ns()}"
        (home / "redis").rename(aside)
        print(f"{error} It starts empty; the old data is in {aside}.", file=sys.stderr)  # noqa: T201
        places.make_private(home / "redis", owner.of(home))
        process.ensure(server(home))


def probe(home: Path) -> str:
    """Return "" when the server answers PING, else what it says."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(places.sockets(home) / places.REDIS_SOCKET))
            connection.sendall(b"PING\r\n")
            answer = connection.recv(200).decode(errors="replace").strip()
    except OSError:
        return "it does not answer yet"
    return "" if answer == "+PONG" else answer or "it hung up"


def launch(home: Path, lock: int) -> "subprocess.Popen[bytes]":
    """Start the server, clearing first the socket that a killed one left behind. The caller holds the lock."""
    account = owner.of(home)
    places.make_private(places.sockets(home), account)
    path = places.sockets(home) / places.REDIS_SOCKET
    path.unlink(missing_ok=True)
    command = owner.command([programs.redis(), "-"], account, home / "redis")
    return process.spawn(server(home), command, lock, stdin=settings(home / "redis", path).encode())


def settings(directory: Path, path: Path) -> str:
    """Return redis.conf. It goes in by standard input, where paths may be quoted in every version."""
    lines = {
        "port": "0",
        "databases": "64",
        "unixsocket": f'"{path}"',
        "unixsocketperm": "700",
        "dir": f'"{directory}"',
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())
