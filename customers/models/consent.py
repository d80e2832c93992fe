"""What customers have said yes or no to: a row each time, never changed. The newest of a channel is what counts."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.person import Customer


class Consent(models.Model):
    """`wording` is the sentence that the person agreed to, as they read it. Rows go when their customer goes."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("Text message")
        CALL = "call", _("Phone call")

    class Purpose(models.TextChoices):
        MARKETING = "marketing", _("Offers and news")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="consents", db_index=False)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose, default=Purpose.MARKETING)
    is_given = models.BooleanField(_("given"))
    wording = models.CharField(_("wording"), max_length=300)
    source = models.CharField(_("source"), max_length=20)  # where it was said, such as `portal`
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    ip = models.GenericIPAddressField(null=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(channel__in=["email", "sms", "call"]), name="consent_has_a_channel"),
            models.CheckConstraint(condition=Q(purpose="marketing"), name="consent_has_a_purpose"),
            models.CheckConstraint(condition=~Q(wording=""), name="consent_has_a_wording"),
        ]
        indexes: ClassVar = [
            # customers.selectors.consents: the newest of each channel
            models.Index(fields=["customer", "purpose", "channel", "-id"], name="consents_of_a_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.channel} {self.is_given}"
