"""What earns points: rules for orders and segments, actions, and what each order line earned under them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Category, Customer, Product, Segment

MOST_POINTS = 10**9
LARGEST_CENTS = 10**12


class EarningRule(models.Model):
    """Points for what is bought between two times, or for entering a segment.

    A line earns by the rules of its narrowest scope (product, else category, else everything); extra rules add to them.
    A rule that began is never changed, only ended: orders are judged by the rules of the moment they were placed.
    """

    class Kind(models.TextChoices):
        MONEY = "money", _("For each amount spent")
        PIECE = "piece", _("For each piece")
        ORDER = "order", _("Once per order")
        SEGMENT = "segment", _("Once on entering a segment")

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("earned"), max_length=7, choices=Kind, default=Kind.MONEY)
    points = models.PositiveBigIntegerField(_("points"), default=1)
    per_cents = models.PositiveBigIntegerField(_("for each"), default=100)  # of kind MONEY
    minimum_cents = models.PositiveBigIntegerField(_("from this amount on"), default=0)  # of what the rule is for
    product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("product")
    )
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("segment")
    )
    is_extra = models.BooleanField(_("on top of other rules"), default=False)
    is_multiplied = models.BooleanField(_("multiplied by the tier"), default=True)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="an_earning_rule_has_a_name"),
            models.CheckConstraint(
                condition=Q(kind__in=["money", "piece", "order", "segment"]), name="an_earning_rule_has_a_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(points__lte=MOST_POINTS, per_cents__gte=1, per_cents__lte=LARGEST_CENTS),
                name="an_earning_rule_has_a_rate",
            ),
            models.CheckConstraint(
                condition=Q(product__isnull=True) | Q(category__isnull=True), name="an_earning_rule_has_one_scope"
            ),
            models.CheckConstraint(
                condition=Q(kind="segment", segment__isnull=False, product__isnull=True, category__isnull=True)
                | ~Q(kind="segment") & Q(segment__isnull=True),
                name="a_segment_s_rule_names_a_segment",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")), name="an_earning_rule_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Action(models.Model):
    """Something that a customer does for points, such as filling in the profile; at most `cap` times a period."""

    class Period(models.TextChoices):
        DAY = "day", _("a day")
        MONTH = "month", _("a month")
        YEAR = "year", _("a year")
        EVER = "ever", _("ever")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    points = models.PositiveBigIntegerField(_("points"))
    cap = models.PositiveSmallIntegerField(_("at most"), default=1)
    period = models.CharField(_("times"), max_length=5, choices=Period, default=Period.EVER)
    is_on = models.BooleanField(_("gives points"), default=True)

    class Meta:
        verbose_name = _("action for points")
        verbose_name_plural = _("actions for points")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(code="") & ~Q(name=""), name="an_action_has_code_and_name"),
            models.CheckConstraint(
                condition=Q(points__gte=1, points__lte=MOST_POINTS, cap__gte=1), name="an_action_gives_points"
            ),
            models.CheckConstraint(
                condition=Q(period__in=["day", "month", "year", "ever"]), name="an_action_has_a_known_period"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Act(models.Model):
    """An action that a customer was given points for."""

    action = models.ForeignKey(Action, models.PROTECT, related_name="acts", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=80)  # of the fact, such as `answer:81`
    at = models.DateTimeField()
    posting_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["action", "key"], name="an_act_is_counted_once"),
        ]
        indexes: ClassVar = [
            # loyalty.services.actions: how often a customer did it in a period
            models.Index(fields=["customer", "action", "at"], name="acts_of_a_customer"),
        ]

    def __str__(self) -> str:
        return self.key


class Credit(models.Model):
    """What an order has been credited by now. No row: the order was never credited.

    `points` is what the customer was to have of it, `forgiven` how much of what refunds took back could not be taken.
    """

    order_id = models.BigIntegerField(primary_key=True)
    customer_id = models.BigIntegerField()  # the account that has them
    facts = models.BigIntegerField()  # a hash of what the points were worked out from
    multiplier = models.PositiveIntegerField(default=100)  # of the tier, in percent, when it was worked out
    points = models.PositiveBigIntegerField()
    forgiven = models.PositiveBigIntegerField(default=0, db_default=0)
    revision = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(multiplier__gte=1), name="a_credit_has_a_multiplier"),
        ]

    def __str__(self) -> str:
        return f"{self.points} for order {self.order_id}"


class LineCredit(models.Model):
    """What a line of an order earned, before anything of it came back."""

    pk = models.CompositePrimaryKey("order_id", "position")
    order_id = models.BigIntegerField()
    position = models.PositiveIntegerField()
    points = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.points} for line {self.position} of order {self.order_id}"
