"""What people write about costs: amounts by channel and month, and what a unit costs."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.template.defaultfilters import filesizeformat
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from analytics.selectors.costs import Grid, Spent, Square
from core import money
from core.forms.guarded import Guarded
from core.receiving import Received
from customers.forms.fields import AmountField, cents
from customers.models import CostKind
from customers.services.spend import Cell, Spend

LONGEST_CHANNEL = 60
LARGEST = Decimal(10) ** 12
MOST_BYTES = 5 << 20


class SpendForm(Guarded):
    """A year of acquisition costs, one input for each channel and month."""

    def __init__(self, *args: Any, grid: Grid, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, initial=_amounts(grid, currency), **kwargs)
        self.grid, self.currency = grid, currency
        for square in grid.squares:
            self.fields[square.name] = AmountField(
                label=_label(square), currency=currency, places=money.exponent(currency), required=False
            )
            self.fields[square.name].widget.attrs["aria-label"] = _label(square)

    def clean(self) -> None:
        for name, amount in self.cleaned_data.items():
            if isinstance(amount, Decimal) and amount >= LARGEST:
                self.add_error(name, _("The amount is too large."))

    @property
    def rows(self) -> Iterator[tuple[date, list[tuple[Square, BoundField]], Spent]]:
        """The table with its inputs."""
        for month, squares, whole in self.grid.rows:
            yield month, [(square, self[square.name]) for square in squares], whole

    @property
    def cells(self) -> dict[Cell, Spend | None]:
        """What differs from what stood in the form; None where an amount was taken away."""
        found: dict[Cell, Spend | None] = {}
        for square in self.grid.squares:
            amount = self.cleaned_data[square.name]
            told = None if amount is None else cents(amount, self.currency)
            if told != square.spent.amount_cents:
                found[square.channel, square.month] = None if told is None else Spend(amount_cents=told)
        return found


def _amounts(grid: Grid, currency: str) -> dict[str, Decimal]:
    known = ((square.name, square.spent.amount_cents) for square in grid.squares)
    return {name: money.major(amount, currency) for name, amount in known if amount is not None}


def _label(square: Square) -> str:
    month = formats.date_format(square.month, pgettext("month and year", "F Y"))
    channel = square.channel or _("Channel unknown")
    return f"{channel}, {month}"


class UnitCostForm(Guarded):
    """What one of each kind costs, with four decimals of the currency's minor unit."""

    def __init__(self, *args: Any, unit_cents: Mapping[str, Decimal], currency: str, **kwargs: Any) -> None:
        exponent = money.exponent(currency)
        kwargs["initial"] = {kind: amount.scaleb(-exponent) for kind, amount in unit_cents.items()}
        super().__init__(*args, **kwargs)
        self.exponent = exponent
        for kind in CostKind:
            self.fields[kind.value] = AmountField(
                label=kind.label, currency=currency, places=exponent + 4, required=False
            )

    def clean(self) -> None:
        for kind in CostKind.values:
            if (amount := self.cleaned_data.get(kind)) is not None and amount.scaleb(self.exponent) >= 10**10:
                self.add_error(kind, _("The amount is too large."))

    @property
    def unit_cents(self) -> dict[str, Decimal]:
        return {kind: (self.cleaned_data[kind] or Decimal(0)).scaleb(self.exponent) for kind in CostKind.values}


class ChannelForm(forms.Form):
    """A channel that no order names yet."""

    channel = forms.CharField(label=gettext_lazy("Add a channel"), max_length=LONGEST_CHANNEL)


class SpendFileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, CSV.gz or XLSX with the columns channel, month and amount; note if you like."),
        max_length=500,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.gz,.xlsx"}),
    )

    def clean_file(self) -> Received:
        received: Received = self.cleaned_data["file"]
        if received.is_too_large:
            raise ValidationError(_("The file is larger than %s.") % filesizeformat(MOST_BYTES))
        return received
