"""Times in which the programme rested. The one that lasts is `Programme.paused_at`; its row is written when it ends."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Pause(models.Model):
    """Orders placed within it earn nothing, unless it was decided at its end that they count after all."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    counts_orders = models.BooleanField(default=False)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, db_index=False, related_name="+")
    # When its orders were credited after all; NULL where they do not count, or not yet
    credited_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ended_at__gt=F("began_at")), name="a_pause_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(credited_at__isnull=True) | Q(counts_orders=True), name="only_what_counts_is_credited"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d} to {self.ended_at:%Y-%m-%d}"
