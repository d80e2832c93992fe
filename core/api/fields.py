"""Fields that take one type and do not guess: a number is not a text, and "yes" is not true."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.core.validators import BaseValidator
from django.utils import formats, timezone
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import money
from core.models import Business

LARGEST: Final = 10**15
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
AMOUNT: Final = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,12})?", re.ASCII)
ID_SCHEMA: Final = {"type": "string", "pattern": "^[1-9][0-9]{0,17}$", "example": "42"}


class Text(serializers.CharField):
    """A text. Give `max_length`."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number. Give `min_value` and `max_value`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for validator in self.validators:
            if isinstance(validator, BaseValidator):
                validator.message = _grouped(self.error_messages[validator.code], validator.limit_value)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(data)


def _told_in_groups(message: Any, limit: int) -> str:
    written = formats.number_format(limit, 0, force_grouping=True)
    return str(message).format(max_value=written, min_value=written)


_grouped = lazy(_told_in_groups, str)  # in the language of who reads it


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool | None:  # type: ignore[override]
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Moment(serializers.DateTimeField):
    """A time with its offset; without one nobody can say which moment it is."""

    default_error_messages: ClassVar = {
        "naive": _("Give the offset too, as in 2026-03-01T12:00:00+01:00."),
        "year": _("The year is not between 1900 and 2199."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["iso-8601"], **options)

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="ISO 8601")
        moment = super().to_internal_value(value)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            self.fail("year")
        return moment

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("naive")
        return super().enforce_timezone(value)


class Amount(serializers.Field):  # type: ignore[type-arg]
    default_error_messages: ClassVar = {
        "invalid": _('Give an amount as a text, as in "19.90".'),
        "places": _("At most {places} decimals."),
        "range": _("The amount is too small or too large."),
    }

    def __init__(self, *, least: int | None = 0, **options: Any) -> None:
        """`least` is the smallest amount, in the currency's main unit; None: anything."""
        super().__init__(**options)
        self.least = least

    def described(self, *, taken: bool) -> dict[str, Any]:
        """For the API's description: a text as it is written; in a body that we take also a number, as JSON has it."""
        sign = "-?" if self.least is None or not taken else ""
        text = {"type": "string", "pattern": rf"^{sign}[0-9]{{1,15}}(\.[0-9]{{1,4}})?$", "example": "19.90"}
        if not taken:
            return text
        smallest = -LARGEST if self.least is None else self.least
        return {"oneOf": [text, {"type": "number", "minimum": smallest, "maximum": LARGEST}], "example": "19.90"}

    def read(self, data: Any, *, places: int) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("invalid")
        if isinstance(data, str) and not AMOUNT.fullmatch(data):
            self.fail("invalid")
        value = Decimal(data)
        if abs(value) >= LARGEST or (self.least is not None and value < self.least):
            self.fail("range")
        if value != round(value, places):
            self.fail("places", places=places)
        return value

    @property
    def currency(self) -> str:
        business: Business = self.context["request"].business
        return business.currency


class Money(Amount):
    """An amount in the business's currency: minor units inside, a decimal text outside."""

    def to_internal_value(self, data: Any) -> int:
        exponent = money.exponent(self.currency)
        return int(self.read(data, places=exponent).scaleb(exponent))

    def to_representation(self, value: int) -> str:
        return str(money.major(value, self.currency))


class Price(Amount):
    """A price of one piece, with up to four decimals: a Decimal inside, a decimal text outside."""

    def to_internal_value(self, data: Any) -> Decimal:
        value = self.read(data, places=4)
        if abs(value) >= 10**10:
            self.fail("range")
        return value

    def to_representation(self, value: Decimal) -> str:
        return f"{value:f}"


@extend_schema_field(ID_SCHEMA)
class Id(serializers.Field):  # type: ignore[type-arg]
    """The key of a row: a text without meaning outside."""

    default_error_messages: ClassVar = {"invalid": _("This is not an id.")}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and data.isascii() and data.isdigit() and 0 < len(data) < 19 and data[0] != "0":
            return int(data)
        if isinstance(data, int) and not isinstance(data, bool) and 0 < data < 10**18:
            return data
        return self.fail("invalid")

    def to_representation(self, value: int) -> str:
        return str(value)
