"""Restoring a backup: all is checked before anything is touched, and the database changes at once or not at all."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection as django_connection
from django.db.migrations.loader import MigrationLoader

from core.backup import aftermath, archive, programs, tables
from core.backup.archive import Manifest, Say
from core.backup.errors import BackupError

PATIENCE: Final = "10s"
BEGIN: Final = f"""\\set QUIET on
\\o /dev/null
BEGIN;
SET LOCAL lock_timeout = '{PATIENCE}';
SET LOCAL client_min_messages = 'error';
"""
EMPTY: Final = "DROP SCHEMA {names} CASCADE;\nCREATE SCHEMA public;\n"
# PostgreSQL 16 does not know this setting, which pg_dump 17 and later write.
UNKNOWN_SETTING: Final = b"SET transaction_timeout = 0;\n"
OTHERS: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
SCHEMAS: Final = """
SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""


def load(*, source: Path, replace: bool, at: datetime, say: Say) -> Manifest:
    """Restore the backup into this home and database; returns its manifest. Raises BackupError and changes nothing."""
    say(f"Checking {source} …")
    manifest = archive.check(source)
    _check_code(manifest)
    schemas = _check_place(manifest, replace=replace)
    draft = settings.PERENNIAL_HOME / "restore.part"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        with zipfile.ZipFile(source) as file:
            _unpack(file, draft)
            say("Loading the database …")
            _load_database(file, manifest, drop=schemas if replace else [])
            say("Every table holds what the backup says. Putting the files in place …")
        _place_files(draft, at)
        _place_key(draft)
    except OSError as error:
        raise BackupError(f"{source} cannot be unpacked into {draft.parent}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    say("Bringing the tables up to this version …")
    call_command("migrate", verbosity=0, interactive=False)
    with django_connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return manifest


def _check_code(manifest: Manifest) -> None:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := [name for name in manifest["migrations"] if name not in known]:
        raise BackupError(
            f"The backup was made by a newer or another Perennial (version {manifest['version']}): this version"
            f" {settings.VERSION} does not know its migration {unknown[0]}. Update Perennial first."
        )


def _check_place(manifest: Manifest, *, replace: bool) -> list[str]:
    """Refuse a database that is too old, in use or not empty; returns its schemas."""
    with tables.connect() as connection:
        django_connection.close()
        major = connection.info.server_version // 10_000
        if major < manifest["postgres"]:
            raise BackupError(
                f"The backup comes from PostgreSQL {manifest['postgres']} and this server is {major}:"
                " restore it to a server that is not older."
            )
        if (found := len(tables.listed(connection).all)) and not replace:
            raise BackupError(
                f"The database holds {found} tables already. Restore into an empty home or database"
                " (PERENNIAL_HOME, DATABASE_URL); --replace deletes what is in this one."
            )
        row = connection.execute(OTHERS).fetchone()
        if row and row[0]:
            raise BackupError(f"{row[0]} others use the database: stop web, worker and beat first.")
        return [str(name) for (name,) in connection.execute(SCHEMAS).fetchall()]


def _unpack(file: zipfile.ZipFile, draft: Path) -> None:
    """Write the files and the key beside their places, so that a full disk is noticed before anything changes."""
    draft.mkdir(mode=0o700)
    for name in file.namelist():
        if name in (archive.DATABASE, archive.MANIFEST):
            continue
        path = draft / PurePosixPath(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with file.open(name) as member, path.open("wb") as copy:
            shutil.copyfileobj(member, copy, archive.BLOCK)


def _load_database(file: zipfile.ZipFile, manifest: Manifest, *, drop: list[str]) -> None:
    """Load the dump, compare every table's rows and hash, tidy up and commit: one transaction of psql."""
    expected = {name: tables.Content(**content) for name, content in manifest["tables"].items()}
    major = manifest["postgres"]
    with _psql(major) as psql, file.open(archive.DATABASE) as dump:
        psql.write(BEGIN.encode())
        if drop:
            psql.write(EMPTY.format(names=", ".join(drop)).encode())
        _copy(dump, psql)
        found = _ask(psql, expected)
        if wrong := [name for name, content in expected.items() if found.get(name) != content]:
            raise BackupError(f"The table {wrong[0]} does not hold what the backup says; nothing was changed.")
        psql.write(f"{aftermath.script(expected)}COMMIT;\n".encode())


class _Psql:
    """A running psql: SQL in, lines out. A write after its end says why it ended."""

    def __init__(self, process: "subprocess.Popen[bytes]", complaints: IO[bytes]) -> None:
        self.process, self.complaints = process, complaints

    def write(self, text: bytes) -> None:
        try:
            _pipe(self.process.stdin).write(text)
        except BrokenPipeError:
            self.process.wait()
            self.fail()

    def lines(self, until: str) -> Iterator[str]:
        _pipe(self.process.stdin).flush()
        for line in _pipe(self.process.stdout):
            if (text := line.decode().rstrip("\n")) == until:
                return
            yield text
        self.process.wait()
        self.fail()

    def fail(self) -> None:
        self.complaints.seek(0)
        said = self.complaints.read().decode(errors="replace").strip().splitlines() or ["psql said nothing"]
        raise BackupError(f"PostgreSQL refused the backup, nothing was changed: {said[0]}")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise BackupError("psql was started without pipes.")
    return pipe


@contextmanager
def _psql(major: int) -> Iterator[_Psql]:
    """Run psql on the default database. An error in the block ends it before its COMMIT."""
    dsn, password = tables.address()
    django_connection.close()
    command = [programs.find("psql", major=major), "-XAt", "--set=ON_ERROR_STOP=1", f"--dbname={dsn}", "--file=-"]
    environment = os.environ | {"PGPASSWORD": password, "PGCLIENTENCODING": "UTF8", "LC_ALL": "C.UTF-8"}
    with TemporaryFile() as complaints:
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": complaints}
        with subprocess.Popen(command, env=environment, **pipes) as process:
            psql = _Psql(process, complaints)
            try:
                yield psql
                psql.write(b"\\echo committed\n")
                list(psql.lines(until="committed"))
            except BaseException:
                process.kill()
                raise


def _copy(dump: IO[bytes], psql: _Psql) -> None:
    """Feed the dump to psql. The setting stands in its head, within the first block."""
    psql.write(dump.read(archive.BLOCK).replace(UNKNOWN_SETTING, b"", 1))
    for block in archive.blocks_of(dump):
        psql.write(block)


def _ask(psql: _Psql, names: Iterable[str]) -> dict[str, tables.Content]:
    """Ask for the content of each table, within the transaction that loaded them."""
    queries = "".join(f"{tables.content_query(name)};\n" for name in names)
    psql.write(f"RESET ALL;\n{tables.PLAIN}\\o\n{queries}\\echo counted\n\\o /dev/null\n".encode())
    found = {}
    for line in psql.lines(until="counted"):
        name, rows, digest = line.rsplit("|", 2)
        found[name] = tables.Content(rows=int(rows), hash=digest)
    return found


def _place_files(draft: Path, at: datetime) -> None:
    """Move each directory to its place; what was there is moved aside, not deleted."""
    for label, folder in settings.BACKUP_DIRECTORIES.items():
        place, found = Path(folder), draft / archive.FILES / label
        if place.exists() and any(place.iterdir()):
            place.rename(place.with_name(f"{place.name}.before-restore-{at:%Y%m%dT%H%M%S}"))
        if found.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(found, place)


def _place_key(draft: Path) -> None:
    """Keep the key in the home; SECRET_KEY in the environment goes before it."""
    place = settings.PERENNIAL_HOME / "secret_key"
    (draft / archive.SECRET_KEY).chmod(0o600)
    (draft / archive.SECRET_KEY).replace(place)
