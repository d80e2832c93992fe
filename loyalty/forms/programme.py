"""The programme, its rules and a basket to try them on, as people write them."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.forms.guarded import Guarded
from core.models import Business
from customers.forms.fields import AmountField, cents
from customers.models import Category, Product, Segment
from loyalty import naming
from loyalty.forms.reward import moment_field
from loyalty.models import EarningRule, Programme
from loyalty.models.programme import MOST_ADJUSTED, MOST_DAYS, MOST_MINUTES, MOST_MONTHS, MOST_WORTH_CENTS
from loyalty.models.rule import LARGEST_CENTS, MOST_POINTS
from loyalty.segment_names import SegmentField
from loyalty.services.rules import SETTINGS, RuleItem

EARLIEST: Final = date(1990, 1, 1)


def _number(label: Any, most: int, *, least: int = 0, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, validators=[MaxValueValidator(most)], **options)


class ProgrammeForm(Guarded):
    name = forms.CharField(label=gettext_lazy("Name of the programme"), max_length=120)
    point_name = forms.CharField(
        label=gettext_lazy("What one point is called"), max_length=40, help_text=gettext_lazy("Such as point or star.")
    )
    points_name = forms.CharField(
        label=gettext_lazy("What points are called"), max_length=40, help_text=gettext_lazy("Such as points or stars.")
    )
    worth = AmountField(
        label=gettext_lazy("Worth of 100 [points]"),
        help_text=gettext_lazy("What they take off a bill. It is also what [points] cost you in every sum here."),
    )
    earn_base = forms.ChoiceField(
        label=gettext_lazy("[Points] are counted on"), choices=Programme.EarnBase.choices, widget=forms.RadioSelect
    )
    pending_days = _number(
        gettext_lazy("Days until [points] become active"),
        MOST_DAYS,
        help_text=gettext_lazy("As long as goods can come back. 0: at once."),
    )
    refund_policy = forms.ChoiceField(
        label=gettext_lazy("A refund takes back"),
        choices=Programme.RefundPolicy.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("[Points] of the order itself go first, then those that are not active yet."),
    )
    grace_days = _number(
        gettext_lazy("Least days that [points] live when they come back"),
        MOST_DAYS,
        least=1,
        help_text=gettext_lazy("For [points] that were spent on an order that is refunded, and expired meanwhile."),
    )
    expiry = forms.ChoiceField(
        label=gettext_lazy("[Points] expire"), choices=Programme.Expiry.choices, widget=forms.RadioSelect
    )
    expiry_months = _number(gettext_lazy("Months"), MOST_MONTHS)
    expiry_period = forms.ChoiceField(label=gettext_lazy("Rounded up"), choices=Programme.Period.choices)
    expiry_month = forms.TypedChoiceField(label=gettext_lazy("Month"), choices=list(MONTHS.items()), coerce=int)
    expiry_day = _number(gettext_lazy("Day"), 31, least=1)
    adjust_limit = _number(
        gettext_lazy("[Points] that one person may adjust"),
        MOST_ADJUSTED,
        help_text=gettext_lazy("Above it, a second person has to agree."),
    )
    hold_minutes = _number(
        gettext_lazy("Minutes that [points] are held"),
        MOST_MINUTES,
        least=1,
        help_text=gettext_lazy("While somebody is about to redeem them."),
    )

    def __init__(self, *args: Any, business: Business, **options: Any) -> None:
        super().__init__(*args, **options)
        naming.in_form(self, business)
        self.currency = business.currency
        self.fields["worth"].currency = business.currency  # type: ignore[attr-defined]

    def clean_worth(self) -> Decimal:
        worth: Decimal = self.cleaned_data["worth"]
        if not 1 <= cents(worth, self.currency) <= MOST_WORTH_CENTS or cents(worth, self.currency) != worth.scaleb(
            money.exponent(self.currency)
        ):
            raise ValidationError(_("Write an amount in %(currency)s above zero.") % {"currency": self.currency})
        return worth

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        lives = told.get("expiry") in (Programme.Expiry.MONTHS, Programme.Expiry.INACTIVITY)
        if lives and told.get("expiry_months") == 0:
            self.add_error("expiry_months", _("Write one month or more."))
        return told

    @property
    def settings(self) -> dict[str, Any]:
        """What was entered, as the row keeps it."""
        told = self.cleaned_data | {"worth_cents": cents(self.cleaned_data["worth"], self.currency)}
        return {name: told[name] for name in SETTINGS}

    @property
    def labels(self) -> dict[str, str]:
        """What each setting is called here."""
        told = {name: str(field.label) for name, field in self.fields.items()}
        return told | {"worth_cents": told["worth"]}


def values_of(row: Programme, currency: str) -> dict[str, Any]:
    """The row as the form shows it."""
    return {name: getattr(row, name) for name in SETTINGS} | {"worth": money.major(row.worth_cents, currency)}


class RuleForm(Guarded):
    """Fields that the kind does not have are left alone."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, help_text=gettext_lazy("What customers read on their statement.")
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("[Points] come"), choices=EarningRule.Kind.choices, widget=forms.RadioSelect, initial="money"
    )
    points = _number(gettext_lazy("[Points]"), MOST_POINTS, initial=1, help_text=gettext_lazy("0: this earns nothing."))
    per = AmountField(label=gettext_lazy("For each"), required=False, initial=Decimal(1))
    minimum = AmountField(
        label=gettext_lazy("From this amount on"),
        required=False,
        help_text=gettext_lazy("Of what the rule is for, in one order. Empty: always."),
    )
    product = forms.CharField(label=gettext_lazy("Only for the product (SKU)"), required=False, max_length=100)
    category = forms.ModelChoiceField(
        label=gettext_lazy("Only for the category"), queryset=Category.objects.order_by("name"), required=False
    )
    segment = SegmentField(
        label=gettext_lazy("Segment"), queryset=Segment.objects.order_by("scheme", "name"), required=False
    )
    is_extra = forms.BooleanField(
        label=gettext_lazy("On top of other rules"),
        required=False,
        help_text=gettext_lazy("Otherwise the rule for the product counts alone, else that for its category."),
    )
    is_multiplied = forms.BooleanField(label=gettext_lazy("Multiplied by the tier"), required=False, initial=True)
    starts_at = moment_field(gettext_lazy("From"))
    ends_at = moment_field(gettext_lazy("Until"))

    def __init__(self, *args: Any, business: Business, **options: Any) -> None:
        super().__init__(*args, **options)
        naming.in_form(self, business)
        self.currency = business.currency
        for name in ("per", "minimum"):
            self.fields[name].currency = business.currency  # type: ignore[attr-defined]

    def clean_product(self) -> Product | None:
        sku = self.cleaned_data["product"].strip()
        product = Product.objects.filter(sku=sku).first()
        if sku and product is None:
            raise ValidationError(_("There is no product “%(sku)s”.") % {"sku": sku})
        return product

    def clean_per(self) -> Decimal | None:
        return self._amount("per", least=1)

    def clean_minimum(self) -> Decimal | None:
        return self._amount("minimum", least=0)

    def _amount(self, name: str, *, least: int) -> Decimal | None:
        amount: Decimal | None = self.cleaned_data[name]
        if amount is not None and not least <= cents(amount, self.currency) <= LARGEST_CENTS:
            raise ValidationError(_("Write an amount above zero, and not an enormous one."))
        return amount

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        kind = told.get("kind")
        if kind == EarningRule.Kind.MONEY and not told.get("per") and "per" not in self.errors:
            self.add_error("per", naming.said(_("Say for which amount the %(points)s come.")))
        if kind == EarningRule.Kind.SEGMENT and not told.get("segment"):
            self.add_error("segment", _("Choose a segment."))
        if told.get("product") and told.get("category"):
            self.add_error("category", _("Choose a product or a category, not both."))
        starts, ends = told.get("starts_at"), told.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", _("It ends before it begins."))
        return told

    def item(self) -> RuleItem:
        told = self.cleaned_data
        is_segment = told["kind"] == EarningRule.Kind.SEGMENT
        return RuleItem(
            name=told["name"],
            kind=told["kind"],
            points=told["points"],
            per_cents=cents(told["per"], self.currency) or 1,
            minimum_cents=0 if is_segment else cents(told["minimum"], self.currency),
            product=None if is_segment else told["product"],
            category=None if is_segment else told["category"],
            segment=told["segment"] if is_segment else None,
            is_extra=told["is_extra"],
            is_multiplied=told["is_multiplied"],
            starts_at=told["starts_at"],
            ends_at=told["ends_at"],
        )


