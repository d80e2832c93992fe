"""Orders and their lines, as facts: net of tax, in minor units of the business's currency.

`value` counts the lines that are order value (goods, and what the import preset says); `net` counts every line.
"""

from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from customers.models.person import Customer
from customers.models.product import Product


class Order(models.Model):
    class Status(models.TextChoices):
        PAID = "paid", _("Paid")
        PENDING = "pending", _("Pending")
        CANCELLED = "cancelled", _("Cancelled")

    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="orders")  # null: guest
    status = models.CharField(max_length=10, choices=Status, default=Status.PAID)
    placed_at = models.DateTimeField()
    placed_on = models.DateField()  # in the business's time zone, which is fixed once orders exist
    date_only = models.BooleanField(default=False)
    channel = models.CharField(max_length=60, blank=True)
    net_cents = models.BigIntegerField()
    value_cents = models.BigIntegerField()
    margin_cents = models.BigIntegerField()
    tax_cents = models.BigIntegerField(default=0)  # beside net, never in it
    shipping_cents = models.BigIntegerField(default=0, db_default=0)  # beside net, never in it
    codes = ArrayField(models.CharField(max_length=60), default=list, db_default=[], blank=True)  # as they were entered
    content = models.UUIDField(null=True, editable=False)  # fingerprint of what the source said: the same is no change
    # The day on which the last of its goods came back; from then on it no longer counts as an order.
    fully_refunded_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    batch = models.ForeignKey("customers.ImportBatch", models.SET_NULL, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_order_per_source_and_id"),
            models.CheckConstraint(
                condition=Q(status__in=["paid", "pending", "cancelled"]), name="order_has_a_known_status"
            ),
            models.CheckConstraint(
                condition=Q(fully_refunded_on__gte=F("placed_on")), name="an_order_is_refunded_after_it_is_placed"
            ),
        ]
        indexes: ClassVar = [
            # analytics.following: the orders of some customers, without a visit to the table
            models.Index(
                fields=["customer", "placed_on"],
                include=["id", "placed_at", "channel", "value_cents", "margin_cents", "fully_refunded_on"],
                condition=Q(status="paid"),
                name="paid_orders_of_a_customer",
            ),
            # analytics.totals: the orders of a day; analytics.summaries: customers whose orders became visible
            models.Index(fields=["placed_on"], name="orders_of_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"

    def get_absolute_url(self) -> str:
        return reverse("customers:order_detail", args=[self.pk])


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)  # one_line_per_position
    # A copy of the order's, which is the one that is constrained.
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    position = models.PositiveIntegerField()
    product = models.ForeignKey(Product, models.PROTECT, related_name="lines")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    unit_price = models.DecimalField(max_digits=14, decimal_places=4)
    discount_cents = models.BigIntegerField(default=0)
    net_cents = models.BigIntegerField()
    counts = models.BooleanField(default=True)  # whether it is part of the order's value
    unit_cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)  # as on the day of sale
    margin_cents = models.BigIntegerField()
    refunded_quantity = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    refunded_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "position"], name="one_line_per_position"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="a_line_has_no_negative_quantity"),
            models.CheckConstraint(
                condition=Q(refunded_quantity__gte=0, refunded_quantity__lte=F("quantity")),
                name="no_more_comes_back_than_was_bought",
            ),
            models.CheckConstraint(
                condition=Q(refunded_cents=0)
                | Q(net_cents__gte=0, refunded_cents__gte=0, refunded_cents__lte=F("net_cents"))
                | Q(net_cents__lt=0, refunded_cents__lte=0, refunded_cents__gte=F("net_cents")),
                name="no_more_is_paid_back_than_was_paid",
            ),
        ]
        indexes: ClassVar = [
            # analytics.following: the lines of some customers, without a visit to the table
            models.Index(
                fields=["customer"],
                include=["id", "order", "product", "net_cents", "discount_cents"],
                condition=Q(counts=True),
                name="counted_lines_of_a_customer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id}"

    @property
    def quantity_left(self) -> Decimal:
        """How many can still come back."""
        return self.quantity - self.refunded_quantity

    @property
    def cents_left(self) -> int:
        """How much can still be paid back."""
        return self.net_cents - self.refunded_cents
