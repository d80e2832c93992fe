"""Before Django starts: the servers that a command needs are there, and an empty home has its tables."""

import fcntl
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import django
import psycopg
from django.core.management import call_command

from core import checks, embedded

BASE_DIR = Path(__file__).resolve().parent.parent

# Commands that touch neither PostgreSQL nor Redis, and `servers` and `up`, which start them by themselves.
WITHOUT_SERVERS = {
    *("check", "diffsettings", "help", "report_card", "servers", "startapp", "startproject", "test", "up", "version"),
    *("collectstatic", "findstatic", "compilemessages", "makemessages"),
}
# Commands that need the servers but must find the tables as they are.
WITHOUT_TABLES = {"dbshell", "makemigrations", "migrate", "restore", "showmigrations", "sqlmigrate"}
# Options that turn any command into one that needs nothing: they ask for help, or look at a file alone.
ASKS_FOR_LITTLE = {"-h", "--help", "--verify", "--version"}


def prepare(argv: Sequence[str]) -> None:
    """Start (or find) what the command needs; on an empty embedded home make the tables first.

    Ends the process with status 2 and a sentence when that cannot be done.
    """
    command = argv[1] if len(argv) > 1 else "help"
    if command in WITHOUT_SERVERS or command.startswith("-") or ASKS_FOR_LITTLE & set(argv):
        return
    try:
        serve(home())
        check_given()
        if embeds_postgres() and command not in WITHOUT_TABLES:
            make_tables(home())
    except (embedded.EmbeddedError, checks.UnfitServerError) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def home() -> Path:
    """Return PERENNIAL_HOME as the settings see it."""
    return Path(os.environ.get("PERENNIAL_HOME", BASE_DIR / "var")).resolve()


def embeds_postgres() -> bool:
    return not os.environ.get("DATABASE_URL")


def embeds_redis() -> bool:
    return not os.environ.get("REDIS_URL")


def serve(place: Path) -> bool:
    """Start the servers that no URL names; True if one had to be started."""
    if not embeds_postgres() and not embeds_redis():
        return False
    return embedded.start(
        place,
        durable=os.environ.get("PERENNIAL_DURABLE", "1") != "0",
        with_postgres=embeds_postgres(),
        with_redis=embeds_redis(),
    )


def check_given() -> None:
    """Raise UnfitServerError if a server that a URL names cannot do what Perennial needs."""
    if url := os.environ.get("DATABASE_URL"):
        checks.postgres(url)
    if url := os.environ.get("REDIS_URL"):
        checks.redis(url)


def make_tables(place: Path) -> None:
    """Migrate an empty home quietly. A marker tells the next command of a migration that was cut off."""
    marker = place / "migrating"
    if has_tables(place) and not marker.exists():
        return
    with (place / "run" / "migrate.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if has_tables(place) and not marker.exists():
            return
        marker.touch()
        django.setup()
        call_command("migrate", verbosity=0, interactive=False)
        marker.unlink()


def has_tables(place: Path) -> bool:
    with psycopg.connect(embedded.database_url(place)) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
    return bool(row and row[0])
