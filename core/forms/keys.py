"""A new key: what it is for, what it may do, and for how long."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.scopes import READ

# The areas that the API has addresses for, and what is in them.
AREAS: Final = {
    "customers": gettext_lazy("Customers, companies and consents"),
    "orders": gettext_lazy("Products, orders and refunds"),
    "analytics": gettext_lazy("Scores and segments"),
    "admin": gettext_lazy("Everything, also what comes later"),
}
LIFETIMES: Final = [
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("One year")),
    ("", gettext_lazy("Until it is revoked")),
]


def _area(name: str) -> forms.ChoiceField:
    rights = [
        ("", gettext_lazy("No access")),
        (name + READ, gettext_lazy("Read")),
        (name, gettext_lazy("Read and change")),
    ]
    return forms.ChoiceField(label=AREAS[name], required=False, choices=rights, widget=forms.RadioSelect)


class KeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("The program that will use it, so that you know it again."),
    )
    days = forms.ChoiceField(label=gettext_lazy("The key works for"), choices=LIFETIMES, required=False, initial="365")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields.update({name: _area(name) for name in AREAS})

    @property
    def areas(self) -> list[BoundField]:
        return [self[name] for name in AREAS]

    @property
    def scopes(self) -> list[str]:
        return [scope for name in AREAS if (scope := self.cleaned_data.get(name))]

    def clean(self) -> dict[str, Any]:
        if not self.scopes and not any(name in self.errors for name in AREAS):
            raise ValidationError(_("Choose at least one thing that the key may do."))
        return self.cleaned_data

    def expires_at(self, *, at: datetime) -> datetime | None:
        days = self.cleaned_data["days"]
        return at + timedelta(days=int(days)) if days else None
