"""Links that let somebody choose a password, by allauth's key machinery: one use, and an end.

A forgotten password is worth PASSWORD_RESET_TIMEOUT; an invitation lasts as long as `User.invited_until` says. Django
writes the time of the making into a key, so that of an invitation is made as if that long before its end. It can be
made again for the page that shows it, and a new end makes the old key worthless.
"""

from datetime import UTC, timedelta

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.http import int_to_base36

from core.models import User


class KeyGenerator(PasswordResetTokenGenerator):
    def make_token(self, user: User) -> str:
        if user.invited_until is None:
            return super().make_token(user)
        start = user.invited_until.astimezone(UTC) - timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        return self._make_token_with_timestamp(user, self._num_seconds(start.replace(tzinfo=None)), self.secret)

    def check_token(self, user: User | None, token: str | None) -> bool:
        return user is not None and user.is_active and not user.is_customer and super().check_token(user, token)

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.invited_until}"


def path(user: User) -> str:
    """The address, without the host, where this person chooses a password."""
    uid, key = int_to_base36(user.pk), KeyGenerator().make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})
