"""Price lists: lower prices for a segment, a tier, or for who has bought here for long. Never a mark-up."""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from customers.models import Category, Product, Segment
from loyalty.models.offer import MOST_PRIORITY
from loyalty.models.tier import Tier

MOST_MONTHS = 600


class PriceList(models.Model):
    """For everybody who fulfils all that is said: segment, tier and months since the first order."""

    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("in use"), default=True)
    priority = models.PositiveSmallIntegerField(_("priority"), default=0, validators=[MaxValueValidator(MOST_PRIORITY)])
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("segment")
    )
    tier = models.ForeignKey(Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tier"))
    min_months = models.PositiveSmallIntegerField(
        _("months since the first order"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    floor = models.DecimalField(
        _("margin floor"),
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(Decimal("0.99"))],
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="a_price_list_has_a_name"),
            models.CheckConstraint(
                condition=Q(segment__isnull=False) | Q(tier__isnull=False) | Q(min_months__isnull=False),
                name="a_price_list_is_for_somebody",
            ),
            models.CheckConstraint(
                condition=Q(min_months=None) | Q(min_months__gte=1), name="a_relationship_lasts_a_month_or_more"
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="a_price_list_begins_before_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(floor=None) | Q(floor__gte=0, floor__lt=1), name="floor_of_a_price_list_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("loyalty:price_list_detail", args=[self.pk])


class PriceItem(models.Model):
    """A lower price: percent off the list price of a product, a category or all goods, or a price for one product."""

    price_list = models.ForeignKey(PriceList, models.CASCADE, related_name="items", db_index=False)
    product = models.ForeignKey(
        Product, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("product")
    )
    category = models.ForeignKey(
        Category, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    percent = models.DecimalField(_("percent off"), max_digits=5, decimal_places=2, null=True, blank=True)
    unit_price = models.DecimalField(_("price"), max_digits=14, decimal_places=4, null=True, blank=True)
    # The public price when the item was written; a price here may not be above it.
    list_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("price of a list")
        verbose_name_plural = _("prices of a list")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["price_list", "product", "category"],
                nulls_distinct=False,
                name="one_price_per_list_and_thing",
            ),
            models.CheckConstraint(
                condition=Q(product__isnull=True) | Q(category__isnull=True), name="a_price_is_for_one_thing"
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=False, unit_price__isnull=True, percent__gt=0, percent__lt=100)
                | Q(
                    percent__isnull=True,
                    product__isnull=False,
                    unit_price__isnull=False,
                    list_price__isnull=False,
                    unit_price__gte=0,
                    unit_price__lt=F("list_price"),
                ),
                name="a_price_of_a_list_is_a_discount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.price_list_id}: {self.product_id or self.category_id or 'all'}"
