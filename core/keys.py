"""Keys of programs: made, found, used and revoked.

A key is 192 bits of chance, so one fast hash is enough to store it: there is nothing to guess. A slow hash, as
passwords need, would cost more than the request itself.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from core.models import ApiKey, User

FORM: Final = re.compile(r"per_([0-9a-f]{12})_([0-9a-f]{48})")
USED_EVERY: Final = timedelta(minutes=1)


class Refused(Exception):
    """The key opens nothing. The message does not say why: that is for the owner's page, not for the caller."""


def create(
    *, name: str, scopes: Collection[str], created_by: User | None, at: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key, and its full text, which nobody can see again."""
    prefix, secret = secrets.token_hex(6), secrets.token_hex(24)
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        digest=digest(secret),
        scopes=sorted(set(scopes)),
        created_by=created_by,
        created_at=at,
        expires_at=expires_at,
    )
    return key, f"per_{prefix}_{secret}"


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def find(*, text: str, at: datetime) -> ApiKey:
    """The key that is valid at `at`; it rests while the account of who made it is closed. One query. Raises Refused."""
    form = FORM.fullmatch(text)
    if form is None:
        raise Refused
    key = ApiKey.objects.select_related("created_by").filter(prefix=form[1]).first()
    if key is None or not hmac.compare_digest(key.digest, digest(form[2])):
        raise Refused
    if key.state_at(at) is not ApiKey.State.ACTIVE or (key.created_by and not key.created_by.is_active):
        raise Refused
    return key


def note_use(*, key: ApiKey, at: datetime) -> None:
    """Write down that the key was used: at most once a minute, whoever else does."""
    if key.last_used_at is not None and key.last_used_at > at - USED_EVERY:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - USED_EVERY)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=at)


def revoke(*, key: ApiKey, at: datetime) -> None:
    """Close the key for good. A key that is revoked already keeps its time."""
    ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=at)


def of(user: User, *, at: datetime) -> int:
    """How many keys somebody made that still open something."""
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
    return ApiKey.objects.filter(lasting, created_by=user, revoked_at__isnull=True).count()
