"""The one business that this deployment serves: the row of settings that the mathematics and the pages read."""

from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Business(models.Model):
    """A single row (id 1). Zone and currency are fixed once orders or contracts exist: a trigger refuses."""

    class Kind(models.TextChoices):
        SHOP = "shop", _("Shop: people buy when they like")
        CONTRACTS = "contracts", _("Contracts: customers renew or cancel")
        BOTH = "both", _("Both")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name"), max_length=120, default="My shop")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    kind = models.CharField(_("kind of business"), max_length=10, choices=Kind, default=Kind.SHOP)
    prices_include_tax = models.BooleanField(_("prices include tax"), default=False)
    margin_rate = models.DecimalField(
        _("margin rate where a cost is unknown"),
        max_digits=5,
        decimal_places=4,
        default=Decimal("0.4"),
        validators=[MinValueValidator(-1), MaxValueValidator(1)],
    )
    discount_rate = models.DecimalField(
        _("discount rate a year"),
        max_digits=5,
        decimal_places=4,
        default=Decimal("0.1"),
        validators=[MinValueValidator(0), MaxValueValidator(5)],
    )
    churn_horizon_days = models.PositiveSmallIntegerField(
        _("days without an order that count as leaving"), default=90, validators=[MinValueValidator(1)]
    )
    hides_first_steps = models.BooleanField(default=False, editable=False)
    is_demo = models.BooleanField(default=False, editable=False)
    has_contracts = models.BooleanField(default=False, editable=False)  # kept by customers.services.contracts
    has_loyalty = models.BooleanField(default=False, db_default=False, editable=False)  # kept by a trigger of loyalty
    # What the programme calls one point, and several; kept by the same trigger
    point_name = models.CharField(max_length=40, default="point", db_default="point", editable=False)
    points_name = models.CharField(max_length=40, default="points", db_default="points", editable=False)

    class Meta:
        verbose_name = _("business")
        verbose_name_plural = _("business")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_business"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="currency_is_an_iso_code"),
            models.CheckConstraint(
                condition=Q(kind__in=["shop", "contracts", "both"]), name="business_has_a_known_kind"
            ),
            models.CheckConstraint(condition=Q(margin_rate__gte=-1, margin_rate__lte=1), name="margin_rate_is_a_share"),
            models.CheckConstraint(condition=Q(discount_rate__gte=0), name="discount_rate_is_not_negative"),
            models.CheckConstraint(condition=Q(churn_horizon_days__gte=1), name="churn_horizon_is_a_day_or_more"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shows_contracts(self) -> bool:
        """Whether contracts belong into the navigation, without a look into their table."""
        return self.has_contracts or self.kind != self.Kind.SHOP

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
