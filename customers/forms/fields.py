"""Fields that read what people write: amounts, several addresses, and a record by its name."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core import money
from customers.importing.numbers import EITHER_COMMA, EITHER_DOT, Numbers
from customers.importing.problems import ValueProblem


class AmountField(forms.CharField):
    """A number as people write it, `1.234,56` as well as `1,234.56`, with at most `places` decimals.

    `1,234` can be read in two ways and is refused.
    """

    def __init__(self, *, currency: str = "", places: int = 4, negative: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(empty_value=None, **kwargs)
        self.currency, self.places, self.negative = currency, places, negative

    def prepare_value(self, value: Any) -> Any:
        """At least as many decimals as the currency has, and never three, which would be read in two ways."""
        if not isinstance(value, Decimal):
            return value
        least = money.exponent(self.currency) if self.currency else 0
        text = f"{value.normalize():f}"
        decimals = len(text.partition(".")[2])
        shown = max(decimals, least)
        shown += shown == 3 and least != 3
        return formats.localize_input(f"{value:.{shown}f}").replace(".", str(formats.get_format("DECIMAL_SEPARATOR")))

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text is None:
            return None
        if EITHER_COMMA.fullmatch(text) or (EITHER_DOT.fullmatch(text) and self._cents != 3):
            raise ValidationError(
                _("“%(text)s” can be read in two ways. Write 1234 or 1.2340.") % {"text": text}, code="two_ways"
            )
        try:
            number = Numbers(self.currency or "XXX").parse(text, field="amount")
        except ValueProblem as error:
            raise ValidationError(self._refusal(text), code="number") from error
        return self._within(number)

    @property
    def _cents(self) -> int:
        return money.exponent(self.currency) if self.currency else 2

    def _refusal(self, text: str) -> str:
        if self.currency:
            return _("“%(text)s” is not an amount in %(currency)s. Write one such as 1234.56.") % {
                "text": text,
                "currency": self.currency,
            }
        return _("“%(text)s” is not a number. Write one such as 12.5.") % {"text": text}

    def _within(self, number: Decimal) -> Decimal:
        if number < 0 and not self.negative:
            raise ValidationError(_("Write a number that is not below zero."), code="negative")
        if -int(number.normalize().as_tuple().exponent) > self.places:
            raise ValidationError(_("At most %(places)s decimals.") % {"places": self.places}, code="decimals")
        return number


def cents(amount: Decimal | None, currency: str) -> int:
    """An amount of at most the currency's decimals in minor units; nothing is 0."""
    return int((amount or Decimal(0)).scaleb(money.exponent(currency)))


class SeveralInput(forms.TextInput):
    """Inputs of one name. Two empty ones follow what is there, so that more can be written without JavaScript."""

    template_name = "customers/_several.html"
    EMPTY = 2

    def format_value(self, value: Any) -> list[str]:  # type: ignore[override]
        return [str(one) for one in value or ()]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name)  # type: ignore[no-any-return]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        values = [*self.format_value(value), *[""] * self.EMPTY]
        context = {"name": name, "values": values, "attrs": {**self.attrs, **(attrs or {})}}
        return render_to_string(self.template_name, context)


class SeveralField(forms.Field):
    """A list of texts, each read by `read`, which raises ValueProblem. Without repeats, in the order written."""

    widget = SeveralInput

    def __init__(self, *, read: Callable[[str], str], refusal: str | Promise, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.read, self.refusal = read, refusal

    def to_python(self, value: Any) -> list[str]:
        found, errors = [], []
        for text in (str(one).strip() for one in value or ()):
            try:
                if text:
                    found.append(self.read(text))
            except ValueProblem:
                errors.append(ValidationError(str(self.refusal) % {"text": text}))
        if errors:
            raise ValidationError(errors)
        return list(dict.fromkeys(found))
