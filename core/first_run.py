"""The first hour of an empty home: one link, good until somebody has become its admin.

The link's token lies in the home, where only the owner of the machine reads it. `up` makes it, on the embedded
database only; a production install makes its first admin by `./manage.py create_admin`.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from core import business, secret, staff
from core.models import Business, Role, User

FILE: Final = "welcome_token"
LINK_LASTS: Final = timedelta(hours=24)


class AlreadyBegun(Exception):
    """There is an admin: new people are invited by them."""


def is_open() -> bool:
    """Whether nobody administers this home yet."""
    return not User.objects.filter(role=Role.ADMIN).exists()


def token() -> str:
    """The token of this home, made on first use."""
    return secret.kept_in(_file())


def fits(given: str) -> bool:
    """Whether this is the home's token, in a time that tells nothing. Without the file no token fits."""
    file = _file()
    return file.exists() and secrets.compare_digest(file.read_text().strip().encode(), given.encode())


def _file() -> Path:
    return Path(settings.PERENNIAL_HOME) / FILE


@transaction.atomic
def begin(*, email: str, password: str, name: str, row: Mapping[str, Any]) -> User:
    """Make the first admin and set the business up. Of two at once one wins; the other gets AlreadyBegun.

    `row` are the settings of core.business. The lock on the business row makes the second wait until it sees the admin.
    """
    current = _hold()
    if not is_open():
        raise AlreadyBegun
    business.change(row=current, settings=row)
    return make_admin(email=email, password=password, name=name)


@transaction.atomic
def invite_admin(*, email: str, at: datetime) -> User:
    """Make the first admin without a password, or give the one whose link ran out a new link.

    Raises AlreadyBegun when somebody administers this home.
    """
    _hold()
    waiting = User.objects.filter(email__iexact=email, role=Role.ADMIN, invited_until__isnull=False)
    if waiting.update(invited_until=at + LINK_LASTS):
        return waiting.get()
    if not is_open():
        raise AlreadyBegun("There is an admin already, who can invite others on the page Staff.")
    return staff.invite(email=email, role=Role.ADMIN, at=at, lasts=LINK_LASTS)


def make_admin(*, email: str, password: str, name: str) -> User:
    return User.objects.create_superuser(email, password, name=name)


def _hold() -> Business:
    return business.locked()
