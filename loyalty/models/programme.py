"""The one programme of this business: when points come, when they go, and what they are worth."""

from typing import Any, ClassVar, Protocol

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

ONE = "point"
MANY = "points"
MOST_DAYS = 3650
MOST_MONTHS = 120
MOST_MINUTES = 7 * 24 * 60
MOST_ADJUSTED = 10**9
MOST_WORTH_CENTS = 10**9


class Names(Protocol):
    """The programme, or the business, which knows them from it."""

    point_name: Any
    points_name: Any


def called(row: Names, number: int) -> str:
    """What so many points are called: as the programme says, else in the reader's language."""
    if (row.point_name, row.points_name) == (ONE, MANY):
        return ngettext("point", "points", abs(number))
    return str(row.point_name if abs(number) == 1 else row.points_name)


class Programme(models.Model):
    """A single row (id 1). Nothing is credited before `opened_at`; NULL is a programme that is not switched on."""

    class Expiry(models.TextChoices):
        NEVER = "never", _("Never")
        MONTHS = "months", _("Some months after they become active")
        DATE = "date", _("On a date of the calendar")
        INACTIVITY = "inactivity", _("After some months without earning or spending")

    class Period(models.TextChoices):
        DAY = "day", _("Not rounded")
        MONTH = "month", _("To the end of the month")
        QUARTER = "quarter", _("To the end of the quarter")
        YEAR = "year", _("To the end of the year")

    class RefundPolicy(models.TextChoices):
        ONLY_PENDING = "only_pending", _("Only what is not active yet")
        WITHIN_BALANCE = "within_balance", _("As many as the customer still has")
        ALLOW_NEGATIVE = "allow_negative", _("All of them: the balance may go below zero")

    class EarnBase(models.TextChoices):
        AFTER = "after", _("What is paid, after discounts")
        BEFORE = "before", _("The price before discounts")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name"), max_length=120, default="Rewards")
    point_name = models.CharField(_("what one point is called"), max_length=40, default=ONE)
    points_name = models.CharField(_("what points are called"), max_length=40, default=MANY)
    opened_at = models.DateTimeField(_("switched on"), null=True, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    # The first business date whose orders are credited; without one, orders placed since it was switched on.
    credit_from = models.DateField(_("orders count from"), null=True, blank=True)
    pending_days = models.PositiveSmallIntegerField(
        _("days until points become active"), default=14, validators=[MaxValueValidator(MOST_DAYS)]
    )
    earn_base = models.CharField(_("points are counted on"), max_length=6, choices=EarnBase, default=EarnBase.AFTER)
    expiry = models.CharField(_("points expire"), max_length=10, choices=Expiry, default=Expiry.MONTHS)
    # Of a life (months), the least life before a date of the calendar, or of inactivity.
    expiry_months = models.PositiveSmallIntegerField(
        _("months"), default=12, validators=[MaxValueValidator(MOST_MONTHS)]
    )
    expiry_period = models.CharField(_("rounded up"), max_length=7, choices=Period, default=Period.MONTH)
    expiry_month = models.PositiveSmallIntegerField(
        _("month of the date"), default=12, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    expiry_day = models.PositiveSmallIntegerField(
        _("day of the date"), default=31, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    refund_policy = models.CharField(
        _("a refund takes back"), max_length=14, choices=RefundPolicy, default=RefundPolicy.WITHIN_BALANCE
    )
    grace_days = models.PositiveSmallIntegerField(
        _("days that points live at least when they come back"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
    )
    adjust_limit = models.PositiveBigIntegerField(
        _("points that one person may adjust"), default=5_000, validators=[MaxValueValidator(MOST_ADJUSTED)]
    )
    hold_minutes = models.PositiveSmallIntegerField(
        _("minutes that points are held"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MINUTES)],
    )
    # What 100 points take off a bill.
    worth_cents = models.PositiveBigIntegerField(
        _("worth of 100 points"), default=100, validators=[MinValueValidator(1), MaxValueValidator(MOST_WORTH_CENTS)]
    )

    class Meta:
        verbose_name = _("loyalty programme")
        verbose_name_plural = _("loyalty programmes")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_programme"),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(point_name="") & ~Q(points_name=""), name="a_programme_has_names"
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True) | Q(opened_at__isnull=False),
                name="only_a_programme_that_is_on_pauses",
            ),
            models.CheckConstraint(condition=Q(pending_days__lte=MOST_DAYS), name="points_become_active_some_day"),
            models.CheckConstraint(condition=Q(earn_base__in=["after", "before"]), name="points_have_a_known_base"),
            models.CheckConstraint(
                condition=Q(expiry__in=["never", "months", "date", "inactivity"]), name="points_expire_in_a_known_way"
            ),
            models.CheckConstraint(
                condition=Q(expiry__in=["never", "date"]) | Q(expiry_months__gte=1), name="points_live_a_month_or_more"
            ),
            models.CheckConstraint(condition=Q(expiry_months__lte=MOST_MONTHS), name="points_live_ten_years_at_most"),
            models.CheckConstraint(
                condition=Q(expiry_period__in=["day", "month", "quarter", "year"]), name="expiry_has_a_known_period"
            ),
            models.CheckConstraint(
                condition=Q(expiry_month__gte=1, expiry_month__lte=12, expiry_day__gte=1, expiry_day__lte=31),
                name="points_expire_on_a_day_of_the_year",
            ),
            models.CheckConstraint(
                condition=Q(refund_policy__in=["only_pending", "within_balance", "allow_negative"]),
                name="a_refund_has_a_known_policy",
            ),
            models.CheckConstraint(
                condition=Q(grace_days__gte=1, grace_days__lte=MOST_DAYS), name="points_that_come_back_live_a_day"
            ),
            models.CheckConstraint(condition=Q(adjust_limit__lte=MOST_ADJUSTED), name="adjustments_have_a_limit"),
            models.CheckConstraint(
                condition=Q(hold_minutes__gte=1, hold_minutes__lte=MOST_MINUTES), name="a_hold_ends"
            ),
            models.CheckConstraint(
                condition=Q(worth_cents__gte=1, worth_cents__lte=MOST_WORTH_CENTS), name="points_are_worth_something"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def called(self, number: int) -> str:
        """What so many points are called: as the programme says, else in the reader's language."""
        return called(self, number)

    @property
    def is_open(self) -> bool:
        """It was switched on. It may be paused."""
        return self.opened_at is not None

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def is_running(self) -> bool:
        """Points are earned and redeemed."""
        return self.is_open and not self.is_paused
