"""What came back: refunds of order lines on their own date, and returns that match no order."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.order import Order, OrderLine
from customers.models.person import Customer
from customers.models.product import Product


class Refund(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="refunds")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="refunds")
    external_id = models.CharField(max_length=200)
    refunded_at = models.DateTimeField()
    refunded_on = models.DateField()
    date_only = models.BooleanField(default=False)
    net_cents = models.BigIntegerField()
    value_cents = models.BigIntegerField()
    margin_cents = models.BigIntegerField()
    content = models.UUIDField(null=True, editable=False)  # fingerprint of the return at the source, over all its lines
    created_at = models.DateTimeField(auto_now_add=True)
    batch = models.ForeignKey("customers.ImportBatch", models.SET_NULL, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "external_id"], name="one_refund_per_order_and_id"),
        ]
        indexes: ClassVar = [
            # analytics.totals: the refunds of a day; analytics.summaries: refunds that became visible
            models.Index(fields=["refunded_on"], name="refunds_of_a_day"),
            # customers.services.returns: the refunds that a return of a file has already led to
            models.Index(fields=["external_id"], name="refunds_of_a_return"),
        ]

    def __str__(self) -> str:
        return self.external_id


class RefundLine(models.Model):
    refund = models.ForeignKey(Refund, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="refund_lines")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    net_cents = models.BigIntegerField()
    margin_cents = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["refund", "line"], name="a_refund_names_a_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="a_refund_has_no_negative_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.line_id}"


class UnmatchedReturn(models.Model):
    """A return without an order to take it from, or more than was bought: netted from revenue and listed."""

    class Reason(models.TextChoices):
        NO_ORDER = "no-order", _("No earlier order of this product")
        EXCESS = "excess", _("More than was bought")
        GUEST = "guest", _("No customer named")

    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    position = models.PositiveIntegerField(default=1, db_default=1)  # of the line in the return
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="unmatched_returns")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=10, choices=Reason)
    returned_at = models.DateTimeField()
    returned_on = models.DateField()
    date_only = models.BooleanField(default=False)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    net_cents = models.BigIntegerField()  # what was paid back; counts against net
    value_cents = models.BigIntegerField()
    margin_cents = models.BigIntegerField()
    content = models.UUIDField(null=True, editable=False)  # as in Refund
    batch = models.ForeignKey("customers.ImportBatch", models.SET_NULL, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("unmatched return")
        verbose_name_plural = _("unmatched returns")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "external_id", "position"], name="one_unmatched_return_per_source_id_and_line"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="a_return_has_no_negative_quantity"),
        ]
        indexes: ClassVar = [
            # analytics.totals: the returns of a day; analytics.summaries: returns that became visible
            models.Index(fields=["returned_on"], name="unmatched_returns_of_a_day"),
        ]

    def __str__(self) -> str:
        return self.external_id