def rule_values(rule: EarningRule, currency: str) -> dict[str, Any]:
    told = {name: getattr(rule, name) for name in RuleItem.__slots__}
    amounts = {"per": money.major(rule.per_cents, currency)}
    if rule.minimum_cents:
        amounts["minimum"] = money.major(rule.minimum_cents, currency)
    return told | amounts | {"product": rule.product.sku if rule.product else ""}


class OpenForm(forms.Form):
    credit_from = forms.DateField(
        label=gettext_lazy("Orders count from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Empty: orders placed from the moment on at which you switch it on."),
    )

    def clean_credit_from(self) -> date | None:
        day: date | None = self.cleaned_data["credit_from"]
        if day is not None and day < EARLIEST:
            raise ValidationError(_("Write a day since 1990."))
        return day


class TryForm(forms.Form):
    """An order by its number, or a product and how much of it."""

    order = forms.CharField(label=gettext_lazy("Order"), required=False, max_length=200)
    sku = forms.CharField(label=gettext_lazy("Product (SKU)"), required=False, max_length=100)
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"), required=False, min_value=Decimal("0.001"), max_value=10**6, decimal_places=3
    )
    price = AmountField(label=gettext_lazy("Unit price"), required=False)

    def __init__(self, *args: Any, business: Business, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["price"].currency = business.currency  # type: ignore[attr-defined]
