"""What it costs to win customers, to serve them and to keep them: spend by channel and month, costs of a unit, and
what was spent on one customer on one day.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.person import Customer


class AcquisitionCost(models.Model):
    """What a channel cost in a month: advertising, commissions, whatever was paid to win new customers by it."""

    channel = models.CharField(_("channel"), max_length=60, blank=True)  # "": not known
    month = models.DateField(_("month"))  # its first day
    amount_cents = models.BigIntegerField(_("amount"))
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("acquisition cost")
        verbose_name_plural = _("acquisition costs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "month"], name="one_acquisition_cost_per_channel_and_month"),
            models.CheckConstraint(condition=Q(amount_cents__gte=0), name="an_acquisition_cost_is_not_negative"),
            models.CheckConstraint(condition=Q(month__day=1), name="a_month_is_named_by_its_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.month:%Y-%m}"


class CostKind(models.TextChoices):
    """What costs something. Orders and returns are counted from the facts; the others are told as costs."""

    ORDER = "order", _("Order handled")
    RETURN = "return", _("Return handled")
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message")
    REWARD = "reward", _("Reward handed out")
    CASE = "case", _("Case worked on")
    OTHER = "other", _("Other")


COUNTED = (CostKind.ORDER, CostKind.RETURN)


class UnitCost(models.Model):
    """What one of a kind costs, in minor units with four decimals: a message is less than a cent."""

    kind = models.CharField(_("kind"), max_length=10, choices=CostKind, unique=True)
    unit_cents = models.DecimalField(_("unit cost"), max_digits=14, decimal_places=4, default=0)

    class Meta:
        verbose_name = _("unit cost")
        verbose_name_plural = _("unit costs")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=CostKind.values), name="a_unit_cost_is_of_a_known_kind"),
            models.CheckConstraint(condition=Q(unit_cents__gte=0), name="a_unit_cost_is_not_negative"),
        ]

    def __str__(self) -> str:
        return self.kind


class Cost(models.Model):
    """What was spent on a customer on a day. Never edited: a correction is another cost, with a quantity below zero."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="costs")
    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    spent_on = models.DateField()  # in the business's time zone
    kind = models.CharField(max_length=10, choices=CostKind)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    unit_cents = models.DecimalField(max_digits=14, decimal_places=4)  # as it was on the day it was told
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("cost")
        verbose_name_plural = _("costs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_cost_per_source_and_id"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind for kind in CostKind.values if kind not in COUNTED]),
                name="a_cost_is_of_a_known_kind_that_is_not_counted_elsewhere",
            ),
            models.CheckConstraint(condition=Q(unit_cents__gte=0), name="a_cost_of_a_unit_is_not_negative"),
        ]
        indexes: ClassVar = [
            # analytics.profit: costs that became visible
            models.Index(fields=["spent_on"], name="costs_of_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"
