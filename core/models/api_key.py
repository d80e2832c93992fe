"""Keys of programs. The secret itself is shown once and never stored."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core import scopes
from core.models.user import User


class ApiKey(models.Model):
    """`per_<prefix>_<secret>`: the prefix finds the row, `digest` is the SHA-256 of the secret."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")

    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20))
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")  # none: a command
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # written at most once a minute
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="a_key_has_a_name"),
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="a_key_is_stored_as_a_digest"),
            models.CheckConstraint(
                condition=Q(scopes__len__gte=1, scopes__contained_by=list(scopes.SCOPES)),
                name="a_key_has_known_scopes",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("created_at")),
                name="a_key_expires_after_it_was_made",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (per_{self.prefix})"

    def state_at(self, at: datetime) -> State:
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at is not None and self.expires_at <= at:
            return self.State.EXPIRED
        return self.State.ACTIVE
