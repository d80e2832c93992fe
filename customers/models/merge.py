"""Two customers who turned out to be one person. The row stays for ever: it says who stands for whom now."""

from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models.person import Customer


class Merge(models.Model):
    """`other` is archived and empty; who asks for it is led to `into`, which may have been merged later itself."""

    into = models.ForeignKey(Customer, models.PROTECT, related_name="merges")
    other = models.OneToOneField(Customer, models.PROTECT, related_name="merge")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    moved = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # how many of each kind

    class Meta:
        verbose_name = _("merge of customers")
        verbose_name_plural = _("merges of customers")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(into=F("other")), name="nobody_is_merged_with_themselves"),
        ]

    def __str__(self) -> str:
        return f"{self.other_id} into {self.into_id}"
