"""The web server of the Procfile on a free port."""

import os
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
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["sh", "-c", "exec " + line.removeprefix("web: ")]
    child = subprocess.Popen(command, env=os.environ | {"PORT": str(port), "PATH": path})
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
