"""Offers: what comes off, for whom, when, and how often at most.

What was used stands on the offer's own row, which every use locks: caps and the budget are then plain sums, and the
constraints below refuse what no code should ever try.
"""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from customers.models import Category, Product, Segment
from loyalty.models.tier import Tier

MOST_CENTS = 10**12
EVERY_DAY = 127
MOST_PRIORITY = 1000


class Offer(models.Model):
    class Kind(models.TextChoices):
        PERCENT = "percent", _("Percent off")
        AMOUNT = "amount", _("Amount off")
        FREE_ITEM = "free_item", _("Free item")
        FREE_SHIPPING = "free_shipping", _("Free shipping")

    class Base(models.TextChoices):
        AFTER = "after", _("What is left to pay after other discounts")
        LIST = "list", _("The list price")

    class Scope(models.TextChoices):
        ANY = "any", _("Every item that matches")
        EVERY = "every", _("The whole basket, when every item matches")
        CHEAPEST = "cheapest", _("One piece of the cheapest item that matches")

    class Stacking(models.TextChoices):
        EXCLUSIVE = "exclusive", _("Alone: not together with another code")
        STACKABLE = "stackable", _("Together with others that allow it")

    class State(models.TextChoices):
        ACTIVE = "active", _("Running")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    name = models.CharField(_("name"), max_length=120)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    kind = models.CharField(_("kind"), max_length=14, choices=Kind, default=Kind.PERCENT)
    percent = models.DecimalField(_("percent"), max_digits=5, decimal_places=2, null=True, blank=True)
    base = models.CharField(_("percent of"), max_length=5, choices=Base, default=Base.AFTER)
    amount_cents = models.BigIntegerField(_("amount off"), null=True, blank=True)
    free_product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("free item")
    )
    free_quantity = models.PositiveIntegerField(_("how many are free"), default=1)

    scope = models.CharField(_("applies to"), max_length=8, choices=Scope, default=Scope.ANY)
    products = models.ManyToManyField(Product, blank=True, related_name="+", verbose_name=_("products"))
    categories = models.ManyToManyField(Category, blank=True, related_name="+", verbose_name=_("categories"))
    minimum_cents = models.BigIntegerField(_("from a basket of"), default=0)

    segments = models.ManyToManyField(Segment, blank=True, related_name="+", verbose_name=_("only for segments"))
    tiers = models.ManyToManyField(Tier, blank=True, related_name="+", verbose_name=_("only for tiers"))
    holder_only = models.BooleanField(_("a code with a name on it is only for that person"), default=True)
    is_listed = models.BooleanField(_("shown in the wallet of everybody it is for"), default=False)

    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    # Bits: Monday 1, Tuesday 2, … Sunday 64. Days and hours are the business's; hours may pass midnight.
    weekdays = models.PositiveSmallIntegerField(_("weekdays"), default=EVERY_DAY)
    from_time = models.TimeField(_("from o'clock"), null=True, blank=True)
    until_time = models.TimeField(_("until o'clock"), null=True, blank=True)

    max_uses = models.PositiveIntegerField(_("uses at most"), null=True, blank=True)
    max_per_customer = models.PositiveIntegerField(_("uses at most for a customer"), null=True, blank=True)
    max_per_day = models.PositiveIntegerField(_("uses at most on a day"), null=True, blank=True)
    budget_cents = models.BigIntegerField(_("budget of discounts"), null=True, blank=True)

    stacking = models.CharField(_("with other codes"), max_length=9, choices=Stacking, default=Stacking.EXCLUSIVE)
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=0, validators=[MaxValueValidator(MOST_PRIORITY)]
    )  # of several on one basket the highest comes first
    max_discount_cents = models.BigIntegerField(_("highest discount on an order"), null=True, blank=True)
    # Shares of what is paid that stay margin; 0 sells at cost, empty may sell below it.
    line_floor = models.DecimalField(
        _("margin floor of each item"),
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(Decimal("0.99"))],
    )
    order_floor = models.DecimalField(
        _("margin floor of the order"),
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(Decimal("0.99"))],
    )

    used = models.PositiveIntegerField(default=0, editable=False)  # now: released uses are taken off
    spent_cents = models.BigIntegerField(default=0, editable=False)
    counted_on = models.DateField(null=True, blank=True, editable=False)  # the business date of `used_on_day`
    used_on_day = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="an_offer_has_a_name"),
            models.CheckConstraint(
                condition=Q(kind="percent", percent__gt=0, percent__lte=100, percent__isnull=False)
                | (~Q(kind="percent") & Q(percent__isnull=True)),
                name="percent_off_says_how_much",
            ),
            models.CheckConstraint(
                condition=Q(kind="amount", amount_cents__gt=0, amount_cents__lt=MOST_CENTS, amount_cents__isnull=False)
                | (~Q(kind="amount") & Q(amount_cents__isnull=True)),
                name="amount_off_says_how_much",
            ),
            models.CheckConstraint(
                condition=Q(kind="free_item", free_product__isnull=False, free_quantity__gte=1)
                | (~Q(kind="free_item") & Q(free_product__isnull=True)),
                name="a_free_item_says_which",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["percent", "amount", "free_item", "free_shipping"]),
                name="an_offer_is_of_a_known_kind",
            ),
            models.CheckConstraint(condition=Q(base__in=["after", "list"]), name="percent_is_of_a_known_base"),
            models.CheckConstraint(
                condition=Q(scope__in=["any", "every", "cheapest"]), name="an_offer_applies_to_something_known"
            ),
            models.CheckConstraint(
                condition=Q(stacking__in=["exclusive", "stackable"]), name="an_offer_stacks_in_a_known_way"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["active", "paused", "ended"]), name="an_offer_has_a_known_state"
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="an_offer_begins_before_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(weekdays__gte=1, weekdays__lte=EVERY_DAY), name="an_offer_runs_on_some_weekday"
            ),
            models.CheckConstraint(
                condition=Q(from_time=None, until_time=None)
                | (Q(from_time__isnull=False, until_time__isnull=False) & ~Q(from_time=F("until_time"))),
                name="hours_of_an_offer_have_both_ends",
            ),
            models.CheckConstraint(
                condition=Q(minimum_cents__gte=0, minimum_cents__lt=MOST_CENTS), name="a_least_basket_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(max_uses=None) | Q(max_uses__gte=1, used__lte=F("max_uses")),
                name="an_offer_is_used_no_more_than_it_may",
            ),
            models.CheckConstraint(
                condition=(Q(max_per_customer=None) | Q(max_per_customer__gte=1))
                & (Q(max_per_day=None) | Q(max_per_day__gte=1)),
                name="caps_of_an_offer_are_one_or_more",
            ),
            models.CheckConstraint(
                condition=Q(budget_cents=None) | Q(budget_cents__gte=1, spent_cents__lte=F("budget_cents")),
                name="an_offer_costs_no_more_than_its_budget",
            ),
            models.CheckConstraint(condition=Q(spent_cents__gte=0), name="spent_discounts_are_not_negative"),
            models.CheckConstraint(
                condition=Q(max_discount_cents=None) | Q(max_discount_cents__gte=1),
                name="a_highest_discount_is_above_zero",
            ),
            models.CheckConstraint(
                condition=(Q(line_floor=None) | Q(line_floor__gte=0, line_floor__lt=1))
                & (Q(order_floor=None) | Q(order_floor__gte=0, order_floor__lt=1)),
                name="margin_floors_are_shares",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("loyalty:offer_detail", args=[self.pk])

    def is_running(self, at: datetime) -> bool:
        """Whether it has neither ended nor paused. It may not have begun."""
        return self.state == self.State.ACTIVE and (self.ends_at is None or at < self.ends_at)

    @property
    def is_stackable(self) -> bool:
        return self.stacking == self.Stacking.STACKABLE

    @property
    def budget_left(self) -> int | None:
        return None if self.budget_cents is None else self.budget_cents - self.spent_cents
