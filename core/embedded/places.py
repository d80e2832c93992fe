"""Where an embedded server keeps its data, its sockets and its logs, all computed from the home alone."""

import hashlib
import os
import stat
from pathlib import Path
from urllib.parse import quote

from core.embedded import owner
from core.embedded.errors import EmbeddedError

DATABASE = "perennial"
SUPERUSER = "perennial"
POSTGRES_SOCKET = ".s.PGSQL.5432"
REDIS_SOCKET = "redis.sock"

# sun_path holds 108 bytes on Linux and 104 on macOS and the BSDs, the closing zero included.
LONGEST_SOCKET_PATH = 103


def run(home: Path) -> Path:
    """Return the directory of the locks and process numbers, and of the sockets when their paths are short."""
    return home / "run"


def logs(home: Path) -> Path:
    return home / "log"


def sockets(home: Path) -> Path:
    """Return the directory of the sockets: in the home if the paths fit, else a private one under /tmp."""
    longest = run(home) / POSTGRES_SOCKET
    if len(os.fsencode(longest)) <= LONGEST_SOCKET_PATH:
        return run(home)
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(f"/tmp/perennial-{owner.of(home).uid}-{digest}")  # noqa: S108 - checked by make_private


def database_url(home: Path) -> str:
    """Return the URL of this home's PostgreSQL, for Django and psql alike. Starts nothing."""
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(sockets(home)))}"


def redis_url(home: Path) -> str:
    """Return the URL of this home's Redis. Starts nothing."""
    return f"unix://{quote(str(sockets(home) / REDIS_SOCKET))}"


def broker_url(url: str) -> str:
    """Return a Redis URL in Celery's form: `redis+socket://` for a unix socket, unchanged otherwise.

    Celery names the database number of a socket `virtual_host`.
    """
    if not url.startswith("unix://"):
        return url
    return url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


def make_private(directory: Path, account: owner.Account) -> None:
    """Make a directory that only the servers' account may enter.

    Somebody else may have made it first, under /tmp above all, so what is found is checked and never trusted.
    """
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        owner.give(directory, account)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
        raise EmbeddedError(
            f"{directory} is not a directory of user {account.uid}, so the servers cannot keep their sockets"
            " and data there: remove it, or set PERENNIAL_HOME to another directory."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        directory.chmod(0o700)
