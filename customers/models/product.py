from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class Category(models.Model):
    name = models.CharField(_("name"), max_length=120, unique=True)
    margin_rate = models.DecimalField(
        _("margin rate where a cost is unknown"), max_digits=5, decimal_places=4, null=True, blank=True
    )

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(margin_rate__gte=-1, margin_rate__lte=1), name="category_margin_rate_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    class Kind(models.TextChoices):
        GOODS = "goods", _("Goods")
        SHIPPING = "shipping", _("Shipping")
        FEE = "fee", _("Fee")
        ADJUSTMENT = "adjustment", _("Adjustment")

    sku = models.CharField(_("SKU"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=300, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.GOODS)
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="products", verbose_name=_("category")
    )
    unit_price = models.DecimalField(_("list price"), max_digits=14, decimal_places=4, null=True, blank=True)
    unit_cost = models.DecimalField(_("unit cost"), max_digits=14, decimal_places=4, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    batch = models.ForeignKey("customers.ImportBatch", models.SET_NULL, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(sku=""), name="a_product_has_a_sku"),
            models.CheckConstraint(condition=Q(unit_cost__gte=0), name="a_cost_is_not_negative"),
            models.CheckConstraint(
                condition=Q(kind__in=["goods", "shipping", "fee", "adjustment"]), name="product_has_a_known_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.sku

    def get_absolute_url(self) -> str:
        return reverse("customers:product_detail", args=[self.pk])


class AppliedRates(models.Model):
    """The margin rates that margins without a cost rest on by now: a single row (id 1)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    digest = models.CharField(max_length=32)  # of the rates and of the products that each of them is for

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_row_of_applied_rates"),
        ]

    def __str__(self) -> str:
        return self.digest
