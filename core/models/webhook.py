"""Addresses outside that are told what happened here, the events, and what became of telling each one.

The rows are the queue: an event and its deliveries are written in the transaction of what happened.
"""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models.user import User


class Webhook(models.Model):
    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        GONE = "gone", _("Gone")  # the receiver answered 410

    url = models.URLField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=120, blank=True)
    events = ArrayField(models.CharField(max_length=40), default=list, blank=True)  # empty: every kind
    secret = models.CharField(max_length=80)  # signs each message, so it cannot be kept as a digest
    old_secret = models.CharField(max_length=80, blank=True)  # signs too until `old_secret_until`
    old_secret_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=["active", "paused", "gone"]), name="a_webhook_has_a_state"),
            models.CheckConstraint(
                condition=Q(secret__regex="^whsec_"),  # noqa: S106 - a form, not a secret
                name="a_webhook_has_a_secret",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    def secrets_at(self, at: datetime) -> list[str]:
        """What signs a message now: the secret, and the one before while receivers change over."""
        is_old_good = self.old_secret_until is not None and at < self.old_secret_until
        return [self.secret, self.old_secret] if is_old_good else [self.secret]


class Event(models.Model):
    """Something that happened, as receivers are told it. `data` names people by their ids only."""

    uid = models.UUIDField(unique=True)  # the same in every delivery, so that a receiver can tell a repetition
    kind = models.CharField(max_length=40)
    data = models.JSONField(encoder=DjangoJSONEncoder)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            # core.webhooks.sending: events old enough to go
            models.Index(fields=["at"], name="events_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"


class Delivery(models.Model):
    """One event to one webhook. `sending` is committed before the receiver is called, what came of it after."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENDING = "sending", _("On its way")
        DELIVERED = "delivered", _("Delivered")
        DEAD = "dead", _("Given up")

    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)  # of this round: a replay begins again
    claims = models.PositiveIntegerField(default=0)  # in all; the number tells one claim from the next
    ready_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)  # when it was delivered or given up
    log = models.JSONField(default=list)  # the last tries: {"at", "status", "ms", "said"}

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "webhook"], name="one_delivery_of_an_event_to_a_webhook"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "sending", "delivered", "dead"]), name="a_delivery_has_a_state"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["delivered", "dead"], settled_at__isnull=False)
                | Q(state__in=["pending", "sending"], settled_at__isnull=True),
                name="a_delivery_is_settled_when_it_is_over",
            ),
            models.CheckConstraint(condition=Q(attempts__lte=F("claims")), name="a_try_of_a_delivery_is_a_claim"),
        ]
        indexes: ClassVar = [
            # core.webhooks.sending: what waits for a webhook, the oldest first
            models.Index(fields=["webhook", "ready_at"], condition=Q(state="pending"), name="deliveries_that_wait"),
            # core.webhooks.sending: what is on its way
            models.Index(fields=["webhook", "claimed_at"], condition=Q(state="sending"), name="deliveries_under_way"),
            # core.webhooks.log: the newest of a webhook
            models.Index(fields=["webhook", "-id"], name="deliveries_of_a_webhook"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.webhook_id}"
