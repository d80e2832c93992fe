"""Tiers: the rules of reaching and keeping them, who stands where since when, and every change of it.

Thresholds and values are points earned, or money spent in the currency's minor unit, as the plan says.
"""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer

MOST_MULTIPLIER = Decimal(20)
LONGEST_GRACE_DAYS = 366
LONGEST_EARLY_DAYS = 90
MOST_THRESHOLD = 10**12


class TierPlan(models.Model):
    """A single row (id 1). `revision` rises when a rule changes: standings are then looked at again."""

    class By(models.TextChoices):
        POINTS = "points", _("What is earned")
        MONEY = "money", _("Money spent")

    class Window(models.TextChoices):
        ROLLING = "rolling", _("The last 12 months")
        YEAR = "year", _("The calendar year")
        LIFETIME = "lifetime", _("All the time")

    class Downgrade(models.TextChoices):
        STEP = "step", _("One tier down")
        RECALCULATED = "recalculated", _("To the tier that was earned")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    qualify_by = models.CharField(_("qualify by"), max_length=10, choices=By, default=By.POINTS)
    window = models.CharField(_("counted over"), max_length=10, choices=Window, default=Window.ROLLING)
    downgrade = models.CharField(_("who does not keep a tier goes"), max_length=14, choices=Downgrade, default="step")
    grace_days = models.PositiveSmallIntegerField(
        _("days of grace"), default=0, validators=[MaxValueValidator(LONGEST_GRACE_DAYS)]
    )
    revision = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("rules of tiers")
        verbose_name_plural = _("rules of tiers")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_plan_of_tiers"),
            models.CheckConstraint(condition=Q(qualify_by__in=["points", "money"]), name="tiers_are_reached_somehow"),
            models.CheckConstraint(
                condition=Q(window__in=["rolling", "year", "lifetime"]), name="tiers_have_a_known_window"
            ),
            models.CheckConstraint(
                condition=Q(downgrade__in=["step", "recalculated"]), name="tiers_are_lost_in_a_known_way"
            ),
            models.CheckConstraint(condition=Q(grace_days__lte=LONGEST_GRACE_DAYS), name="grace_is_a_year_at_most"),
        ]

    def __str__(self) -> str:
        return "rules of tiers"


class Tier(models.Model):
    """Ranks and thresholds rise together: a trigger refuses anything else (migrations). 1 is the lowest rank."""

    class Hue(models.TextChoices):
        BRONZE = "bronze", _("Bronze")
        SILVER = "silver", _("Silver")
        GOLD = "gold", _("Gold")
        PLATINUM = "platinum", _("Platinum")
        BLUE = "blue", _("Blue")
        GREEN = "green", _("Green")

    name = models.CharField(_("name"), max_length=40)
    rank = models.PositiveSmallIntegerField(_("rank"))
    threshold = models.BigIntegerField(_("from"))
    hue = models.CharField(_("colour"), max_length=10, choices=Hue, default=Hue.SILVER)
    multiplier = models.DecimalField(
        _("earn multiplier"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(MOST_MULTIPLIER)],
    )
    early_days = models.PositiveSmallIntegerField(
        _("days of early access"), default=0, validators=[MaxValueValidator(LONGEST_EARLY_DAYS)]
    )
    benefits = models.TextField(_("benefits"), max_length=1000, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)  # taken away; history still names it

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(retired_at=None), name="tiers_in_use_have_different_names"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="a_tier_has_a_name"),
            models.CheckConstraint(condition=Q(rank__gte=1), name="ranks_of_tiers_begin_with_one"),
            models.CheckConstraint(
                condition=Q(threshold__gte=0, threshold__lte=MOST_THRESHOLD), name="a_tier_begins_at_zero_or_above"
            ),
            models.CheckConstraint(
                condition=Q(multiplier__gt=0, multiplier__lte=MOST_MULTIPLIER), name="a_multiplier_is_above_zero"
            ),
            models.CheckConstraint(condition=Q(early_days__lte=LONGEST_EARLY_DAYS), name="early_access_is_a_few_days"),
        ]

    def __str__(self) -> str:
        return self.name


