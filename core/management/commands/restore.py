"""`./manage.py restore FILE`: bring a backup back into an empty home or database."""

import os
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.backup import archive, load
from core.backup.errors import BackupError
from core.management.commands.backup import summary


class Command(BaseCommand):
    help = (
        "Checks FILE and restores it into this empty home or database. People sign in anew, interrupted jobs wait for a"
        " worker, and a night that was at work begins again."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="Delete everything in this database first (in the same transaction); files are moved aside.",
        )

    def handle(self, *args: Any, file: Path, replace: bool, **options: Any) -> None:
        try:
            manifest = load.load(source=file, replace=replace, at=timezone.now(), say=self.stderr.write)
        except BackupError as error:
            raise CommandError(str(error), returncode=2) from error
        except psycopg.Error as error:
            raise CommandError(f"PostgreSQL broke off: {error}") from error
        for name, content in sorted(manifest["tables"].items()):
            self.stdout.write(f"{name:<50} {content['rows']:>12,} rows  hash {content['hash']}")
        self.stdout.write(f"Restored into {settings.PERENNIAL_HOME}: {summary(manifest)}. Every row hash is equal.")
        if os.environ.get("SECRET_KEY"):
            self.stdout.write(
                "SECRET_KEY of the environment is in force; where it is not the one of the backup"
                f" ({archive.SECRET_KEY} in the file), links sent before no longer work."
            )
