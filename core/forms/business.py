"""The business as people see it: rates in percent, zone and currency chosen by name."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _

from core import business, choices
from core.forms.guarded import Guarded
from core.models import Business

MOST_DAYS = 3650


class BusinessForm(Guarded):
    """`fixed`: orders or contracts exist, so zone and currency are shown and not taken."""

    name = forms.CharField(label=_("Name of the business"), max_length=120)
    kind = forms.ChoiceField(
        label=_("How customers buy"),
        choices=Business.Kind.choices,
        help_text=_("A shop's customers leave without a word; contracts end on a day."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Days and nights are counted in it. Fixed once orders or contracts exist.")
    )
    currency = forms.ChoiceField(
        label=_("Currency"),
        help_text=_("Orders in another currency are refused. Fixed once orders or contracts exist."),
    )
    prices_include_tax = forms.BooleanField(
        label=_("The amounts of orders include tax"),
        required=False,
        help_text=_(
            "The tax is then taken off: every figure here is without tax. Counts for orders that come in later."
        ),
    )
    margin_rate = forms.DecimalField(
        label=_("Margin where a cost is unknown, in percent"),
        min_value=-100,
        max_value=100,
        decimal_places=2,
        help_text=_(
            "What is left of a sale after the cost of the goods. It changes the value of customers in proportion."
        ),
    )
    discount_rate = forms.DecimalField(
        label=_("Discount rate a year, in percent"),
        min_value=0,
        max_value=500,
        decimal_places=2,
        help_text=_(
            "How much less money is worth when it comes a year later. At 10 the value of the next 12 months is about"
            " 5% lower than the plain sum."
        ),
    )
    churn_horizon_days = forms.IntegerField(
        label=_("Days without an order that count as leaving"),
        min_value=1,
        validators=[MaxValueValidator(MOST_DAYS)],
        help_text=_("The risk of a customer is the chance of no order in so many days. 90 suits most shops."),
    )

    def __init__(self, *args: Any, fixed: bool = False, **options: Any) -> None:
        initial = options["initial"]
        super().__init__(*args, **options)
        offered: dict[str, list[Any]] = {
            "time_zone": choices.zone_choices(now=initial["time_zone"]),
            "currency": choices.currency_choices(now=initial["currency"]),
        }
        for name, field in self.fields.items():
            if name in offered and isinstance(field, forms.ChoiceField):
                field.choices, field.disabled = offered[name], fixed

    def clean_margin_rate(self) -> Decimal:
        return _share(self.cleaned_data["margin_rate"])

    def clean_discount_rate(self) -> Decimal:
        return _share(self.cleaned_data["discount_rate"])

    @property
    def settings(self) -> dict[str, Any]:
        """What was entered, as the row keeps it."""
        return {name: self.cleaned_data[name] for name in business.SETTINGS}


def values_of(row: Business) -> dict[str, Any]:
    """The row as the form shows it."""
    values = {name: getattr(row, name) for name in business.SETTINGS}
    return values | {"margin_rate": _percent(row.margin_rate), "discount_rate": _percent(row.discount_rate)}


def _share(percent: Decimal) -> Decimal:
    return percent / 100


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f}"
