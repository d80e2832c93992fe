"""The web server of the Procfile on a free port."""

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROCFILE = Path(__file__).resolve().parent.parent / "Procfile"


@contextmanager
def gunicorn() -> Iterator[int]:
    """Runs it as it runs in production, with the environment as it is; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    line = next(line for line in PROCFILE.read_text().splitlines() if line.startswith("web: "))
    shown = os.path.expandvars(line.removeprefix("web: ").replace("${PORT:-8000}", str(port)))
    for default in ("${HOST:-127.0.0.1}", "${WEB_WORKERS:-2}"):
        shown = shown.replace(default, os.environ.get(default[2:].split(":")[0], default.split(":-")[1][:-1]))
    child = subprocess.Popen([sys.executable, "-m", *shlex.split(shown)])
    try:
        _wait_for(port)
        yield port
    finally:
        child.terminate()
        child.wait()


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The web server did not start.")
