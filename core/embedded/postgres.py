"""The embedded PostgreSQL of a home: made once, started on a private socket, found again."""

import os
import shutil
import signal
import socket
import struct
import subprocess
from functools import partial
from pathlib import Path

from core.embedded import owner, places, process, programs, tuning
from core.embedded.errors import EmbeddedError

PROTOCOL_3 = 196608

# The builtin provider folds "Ł"; LC_CTYPE C would make pg_trgm drop every letter that is not ASCII.
CLUSTER = [
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C.UTF-8",
    "--encoding=UTF8",
    "--auth=trust",
    f"--username={places.SUPERUSER}",
    "--no-instructions",
]


def server(home: Path, *, durable: bool) -> process.Server:
    return process.Server(
        name="PostgreSQL",
        home=home,
        directory=home / "postgres",
        goodbye=signal.SIGINT,
        probe=partial(probe, home),
        launch=partial(launch, home, durable),
    )


def ensure(home: Path, *, durable: bool) -> None:
    """Return when the database of this home answers; make and start what is missing."""
    make_cluster(home, durable=durable)
    process.ensure(server(home, durable=durable))


def probe(home: Path) -> str:
    """Return "" when the server takes connections, else what it says."""
    try:
        return ask(places.sockets(home) / places.POSTGRES_SOCKET)
    except OSError:
        return "it does not answer yet"


def ask(path: Path) -> str:
    """Ask for a connection and hang up: "" if it was granted, else the server's message.

    Speaks the protocol itself (PostgreSQL 18 manual, 54.2.1 and 54.8): 2 ms, without a library.
    Raises OSError when nobody listens.
    """
    words = f"user\0{places.SUPERUSER}\0database\0postgres\0\0".encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(struct.pack("!ii", len(words) + 8, PROTOCOL_3) + words)
        with connection.makefile("rb") as answer:
            while head := answer.read(5):
                kind, length = struct.unpack("!ci", head)
                body = answer.read(length - 4)
                if kind == b"E":
                    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0")}
                    return fields[b"M"]
                if kind == b"Z":
                    connection.sendall(struct.pack("!ci", b"X", 4))
                    return ""
    raise ConnectionError("the server hung up")


def make_cluster(home: Path, *, durable: bool) -> None:
    """Make the data directory, or check the one that is there. It gets its name only when it is complete."""
    data = home / "postgres"
    if data.exists() and any(data.iterdir()):
        check(data)
        return
    account = owner.of(home)
    draft = home / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    places.make_private(draft, account)
    initdb = [programs.postgres("initdb"), f"--pgdata={draft}", *CLUSTER, *([] if durable else ["--no-sync"])]
    single = [programs.postgres("postgres"), "--single", "-D", str(draft), "postgres"]
    for command, words in ((initdb, ""), (single, f"CREATE DATABASE {places.DATABASE};\n")):
        run_once(owner.command(command, account, draft), draft, words)
    draft.replace(data)


def run_once(command: list[str], directory: Path, words: str) -> None:
    done = subprocess.run(
        command,
        cwd=directory,
        env=os.environ | {"LC_ALL": "C.UTF-8", "TZ": "UTC"},
        input=words,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise EmbeddedError(f"PostgreSQL could not make its data directory {directory}: {last}")


def check(data: Path) -> None:
    """Raise if the directory is not one that this PostgreSQL can serve."""
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedError(
            f"{data} is not a complete PostgreSQL data directory (PG_VERSION is missing):"
            " restore a backup, or set PERENNIAL_HOME to another directory."
        ) from None
    except PermissionError:
        raise EmbeddedError(
            f"{data} belongs to user {data.stat().st_uid}: run this as that user or as root,"
            " or set PERENNIAL_HOME to another directory."
        ) from None
    if found != programs.POSTGRES_MAJOR:
        raise EmbeddedError(
            f"{data} was made by PostgreSQL {found} and this Perennial brings PostgreSQL {programs.POSTGRES_MAJOR}:"
            " run the Perennial that made it and take a backup there, or set PERENNIAL_HOME to another directory."
        )


def launch(home: Path, durable: bool, lock: int) -> "subprocess.Popen[bytes]":
    """Start the server, clearing first what a killed one left behind. The caller holds the lock."""
    data = home / "postgres"
    sockets = places.sockets(home)
    account = owner.of(home)
    places.make_private(sockets, account)
    clear_stale(data, sockets)
    chosen = tuning.settings(memory_bytes=tuning.memory_bytes(), cores=tuning.cores(), durable=durable)
    chosen |= {"listen_addresses": "", "unix_socket_directories": f'"{sockets}"', "unix_socket_permissions": "0700"}
    options = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
    command = owner.command([programs.postgres("postgres"), "-D", str(data), *options], account, data)
    return process.spawn(server(home, durable=durable), command, lock)


def clear_stale(data: Path, sockets: Path) -> None:
    """Remove the socket, and the process file if its number now belongs to somebody else.

    PostgreSQL refuses to start while any process bears the number in its file. With a dead number it
    decides by itself, so the file stays.
    """
    for name in (places.POSTGRES_SOCKET, f"{places.POSTGRES_SOCKET}.lock"):
        (sockets / name).unlink(missing_ok=True)
    file = data / "postmaster.pid"
    first = file.read_text().partition("\n")[0] if file.exists() else ""
    if first.isdigit() and exists(int(first)):
        if process.works_in(int(first), data):
            raise EmbeddedError(f"Another PostgreSQL (process {first}) already serves {data}: stop it first.")
        file.unlink()


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
