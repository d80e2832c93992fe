"""What points buy, at which price, how many there are, and how many of them one customer may have."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Product
from loyalty.models.offer import Offer
from loyalty.models.tier import Tier

LONGEST_TRIAL_DAYS = 3_650
MOST_POINTS = 10**12


class Reward(models.Model):
    class Kind(models.TextChoices):
        PRODUCT = "product", _("Product")
        CODE = "code", _("Discount code")
        MONEY = "money", _("Money off")
        TRIAL = "trial", _("Free trial")

    class Period(models.TextChoices):
        """For how long the cap of a customer counts; months and years are those of the calendar."""

        EVER = "ever", pgettext_lazy("cap", "Ever")
        YEAR = "year", pgettext_lazy("cap", "A calendar year")
        MONTH = "month", pgettext_lazy("cap", "A calendar month")
        DAY = "day", pgettext_lazy("cap", "A day")

    name = models.CharField(_("name"), max_length=120)
    description = models.CharField(_("description"), max_length=500, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    cost_points = models.BigIntegerField(_("price in points"))
    money_off_cents = models.BigIntegerField(_("money off"), null=True, blank=True)
    trial_days = models.PositiveSmallIntegerField(_("days of the trial"), null=True, blank=True)
    # What is handed over or tried, where it is one of the catalogue; otherwise the name says it.
    product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("product")
    )
    # Of a discount code: the offer that makes one for each who redeems it. Without one, codes come out of the pool.
    offer = models.ForeignKey(
        Offer, models.PROTECT, null=True, blank=True, related_name="rewards", verbose_name=_("offer")
    )
    code_days = models.PositiveSmallIntegerField(_("days that a code is good for"), null=True, blank=True)
    # How many are left; empty: endless. Services take from it, and release gives back.
    stock = models.BigIntegerField(_("stock"), null=True, blank=True)
    cap = models.PositiveIntegerField(_("most for one customer"), null=True, blank=True)
    cap_period = models.CharField(_("the most counts for"), max_length=5, choices=Period, default=Period.EVER)
    visible_from = models.DateTimeField(_("offered from"), null=True, blank=True)
    visible_until = models.DateTimeField(_("offered until"), null=True, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="a_reward_has_a_name"),
            models.CheckConstraint(
                condition=Q(kind__in=["product", "code", "money", "trial"]), name="a_reward_is_of_a_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(cost_points__gte=1, cost_points__lte=MOST_POINTS), name="a_reward_costs_points"
            ),
            models.CheckConstraint(
                condition=Q(stock__isnull=True) | Q(stock__gte=0), name="stock_of_a_reward_is_not_below_zero"
            ),
            models.CheckConstraint(
                condition=Q(kind="money", money_off_cents__gte=1, money_off_cents__isnull=False)
                | (~Q(kind="money") & Q(money_off_cents__isnull=True)),
                name="money_off_says_how_much",
            ),
            models.CheckConstraint(
                condition=Q(kind="trial", trial_days__gte=1, trial_days__isnull=False)
                | (~Q(kind="trial") & Q(trial_days__isnull=True)),
                name="a_trial_says_how_long",
            ),
            models.CheckConstraint(
                condition=Q(offer__isnull=True, code_days__isnull=True) | Q(kind="code", offer__isnull=False),
                name="only_a_discount_code_has_an_offer",
            ),
            models.CheckConstraint(
                condition=Q(code_days__isnull=True) | Q(code_days__gte=1), name="codes_of_a_reward_live_a_day"
            ),
            models.CheckConstraint(
                condition=Q(cap__isnull=True) | Q(cap__gte=1), name="cap_of_a_reward_is_one_or_more"
            ),
            models.CheckConstraint(
                condition=Q(cap_period__in=["ever", "year", "month", "day"]), name="cap_counts_for_a_known_period"
            ),
            models.CheckConstraint(
                condition=Q(visible_from__isnull=True)
                | Q(visible_until__isnull=True)
                | Q(visible_until__gt=F("visible_from")),
                name="a_reward_is_offered_from_before_until",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("loyalty:reward_detail", args=[self.pk])

    @property
    def has_pool(self) -> bool:
        """Whether its codes were made elsewhere."""
        return self.kind == self.Kind.CODE and self.offer_id is None

    def is_offered(self, at: datetime) -> bool:
        """Whether customers can choose it at `at`, as far as time, archive and the offer of its codes say."""
        return (
            self.archived_at is None
            and (self.offer is None or self.offer.is_running(at))
            and (self.visible_from is None or self.visible_from <= at)
            and (self.visible_until is None or at < self.visible_until)
        )


class PoolCode(models.Model):
    """One discount code of a reward's pool, made elsewhere: handed out once, the oldest first."""

    reward = models.ForeignKey(Reward, models.CASCADE, related_name="pool")
    code = models.CharField(_("code"), max_length=60)
    # Set when it is handed out. A customer who has seen a code keeps it, so a cancelled redemption keeps its code.
    redemption = models.OneToOneField(
        "loyalty.Redemption", models.PROTECT, null=True, blank=True, related_name="pool_code"
    )

    class Meta:
        verbose_name = _("code of a pool")
        verbose_name_plural = _("codes of pools")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reward", "code"], name="a_code_is_in_a_pool_once"),
            models.CheckConstraint(condition=~Q(code=""), name="a_code_of_a_pool_is_not_empty"),
        ]
        indexes: ClassVar = [
            # loyalty.services.rewards: the next free code of a reward
            models.Index(fields=["reward", "id"], condition=Q(redemption__isnull=True), name="free_codes_of_a_pool"),
        ]

    def __str__(self) -> str:
        return self.code


class RewardPrice(models.Model):
    """What a reward costs from a tier on: the price of the highest tier that the customer has reached counts."""

    reward = models.ForeignKey(Reward, models.CASCADE, related_name="prices")
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="+", verbose_name=_("tier"))
    cost_points = models.BigIntegerField(_("price in points"))

    class Meta:
        verbose_name = _("price of a reward for a tier")
        verbose_name_plural = _("prices of rewards for tiers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reward", "tier"], name="one_price_per_reward_and_tier"),
            models.CheckConstraint(
                condition=Q(cost_points__gte=1, cost_points__lte=MOST_POINTS),
                name="a_reward_costs_points_in_every_tier",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cost_points}"
