"""`./manage.py backup FILE`: everything needed to start again elsewhere, in one file. `--verify FILE` checks one."""

import signal
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError
from django.utils import timezone

from core.backup import archive, save
from core.backup.errors import BackupError


class Command(BaseCommand):
    help = (
        "Writes the database, the uploaded files and the secret key into FILE while the shop goes on."
        " The file holds personal data and the key: keep it where only you can read it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--force", action="store_true", help="Replace FILE if it exists.")
        parser.add_argument("--verify", action="store_true", help="Write nothing: check that FILE is whole.")

    def handle(self, *args: Any, file: Path, force: bool, verify: bool, **options: Any) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            manifest = archive.check(file) if verify else self.save(file.resolve(), force=force)
        except BackupError as error:
            raise CommandError(str(error), returncode=2) from error
        except psycopg.Error as error:
            raise CommandError(f"PostgreSQL broke off: {error}") from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped; no file was written.", returncode=130) from error
        self.stdout.write(f"{file} {'is whole' if verify else 'is written and was read back'}: {summary(manifest)}.")

    def save(self, target: Path, *, force: bool) -> archive.Manifest:
        started = timezone.now()
        manifest = save.save(target=target, force=force, at=started, say=self.stderr.write)
        try:
            save.remember(target=target, started_at=started, finished_at=timezone.now())
        except ProgrammingError:
            self.stderr.write("The tables are older than this version, so the backup is not listed among the jobs.")
        return manifest


def summary(manifest: archive.Manifest) -> str:
    """What a backup holds, in one line."""
    contents = manifest["tables"].values()
    files = sum(name.startswith(f"{archive.FILES}/") for name in manifest["members"])
    return (
        f"{len(contents)} tables, {sum(content['rows'] for content in contents):,} rows, {files} files,"
        f" Perennial {manifest['version']}, PostgreSQL {manifest['postgres']}, made {manifest['made_at'][:19]} UTC"
    )
