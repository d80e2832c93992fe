"""Alerts: what a person has to look at, one open row for each cause, and the mails that tell of it."""

from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Alert(models.Model):
    """One cause, from the minute it was seen until the minute it was gone. Texts are made of kind and facts."""

    class Kind(models.TextChoices):
        NIGHT_FAILED = "night-failed", _("The night failed")
        NIGHT_LATE = "night-late", _("The night is late")
        FACTS_STALE = "import-stale", _("No new orders")
        JOB_DEAD = "dead-job", _("A job failed")

    key = models.CharField(max_length=100)  # `night-failed:2026-11-21`
    kind = models.CharField(max_length=20, choices=Kind)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # numbers and dates, never a person's data
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    is_read = False  # by whom it is listed for (core.alerts.listed)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], condition=Q(closed_at=None), name="one_open_alert_for_a_cause"),
            models.CheckConstraint(
                condition=Q(kind__in=["night-failed", "night-late", "import-stale", "dead-job"]),
                name="an_alert_has_a_known_kind",
            ),
            models.CheckConstraint(condition=Q(closed_at__gte=F("opened_at")), name="an_alert_closes_after_it_opens"),
        ]
        indexes: ClassVar = [
            # core.alerts.listed: what was closed lately
            models.Index(fields=["-closed_at"], condition=Q(closed_at__isnull=False), name="alerts_that_were_closed"),
        ]

    def __str__(self) -> str:
        return self.key


class AlertRead(models.Model):
    """Somebody has seen an alert: it no longer counts in their bell."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="reads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "user"], name="a_person_reads_an_alert_once"),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} read by {self.user_id}"


class AlertMailOff(models.Model):
    """An admin who wants no mails about alerts."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"no mails to {self.pk}"


class AlertMail(models.Model):
    """One alert to one person by e-mail. `sending` is committed before the mail server is called, `sent` after."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENDING = "sending", _("On its way")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Refused")
        UNCERTAIN = "uncertain", _("Perhaps sent")
        DROPPED = "dropped", _("No longer needed")

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="mails")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)  # claims; the number tells one claim from the next
    ready_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "user"], name="one_mail_for_an_alert_and_a_person"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "sending", "sent", "failed", "uncertain", "dropped"]),
                name="an_alert_mail_has_a_known_state",
            ),
        ]
        indexes: ClassVar = [
            # core.alert_mails: what waits and what may have been left
            models.Index(
                fields=["user", "ready_at"],
                condition=Q(state__in=["pending", "sending"]),
                name="alert_mails_on_the_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} to {self.user_id}"
