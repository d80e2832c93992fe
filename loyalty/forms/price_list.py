"""A price list as people write it, and its prices."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms.guarded import Guarded
from core.models import Business
from customers.forms.fields import AmountField
from customers.models import Category, Product, Segment
from loyalty.forms.offer import in_percent, known_products, percent_field, segments
from loyalty.forms.reward import moment_field
from loyalty.models import PriceList, Tier
from loyalty.models.offer import MOST_PRIORITY
from loyalty.models.price_list import MOST_MONTHS
from loyalty.segment_names import SegmentField
from loyalty.services.price_lists import Settings


class PriceListForm(Guarded):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    segment = SegmentField(
        label=gettext_lazy("For a segment"),
        required=False,
        queryset=Segment.objects.none(),
        empty_label=gettext_lazy("Any segment"),
    )
    tier = forms.ModelChoiceField(
        label=gettext_lazy("For a tier"),
        required=False,
        queryset=Tier.objects.none(),
        empty_label=gettext_lazy("Any tier"),
    )
    min_months = forms.IntegerField(
        label=gettext_lazy("Months since the first order"),
        required=False,
        min_value=1,
        max_value=MOST_MONTHS,
        help_text=gettext_lazy("For who has bought here for so long. Of several conditions all have to hold."),
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=0,
        max_value=MOST_PRIORITY,
        initial=0,
        help_text=gettext_lazy("The most specific price wins; of two alike the one of the higher priority."),
    )
    starts_at = moment_field(gettext_lazy("From"))
    ends_at = moment_field(gettext_lazy("Until"))
    floor = percent_field(
        gettext_lazy("Margin floor in percent"),
        min_value=0,
        max_value=99,
        initial=0,
        help_text=gettext_lazy("0: nothing is sold below cost. Empty: no floor."),
    )
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("segment", segments()), ("tier", Tier.objects.filter(retired_at=None).order_by("rank"))):
            choices: Any = self.fields[name]
            choices.queryset = rows

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(cleaned.get(name) for name in ("segment", "tier", "min_months")):
            self.add_error("segment", _("Say for whom: a segment, a tier, or months since the first order."))
        begin, end = cleaned.get("starts_at"), cleaned.get("ends_at")
        if begin and end and end <= begin:
            self.add_error("ends_at", _("The end comes after the beginning."))
        return cleaned

    def settings(self) -> Settings:
        """Call it when valid."""
        told = self.cleaned_data
        same = ("name", "segment", "tier", "min_months", "priority", "starts_at", "ends_at", "is_active")
        floor = told["floor"]
        return Settings(**{name: told[name] for name in same}, floor=None if floor is None else floor / 100)


def initial(row: PriceList) -> dict[str, Any]:
    """The record's values as the form's."""
    same = ("name", "segment", "tier", "min_months", "priority", "starts_at", "ends_at", "is_active")
    return {
        **{name: getattr(row, name) for name in same},
        "floor": in_percent(row.floor),
    }


class PriceForm(forms.Form):
    """The price of a product, of a category, or of all goods."""

    product = forms.CharField(
        label=gettext_lazy("SKU"), required=False, max_length=100, help_text=gettext_lazy("Of one product.")
    )
    category = forms.ModelChoiceField(
        label=gettext_lazy("Or a category"),
        required=False,
        queryset=Category.objects.order_by("name", "pk"),
        empty_label=gettext_lazy("All goods"),
    )
    percent = percent_field(
        gettext_lazy("Percent off the list price"), min_value=Decimal("0.01"), max_value=Decimal("99.99")
    )
    unit_price = AmountField(label=gettext_lazy("Or a price"), required=False)

    def __init__(self, *args: Any, business: Business, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["unit_price"]
        field.currency = business.currency

    def clean_product(self) -> Product | None:
        sku = self.cleaned_data["product"].strip()
        return known_products([sku])[0] if sku else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if cleaned.get("product") and cleaned.get("category"):
            raise ValidationError(_("Name a product or a category, not both."))
        if (cleaned.get("percent") is None) == (cleaned.get("unit_price") is None):
            self.add_error("percent", _("Write a percentage or a price."))
        return cleaned


class PreviewForm(forms.Form):
    customer = forms.CharField(label=gettext_lazy("Prices of a customer"), max_length=200, required=False)
