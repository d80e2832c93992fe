"""Making a backup: the database as of one moment, the files beside it, the key, and what they must add up to."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import psycopg
from django.conf import settings

from core.backup import archive, programs, tables
from core.backup.errors import BackupError
from core.models import Job

STEP: Final = "backup"  # the job that says when the last one was made
ATTEMPTS: Final = 5
PATIENCE: Final = "60s"
PULSE_SECONDS: Final = 10
DUMP: Final = (
    *("--format=plain", "--no-owner", "--no-acl", "--no-comments", "--no-tablespaces", "--no-security-labels"),
    *("--no-publications", "--no-subscriptions", f"--lock-wait-timeout={PATIENCE}"),
)


def save(*, target: Path, force: bool, at: datetime, say: archive.Say) -> archive.Manifest:
    """Write everything into `target` while the shop goes on; returns the manifest. Raises BackupError."""
    with archive.creating(target, force=force) as writer, tables.connect() as connection:
        found = _snapshot(connection)
        facts = _facts(connection, at)
        for name, path in _files():
            _add_file(writer, name, path)
        say(f"Copying {len(found.filled)} tables …")
        _add_database(writer, connection, found, say)
        say("Counting what must be there after a restore …")
        contents = tables.contents(connection, found.filled)
        facts |= {"tables": {name: content._asdict() for name, content in contents.items()}}
        writer.add(archive.SECRET_KEY, [settings.SECRET_KEY.encode()])
        manifest = writer.close(facts)
        say("Reading the file back …")
    return manifest


def _snapshot(connection: tables.Connection) -> tables.Tables:
    """Lock the tables against being dropped or emptied, freeze what this transaction sees, and return the tables.

    TRUNCATE and ATTACH do not heed snapshots, so the locks come first; the lists before and after must agree.
    """
    for _ in range(ATTEMPTS):
        before = tables.listed(connection)
        connection.rollback()
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'".encode())
        try:
            for name in before.all:
                connection.execute(f"LOCK TABLE ONLY {name} IN ACCESS SHARE MODE".encode())
        except psycopg.errors.UndefinedTable:
            connection.rollback()
            continue
        except psycopg.errors.LockNotAvailable as error:
            raise BackupError("Another command holds a table for itself. Try again when it is done.") from error
        if tables.listed(connection) == before:
            return before
        connection.rollback()
    raise BackupError("Tables came and went while the backup began. Try again when the night has gone on.")


def _facts(connection: tables.Connection, at: datetime) -> dict[str, Any]:
    applied = connection.execute("SELECT app, name FROM public.django_migrations ORDER BY app, name").fetchall()
    return {
        "made_at": at.isoformat(),
        "version": settings.VERSION,
        "postgres": connection.info.server_version // 10_000,
        "migrations": [f"{app}.{name}" for app, name in applied],
    }


def _files() -> Iterator[tuple[str, Path]]:
    """Every file below the directories that belong into a backup, and its name there."""
    for label, folder in settings.BACKUP_DIRECTORIES.items():
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield f"{archive.FILES}/{label}/{path.relative_to(folder).as_posix()}", path


def _add_file(writer: archive.Writer, name: str, path: Path) -> None:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # done with and deleted meanwhile
        return
    with file:
        writer.add(name, archive.blocks_of(file))


def _add_database(
    writer: archive.Writer, connection: tables.Connection, found: tables.Tables, say: archive.Say
) -> None:
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    dsn, password = tables.address()
    command = [
        programs.find("pg_dump", major=connection.info.server_version // 10_000),
        *DUMP,
        f"--snapshot={row[0] if row else ''}",
        *(f"--exclude-table={name}" for name in found.scratch),
        f"--dbname={dsn}",
    ]
    with _running(command, password) as process:
        size = writer.add(archive.DATABASE, _paced(archive.blocks_of(process.stdout), say))
    say(f"The database: {size / 1e6:,.1f} MB before compression.")


@contextmanager
def _running(command: list[str], password: str) -> Iterator[Any]:
    """Run a program whose output is read in the block; it does not outlive the block, and its failure is told."""
    with TemporaryFile() as complaints:
        environment = os.environ | {"PGPASSWORD": password, "LC_ALL": "C.UTF-8"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, env=environment) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
            raise BackupError(f"pg_dump could not copy the database: {said[0] if said else 'it said nothing'}.")


def _paced(blocks: Iterator[bytes], say: archive.Say) -> Iterator[bytes]:
    """Hand the blocks on and say every few seconds how much it was."""
    size, told = 0, time.monotonic()
    for block in blocks:
        yield block
        size += len(block)
        if time.monotonic() - told > PULSE_SECONDS:
            say(f"  {size / 1e6:,.0f} MB")
            told = time.monotonic()


def remember(*, target: Path, started_at: datetime, finished_at: datetime) -> None:
    """Leave a job that is done: it shows among the jobs, and tells how old the last backup is."""
    Job.objects.create(
        step=STEP,
        state=Job.State.DONE,
        ready_at=started_at,
        started_at=started_at,
        finished_at=finished_at,
        result={"file": str(target), "bytes": target.stat().st_size},
    )
