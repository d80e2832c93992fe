"""`./manage.py create_api_key NAME --scope S [--scope S]… [--expires DAYS]`: the key, alone on the last line."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import keys
from core.scopes import SCOPES

MOST_DAYS = 3650


class Command(BaseCommand):
    help = "Makes a key for a program and prints it once, alone on the last line. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the key is for, as the list of keys shows it")
        parser.add_argument(
            "--scope", action="append", required=True, dest="scopes", metavar="SCOPE", help=", ".join(SCOPES)
        )
        parser.add_argument("--expires", type=int, metavar="DAYS", help="days until the key ends; without it, never")

    def handle(self, *args: Any, name: str, scopes: list[str], expires: int | None, **options: Any) -> None:
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown:
            raise CommandError(f"There is no scope {', '.join(unknown)}. The scopes are {', '.join(SCOPES)}.")
        if not 1 <= len(name.strip()) <= 80:
            raise CommandError("Give the key a name of 1 to 80 characters.")
        if expires is not None and not 1 <= expires <= MOST_DAYS:
            raise CommandError(f"A key ends after 1 to {MOST_DAYS} days.")
        now = timezone.now()
        ends = now + timedelta(days=expires) if expires else None
        key, text = keys.create(name=name.strip(), scopes=scopes, created_by=None, at=now, expires_at=ends)
        until = f" until {ends:%Y-%m-%d}" if ends else ""
        self.stdout.write(f"{key.name} may use {', '.join(key.scopes)}{until}. Keep the key: it is shown only now.")
        self.stdout.write(text)
