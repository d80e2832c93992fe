"""An offer as people write it, and codes to make for it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.forms.guarded import Guarded
from core.models import Business
from customers.forms.fields import AmountField, cents
from customers.models import Category, Product, Segment
from loyalty import naming
from loyalty.codes import LONGEST
from loyalty.forms.reward import moment_field
from loyalty.models import Offer, Tier
from loyalty.models.offer import EVERY_DAY, MOST_CENTS, MOST_PRIORITY
from loyalty.segment_names import SegmentField, SegmentsField
from loyalty.selectors.offers import is_given
from loyalty.services.codes import MOST as MOST_CODES
from loyalty.services.offer_settings import Terms

MOST_NUMBER: Final = 10**9
MOST_PRODUCTS: Final = 500
AMOUNTS: Final = ("amount", "minimum", "budget", "max_discount")
FLOORS: Final = ("line_floor", "order_floor")
LIMITS: Final = ("max_uses", "max_per_customer", "max_per_day", "budget", "segments", "tiers")


def number_field(label: Any, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=MOST_NUMBER, **options)


def percent_field(label: Any, **options: Any) -> forms.DecimalField:
    widget = forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})
    return forms.DecimalField(label=label, required=False, decimal_places=2, max_digits=5, widget=widget, **options)


def skus_field(label: Any, **options: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=MOST_PRODUCTS * 101, widget=widget, **options)


def choice_field(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    """One of few: all of them in sight, however long their names."""
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, **options)


def hour_field(label: Any, **options: Any) -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, required=False, widget=widget, **options)


def segments() -> Any:
    return Segment.objects.order_by("scheme", "name", "pk")


class OfferForm(Guarded):
    """Fields that the kind does not have are left alone."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    kind = choice_field(gettext_lazy("Kind"), Offer.Kind.choices, initial=Offer.Kind.PERCENT)
    percent = percent_field(gettext_lazy("Percent off"), min_value=Decimal("0.01"), max_value=100)
    base = choice_field(gettext_lazy("Percent of"), Offer.Base.choices, initial=Offer.Base.AFTER)
    amount = AmountField(label=gettext_lazy("Amount off"), required=False)
    free_product = forms.CharField(label=gettext_lazy("SKU of the free item"), required=False, max_length=100)
    free_quantity = number_field(gettext_lazy("How many are free"), initial=1)

    scope = choice_field(gettext_lazy("Applies to"), Offer.Scope.choices, initial=Offer.Scope.ANY)
    products = skus_field(
        gettext_lazy("Only these products"), help_text=gettext_lazy("One SKU on a line. Empty: all goods.")
    )
    categories = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only these categories"),
        required=False,
        queryset=Category.objects.order_by("name", "pk"),
        widget=forms.CheckboxSelectMultiple,
    )
    minimum = AmountField(
        label=gettext_lazy("From a basket of"),
        required=False,
        help_text=gettext_lazy("Goods before discounts. Empty: any basket."),
    )

    segments = SegmentsField(
        label=gettext_lazy("Only for segments"),
        required=False,
        queryset=Segment.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: everybody."),
    )
    tiers = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only for tiers"),
        required=False,
        queryset=Tier.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    holder_only = forms.BooleanField(
        label=gettext_lazy("A code with a name on it works for that person alone"), required=False, initial=True
    )
    is_listed = forms.BooleanField(
        label=gettext_lazy("Show codes without a name in the wallet of everybody it is for"), required=False
    )

    starts_at = moment_field(gettext_lazy("From"))
    ends_at = moment_field(gettext_lazy("Until"))
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("Weekdays"),
        required=False,
        choices=[(str(day), name) for day, name in WEEKDAYS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: every day."),
    )
    from_time = hour_field(gettext_lazy("On such a day from"), help_text=gettext_lazy("Empty: all day."))
    until_time = hour_field(gettext_lazy("To"), help_text=gettext_lazy("Hours may pass midnight."))

    max_uses = number_field(gettext_lazy("Uses at most"))
    max_per_customer = number_field(gettext_lazy("Uses at most for a customer"))
    max_per_day = number_field(gettext_lazy("Uses at most on a day"))
    budget = AmountField(
        label=gettext_lazy("Budget"), required=False, help_text=gettext_lazy("All discounts together. Empty: no limit.")
    )

    stacking = choice_field(gettext_lazy("With other codes"), Offer.Stacking.choices, initial=Offer.Stacking.EXCLUSIVE)
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=0,
        max_value=MOST_PRIORITY,
        initial=0,
        help_text=gettext_lazy("Of several on a basket the highest comes first."),
    )
    max_discount = AmountField(label=gettext_lazy("Highest discount on an order"), required=False)
    line_floor = percent_field(
        gettext_lazy("Margin floor of each item, in percent"),
        min_value=0,
        max_value=99,
        initial=0,
        help_text=gettext_lazy("0: nothing is sold below cost. Empty: no floor."),
    )
    order_floor = percent_field(
        gettext_lazy("Margin floor of the order, in percent"), min_value=0, max_value=99, initial=0
    )

    def __init__(self, *args: Any, business: Business, offer: Offer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency, self.offer = business.currency, offer
        for name in AMOUNTS:
            field: Any = self.fields[name]
            field.currency, field.places = business.currency, money.exponent(business.currency)
        for name, rows in (("segments", segments()), ("tiers", Tier.objects.filter(retired_at=None).order_by("rank"))):
            choices: Any = self.fields[name]
            choices.queryset = rows

    def clean_free_product(self) -> Product | None:
        sku = self.cleaned_data["free_product"].strip()
        return known_products([sku])[0] if sku else None

    def clean_products(self) -> list[Product]:
        return known_products(lines_of(self.cleaned_data["products"]))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in AMOUNTS:
            self._check_amount(name)
        kind = cleaned.get("kind", "")
        needed = {"percent": "percent", "amount": "amount", "free_item": "free_product"}.get(kind)
        if needed and needed not in self.errors and not cleaned.get(needed):
            self.add_error(needed, _("This kind of offer needs it."))
        self._check_order("starts_at", "ends_at", _("The end comes after the beginning."))
        if bool(cleaned.get("from_time")) != bool(cleaned.get("until_time")):
            self.add_error("until_time", _("Write both hours or none."))
        elif cleaned.get("from_time") and cleaned["from_time"] == cleaned["until_time"]:
            self.add_error("until_time", _("The two hours are the same."))
        self._check_used()
        return cleaned

    def _check_amount(self, name: str) -> None:
        amount = self.cleaned_data.get(name)
        if amount is None:
            return
        told = cents(amount, self.currency)
        if told >= MOST_CENTS or (told <= 0 and name != "minimum"):
            self.add_error(name, _("Write an amount above zero.") if told <= 0 else _("The amount is too large."))
        self.cleaned_data[name] = told

    def _check_order(self, first: str, last: str, text: str) -> None:
        begin, end = self.cleaned_data.get(first), self.cleaned_data.get(last)
        if begin and end and end <= begin:
            self.add_error(last, text)

    def _check_used(self) -> None:
        """Caps below what was used already cannot be kept."""
        if self.offer is None:
            return
        most, budget = self.cleaned_data.get("max_uses"), self.cleaned_data.get("budget")
        if most is not None and most < self.offer.used:
            self.add_error("max_uses", _("It was used %(number)s times already.") % {"number": self.offer.used})
        if isinstance(budget, int) and budget < self.offer.spent_cents:
            spent = money.text(self.offer.spent_cents, self.currency)
            self.add_error("budget", _("%(amount)s of discounts were given already.") % {"amount": spent})
        self._check_given(self.offer)

    def _check_given(self, offer: Offer) -> None:
        """A code that somebody was given has to work for her."""
        limits = [name for name in LIMITS if self.cleaned_data.get(name)]
        if limits and is_given(offer):
            for name in limits:
                text = naming.said(_("Its codes are given for %(points)s or birthdays, and those have to work."))
                self.add_error(name, text)

    def terms(self) -> Terms:
        """Call it when valid."""
        told, kind = self.cleaned_data, self.cleaned_data["kind"]
        same = ("name", "kind", "base", "scope", "holder_only", "is_listed", "starts_at", "ends_at", "from_time")
        more = ("until_time", "max_uses", "max_per_customer", "max_per_day", "stacking", "priority")
        return Terms(
            fields={
                **{name: told[name] for name in (*same, *more)},
                "percent": told["percent"] if kind == Offer.Kind.PERCENT else None,
                "amount_cents": told["amount"] if kind == Offer.Kind.AMOUNT else None,
                "free_product": told["free_product"] if kind == Offer.Kind.FREE_ITEM else None,
                "free_quantity": told["free_quantity"] or 1,
                "minimum_cents": told["minimum"] or 0,
                "budget_cents": told["budget"],
                "max_discount_cents": told["max_discount"],
                "weekdays": sum(1 << int(day) for day in told["weekdays"]) or EVERY_DAY,
                **{name: None if told[name] is None else told[name] / 100 for name in FLOORS},
            },
            products=told["products"],
            categories=list(told["categories"]),
            segments=list(told["segments"]),
            tiers=list(told["tiers"]),
        )


def initial(offer: Offer, *, currency: str) -> dict[str, Any]:
    """The record's values as the form's."""
    same = ("name", "kind", "percent", "base", "free_quantity", "scope", "holder_only", "is_listed", "starts_at")
    more = ("ends_at", "from_time", "until_time", "max_uses", "max_per_customer", "max_per_day", "stacking", "priority")
    amounts = {
        "amount": offer.amount_cents,
        "minimum": offer.minimum_cents or None,
        "budget": offer.budget_cents,
        "max_discount": offer.max_discount_cents,
    }
    every_day = offer.weekdays == EVERY_DAY
    return {
        **{name: getattr(offer, name) for name in (*same, *more)},
        **{name: None if value is None else money.major(value, currency) for name, value in amounts.items()},
        **{name: in_percent(getattr(offer, name)) for name in FLOORS},
        "free_product": offer.free_product.sku if offer.free_product else "",
        "products": "\n".join(row.sku for row in offer.products.order_by("sku")),
        **{name: [row.pk for row in getattr(offer, name).all()] for name in ("categories", "segments", "tiers")},
        "weekdays": [] if every_day else [str(day) for day in range(7) if offer.weekdays >> day & 1],
    }


def in_percent(share: Decimal | None) -> Decimal | None:
    """With as many decimals as the field takes."""
    return None if share is None else (share * 100).quantize(Decimal("0.01"))


def lines_of(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def known_products(skus: Sequence[str]) -> list[Product]:
    """Raises ValidationError for the first SKU that nobody knows."""
    found = Product.objects.in_bulk(list(skus), field_name="sku")
    missing = next((sku for sku in skus if sku not in found), None)
    if missing is not None:
        raise ValidationError(_("There is no product with the SKU “%(sku)s”.") % {"sku": missing[:100]})
    return [found[sku] for sku in skus]


class ChosenCodeForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("A code that people can remember"),
        max_length=2 * LONGEST,
        help_text=gettext_lazy("Letters and digits, such as SUMMER10. Whoever guesses it can use it."),
    )
    uses = number_field(gettext_lazy("Uses at most"), help_text=gettext_lazy("Empty: no limit."))


class ManyCodesForm(forms.Form):
    count = forms.IntegerField(label=gettext_lazy("How many"), required=False, min_value=1, max_value=MOST_CODES)
    segment = SegmentField(
        label=gettext_lazy("Or one for each customer of"),
        required=False,
        queryset=Segment.objects.none(),
        empty_label=gettext_lazy("No segment"),
    )
    uses = number_field(gettext_lazy("Uses at most of each"), initial=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["segment"].queryset = segments()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and bool(cleaned.get("count")) == bool(cleaned.get("segment")):
            self.add_error("count", _("Say how many, or choose a segment."))
        return cleaned