class Standing(models.Model):
    """The tier of a customer. Without a tier: she had one and lost it.

    `ends_on` is the last day of the period, `until` the last day on which the tier is kept (the period's end and the
    days of grace); both empty when time alone takes nothing away.
    """

    class SetBy(models.TextChoices):
        RULES = "rules", _("By the rules")
        RAISED = "raised", _("Raised by hand")  # whoever earns more still rises
        LOWERED = "lowered", _("Lowered by hand")  # stays there until the end, whatever is earned

    customer = models.OneToOneField(Customer, models.PROTECT, primary_key=True, related_name="standing")
    tier = models.ForeignKey(Tier, models.PROTECT, null=True, blank=True, related_name="standings")
    since = models.DateTimeField()
    ends_on = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)
    value = models.BigIntegerField()  # what qualified her when the tier was last looked at
    set_by = models.CharField(max_length=10, choices=SetBy, default=SetBy.RULES)

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(value__gte=0), name="a_standing_is_worth_zero_or_more"),
            models.CheckConstraint(
                condition=Q(ends_on=None, until=None) | Q(ends_on__isnull=False, until__gte=F("ends_on")),
                name="a_tier_is_kept_to_the_end_of_its_period",
            ),
            models.CheckConstraint(
                condition=Q(set_by="rules") | Q(set_by__in=["raised", "lowered"], until__isnull=False),
                name="a_tier_by_hand_has_an_end",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.services.tiers: whose tier ends, and (selectors.tiers) who is about to lose it
            models.Index(fields=["until"], condition=Q(until__isnull=False), name="standings_by_last_day"),
            # loyalty.services.tiers: whose period ended
            models.Index(fields=["ends_on"], condition=Q(ends_on__isnull=False), name="standings_by_end_of_period"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.tier_id}"


class Move(models.Model):
    """One change of a standing. Append-only: a trigger refuses the rest (migrations)."""

    class Reason(models.TextChoices):
        REACHED = "reached", _("Reached")
        ENDED = "ended", _("Period ended")
        RULE = "rule", _("Rules changed")
        HAND = "hand", _("By hand")
        HAND_ENDED = "hand-ended", _("Tier by hand ended")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    before = models.ForeignKey(Tier, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    after = models.ForeignKey(Tier, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    reason = models.CharField(max_length=10, choices=Reason)
    value = models.BigIntegerField()
    note = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        verbose_name = _("move between tiers")
        verbose_name_plural = _("moves between tiers")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(before=F("after")) & ~Q(before=None, after=None), name="a_move_is_between_two_tiers"
            ),
            models.CheckConstraint(
                condition=Q(reason__in=["reached", "ended", "rule", "hand", "hand-ended"]),
                name="a_move_has_a_known_reason",
            ),
            models.CheckConstraint(condition=~Q(reason="hand", note=""), name="a_move_by_hand_says_why"),
        ]
        indexes: ClassVar = [
            # loyalty.selectors.tiers: the tier at a time; verify_ledger: the last one
            models.Index(fields=["customer", "-id"], name="moves_of_a_customer"),
            # loyalty.selectors.tiers: the newest moves of all
            models.Index(fields=["-at", "-id"], name="moves_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.before_id} to {self.after_id}"


class TierNotice(models.Model):
    """What a customer is told once: shown on her own page until she has seen it, and ready to be sent."""

    class Kind(models.TextChoices):
        ROSE = "rose", _("Reached a tier")
        FELL = "fell", _("Lost a tier")
        ENDING = "ending", _("About to lose a tier")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=60)  # from the fact: `move:81`, `ending:2026-12-31`
    at = models.DateTimeField()
    until = models.DateField(null=True, blank=True)  # of a tier that is about to be lost: its last day
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notice about a tier")
        verbose_name_plural = _("notices about tiers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "key"], name="a_customer_is_told_once"),
            models.CheckConstraint(condition=Q(kind__in=["rose", "fell", "ending"]), name="a_notice_has_a_known_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.customer_id}"
