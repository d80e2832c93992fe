"""Staff: invited, given a role, sent away and taken back. There is always an admin left who can sign in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core.models import Role, User

INVITATION_LASTS: Final = timedelta(days=7)


class StaffError(Exception):
    """The message says why this cannot be done, in words for the person who tried."""


def invite(
    *,
    email: str,
    role: str,
    at: datetime,
    name: str = "",
    may_export: bool = False,
    lasts: timedelta = INVITATION_LASTS,
) -> User:
    """Make an account without a password; core.links gives the way to choose one until the invitation ends.

    Raises StaffError when the address has an account. Two who invite the same person at once meet at the table's
    unique index: the second gets IntegrityError.
    """
    if User.objects.filter(email__iexact=email).exists():
        raise StaffError(_("Somebody with this e-mail address has an account already."))
    user = User(email=User.objects.normalize_email(email), name=name, role=role, may_export=may_export)
    user.is_staff = user.is_superuser = role == Role.ADMIN
    user.set_unusable_password()
    user.invited_until = at + lasts
    user.save(force_insert=True)
    return user


def invite_again(*, user: User, at: datetime) -> User:
    """A new end, and with it a new link: the old one opens nothing any more."""
    waiting = User.objects.filter(pk=user.pk, invited_until__isnull=False)
    if not waiting.update(invited_until=at + INVITATION_LASTS):
        raise StaffError(_("This invitation was accepted meanwhile."))
    return User.objects.get(pk=user.pk)


def withdraw(*, user: User) -> None:
    """Take an invitation back: the account goes, nothing hangs on it yet."""
    deleted, _rows = User.objects.filter(pk=user.pk, invited_until__isnull=False, last_login__isnull=True).delete()
    if not deleted:
        raise StaffError(_("This invitation was accepted meanwhile."))


def change(*, user: User, role: str, may_export: bool, by: User) -> User:
    """Give another role or permission. Their sessions end, because they were bound to the rights before."""

    def give(row: User) -> None:
        if row.pk == by.pk and role != row.role:
            raise StaffError(_("You cannot change your own role: ask another admin."))
        row.role, row.may_export = role, may_export
        row.is_staff = row.is_superuser = role == Role.ADMIN
        row.save(update_fields=["role", "may_export", "is_staff", "is_superuser"])

    return _keeping_an_admin(user=user, by=by, stays=role == Role.ADMIN, act=give)


def lock(*, user_id: int) -> None:
    """Hold an account still until the transaction ends, to compare it with a form: the admins first, as change does."""
    _lock_admins()
    User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def deactivate(*, user: User, by: User) -> User:
    """Close the account: sessions end and keys stop at once (core.keys), what they started goes on."""

    def close(row: User) -> None:
        if row.pk == by.pk:
            raise StaffError(_("You cannot deactivate your own account: ask another admin."))
        row.is_active = False
        row.session_epoch = F("session_epoch") + 1
        row.save(update_fields=["is_active", "session_epoch"])

    return _keeping_an_admin(user=user, by=by, stays=False, act=close)


def reactivate(*, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=True)


def end_sessions(*, user: User) -> None:
    """Sign them out everywhere."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)


@transaction.atomic
def reset_second_factor(*, user: User) -> int:
    """Take away app, passkeys and recovery codes of somebody who lost them; how many. Their sessions end."""
    removed, _rows = Authenticator.objects.filter(user_id=user.pk).delete()
    end_sessions(user=user)
    return removed


@transaction.atomic
def _keeping_an_admin(*, user: User, by: User, stays: bool, act: Callable[[User], None]) -> User:
    """Do something to an account under the lock of all admins, unless nobody could administer then.

    Two admins who take each other's role away at once wait for each other here; the second finds that they are no
    admin any more.
    """
    admins = _lock_admins()
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if by.pk not in admins:
        raise StaffError(_("You are not an admin any more."))
    if not stays and admins == {row.pk}:
        raise StaffError(_("This is the last admin. Make somebody else an admin first."))
    act(row)
    row.refresh_from_db()
    return row


def _lock_admins() -> set[int]:
    """Everybody who can administer now: active, with the role, the invitation accepted. Locked in the order of ids."""
    able = User.objects.filter(role=Role.ADMIN, is_active=True, invited_until__isnull=True)
    return set(able.select_for_update(no_key=True).order_by("id").values_list("id", flat=True))
