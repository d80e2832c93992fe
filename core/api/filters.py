"""Filters that take one form of a value and refuse any other, for django-filter's FilterSet."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from drf_spectacular.utils import extend_schema_field

from core.api.fields import AMOUNT, FIRST_YEAR, LAST_YEAR

ID: Final = re.compile("[1-9][0-9]{0,17}", re.ASCII)


class IdField(forms.Field):
    def to_python(self, value: Any) -> int | None:
        if not value:
            return None
        if not ID.fullmatch(value):
            raise forms.ValidationError(_("This is not an id."), code="invalid")
        return int(value)


class MomentField(forms.Field):
    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value.replace(" ", "+"))  # a plus sign that was not escaped is a blank
        except ValueError:
            raise forms.ValidationError(_("Give a time, as in 2026-03-01T12:00:00Z."), code="invalid") from None
        if timezone.is_naive(moment) or not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise forms.ValidationError(_("Give a time with its offset, as in 2026-03-01T12:00:00Z."), code="naive")
        return moment


class AmountField(forms.Field):
    def to_python(self, value: Any) -> Decimal | None:
        if not value:
            return None
        if not AMOUNT.fullmatch(value):
            raise forms.ValidationError(_("Give a number, as in 19.90."), code="invalid")
        return Decimal(value)


class Plain(filters.Filter):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]


@extend_schema_field({"type": "string", "pattern": "^[1-9][0-9]{0,17}$"})
class IdFilter(Plain):
    field_class = IdField


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentFilter(Plain):
    field_class = MomentField


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]{1,16}(\.[0-9]{1,4})?$"})
class AmountFilter(Plain):
    field_class = AmountField


class OneOf(filters.ChoiceFilter):
    """One of some words; an empty one is none."""

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(choices=[(word, word) for word in words], **options)  # type: ignore[no-untyped-call]
