"""`./manage.py create_admin EMAIL`: the first admin of a production install."""

from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils import timezone

from core import first_run, links, staff


class Command(BaseCommand):
    help = "Makes the first admin and prints a link to choose a password: good once, and for 24 hours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        try:
            validate_email(email)
            user = first_run.invite_admin(email=email, at=timezone.now())
        except (ValidationError, first_run.AlreadyBegun, staff.StaffError) as error:
            said = error.messages[0] if isinstance(error, ValidationError) else str(error)
            raise CommandError(said, returncode=2) from error
        self.stdout.write(f"{email} may choose a password until {user.invited_until:%Y-%m-%d %H:%M} UTC, once:")
        self.stdout.write(urljoin(settings.PUBLIC_URL, links.path(user)))
