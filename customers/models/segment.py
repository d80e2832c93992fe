"""Named groups of customers. Apps above write them through customers.services; everybody may read them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models.person import Customer


class Segment(models.Model):
    """A group of one scheme (such as RFM); a customer is in at most one segment of a scheme at a time."""

    scheme = models.CharField(max_length=30)
    slug = models.SlugField(max_length=60)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scheme", "slug"], name="one_segment_per_scheme_and_slug"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """The segment a customer is in, the one before, and since which business date.

    Without an index on what a night changes: a move then stays on its page and touches no index (HOT updates).
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="memberships", db_index=False)
    scheme = models.CharField(max_length=30)
    segment = models.ForeignKey(Segment, models.PROTECT, related_name="memberships", db_index=False)
    previous = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    changed_on = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "scheme"], name="one_segment_per_customer_and_scheme"),
            models.CheckConstraint(
                condition=Q(previous__isnull=True) | ~Q(previous=F("segment")), name="a_change_of_segment_is_a_change"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"
