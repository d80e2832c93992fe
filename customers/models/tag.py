"""Tags that people give customers for what they need. Each is a segment; a customer may have many."""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models.person import Customer
from customers.models.segment import Segment

NEEDS: Final = "needs"


class Tagging(models.Model):
    """From when until when a customer has a tag. Rows are ended, not removed, so that past nights can be told."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="taggings")
    segment = models.ForeignKey(Segment, models.PROTECT, related_name="taggings", db_index=False, verbose_name=_("tag"))
    added_at = models.DateTimeField(_("added"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("tag of a customer")
        verbose_name_plural = _("tags of customers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["segment", "customer"], condition=Q(removed_at__isnull=True), name="a_customer_has_a_tag_once"
            ),
            models.CheckConstraint(condition=Q(removed_at__gte=F("added_at")), name="a_tag_ends_after_it_begins"),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id} of {self.customer_id}"
