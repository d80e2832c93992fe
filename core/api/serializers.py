"""Serializers that take exactly what they declare: an unknown field is refused by its name, nested ones too."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer[Any]):
    """The base of every serializer of the API. Fields are declared one by one: no ModelSerializer, no `__all__`."""

    @cached_property
    def writable_names(self) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if not field.read_only)

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.writable_names] if isinstance(data, Mapping) else []
        if not unknown:
            return super().to_internal_value(data)
        errors: dict[str, Any] = {
            name: [ErrorDetail(_("There is no such field."), code="unknown_field")] for name in unknown
        }
        try:
            super().to_internal_value(data)
        except ValidationError as error:
            errors = {**error.detail, **errors} if isinstance(error.detail, dict) else errors
        raise ValidationError(errors)
