"""Start a server once, find it again, stop it: what PostgreSQL and Redis have in common.

A server inherits a locked file. The kernel frees the lock when its last process is gone, however it died, so
the lock says "a server of this home lives" where a process number may belong to somebody else by now.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.embedded import places
from core.embedded.errors import EmbeddedError

PATIENCE_SECONDS = 300
NOTICE_AFTER_SECONDS = 2
LARGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Server:
    """One of the two servers of a home.

    `probe` returns "" when the server answers, else what it is doing; `launch` starts it with the lock's
    file descriptor to inherit; `goodbye` is the signal that makes it stop in good order.
    """

    name: str
    home: Path
    directory: Path
    goodbye: signal.Signals
    probe: Callable[[], str]
    launch: Callable[[int], "subprocess.Popen[bytes]"]

    @property
    def lock(self) -> Path:
        return places.run(self.home) / f"{self.name.lower()}.lock"

    @property
    def pid_file(self) -> Path:
        return places.run(self.home) / f"{self.name.lower()}.pid"

    @property
    def log(self) -> Path:
        return places.logs(self.home) / f"{self.name.lower()}.log"


def ensure(server: Server) -> None:
    """Return when the server answers; start it unless a living process of it holds the lock.

    A dying or recovering predecessor is waited for. Raises EmbeddedError if the server gives up.
    """
    child: subprocess.Popen[bytes] | None = None
    for _ in _patiently(server):
        if not server.probe():
            return
        if child is None:
            child = _launch(server)
        elif child.poll() is not None:
            raise EmbeddedError(f"{server.name} did not start: {last_complaint(server.log)} (more in {server.log}).")


def stop(server: Server) -> bool:
    """Stop the server in good order and wait until it is gone. False if it was not running."""
    pid = pid_of(server)
    if pid is None and not alive(server):
        return False
    if pid is not None:
        os.kill(pid, server.goodbye)
    for _ in _patiently(server):
        if not alive(server):
            server.pid_file.unlink(missing_ok=True)
            return True
    return False


def alive(server: Server) -> bool:
    """Is any process of the server still there?"""
    if not server.lock.exists():
        return False
    with server.lock.open("rb") as file:
        return not _try_lock(file.fileno(), fcntl.LOCK_SH)


def pid_of(server: Server) -> int | None:
    """Return the living server's process number. The file may be stale and its number in use by another."""
    try:
        pid = int(server.pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if alive(server) and works_in(pid, server.directory) else None


def works_in(pid: int, directory: Path) -> bool:
    """Does this process work in this directory? Both servers do in theirs. True where the system cannot say."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(directory)
    except OSError:
        return not Path("/proc/self").exists()


@contextmanager
def one_at_a_time(home: Path) -> Iterator[None]:
    """Let only one command at a time start or stop the servers of a home."""
    with (places.run(home) / "start.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def spawn(server: Server, command: list[str], lock: int, **options: bytes) -> "subprocess.Popen[bytes]":
    """Start a server in the background, out of reach of the terminal's Ctrl-C, with its log and its lock."""
    with server.log.open("ab") as log:
        child = subprocess.Popen(
            command,
            cwd=server.directory,
            stdin=subprocess.PIPE if options else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
        )
    if child.stdin:
        child.stdin.write(options["stdin"])
        child.stdin.close()
    server.pid_file.write_text(f"{child.pid}\n")
    return child


def last_complaint(log: Path) -> str:
    """Return the log's last line that tells of a failure, without its time stamp."""
    lines = log.read_text(errors="replace").splitlines()[-200:] if log.exists() else []
    loud = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "# ", "rror"))]
    last = (loud or lines or ["it said nothing"])[-1]
    for word in ("FATAL:", "PANIC:", "# "):
        last = last.rpartition(word)[2]
    return last.strip().rstrip(".")


def _launch(server: Server) -> "subprocess.Popen[bytes] | None":
    """Launch the server unless another process of it is alive: then None, and the caller waits."""
    with server.lock.open("ab") as file:
        if not _try_lock(file.fileno(), fcntl.LOCK_EX):
            return None
        _roll(server.log)
        return server.launch(file.fileno())


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _roll(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".1.log"))


def _patiently(server: Server) -> Iterator[None]:
    """Yield again and again until the caller is content; say once what it waits for; give up in the end."""
    started = time.monotonic()
    told = False
    while (waited := time.monotonic() - started) < PATIENCE_SECONDS:
        yield
        if waited > NOTICE_AFTER_SECONDS and not told:
            print(f"Waiting for {server.name} in {server.home}: {server.probe()} …", file=sys.stderr)  # noqa: T201
            told = True
        time.sleep(0.02 if waited < 1 else 0.2)
    raise EmbeddedError(
        f"{server.name} in {server.home} did not get ready within {PATIENCE_SECONDS} seconds:"
        f" {server.probe()}; see {server.log}."
    )
