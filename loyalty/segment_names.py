"""Segments by the scheme that they belong to: `Value tier: A` says more than `A`."""

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy

from customers.models import Segment

SCHEMES: Final = {
    "rfm": gettext_lazy("Recency and frequency"),
    "value": gettext_lazy("Value tier"),
    "tenure": gettext_lazy("Tenure"),
    "trajectory": gettext_lazy("Trajectory"),
    "profitability": gettext_lazy("Profitability"),
    "preference": gettext_lazy("Preference"),
    "needs": gettext_lazy("Needs"),
}


def named(segment: Segment) -> str:
    """With its scheme, where that has a name."""
    scheme = SCHEMES.get(segment.scheme)
    return f"{scheme}: {segment}" if scheme else str(segment)


class SegmentField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Segment) -> str:
        return named(obj)


class SegmentsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Segment) -> str:
        return named(obj)
