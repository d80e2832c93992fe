from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from analytics import schemes
from analytics.selectors.value_drivers import SCHEMES
from analytics.selectors.value_nights import FIRST_HORIZON, FIRST_PERIOD, LABELS, PERIODS
from customers.forms.company import DateInput


class ValueForm(forms.Form):
    """What the page is asked for by its address; a field that cannot be read is as if it were not there."""

    horizon = forms.ChoiceField(required=False, choices=list(LABELS.items()))
    days = forms.TypedChoiceField(
        required=False, choices=[(days, days) for days in PERIODS], coerce=int, empty_value=None
    )
    scheme = forms.ChoiceField(required=False, choices=[(scheme.slug, scheme.label) for scheme in SCHEMES])
    since = forms.DateField(label=_("From"), required=False, widget=DateInput())
    until = forms.DateField(label=_("To"), required=False, widget=DateInput())

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        first, last = found.get("since"), found.get("until")
        if first and last and first >= last:
            self.add_error("until", _("Choose a day after the first one."))
        return found

    @property
    def horizon_name(self) -> str:
        return str(self._said("horizon") or FIRST_HORIZON)

    @property
    def period(self) -> int:
        """Days; 0 for all."""
        found = self._said("days")
        return FIRST_PERIOD if found is None else int(found)

    @property
    def chosen_scheme(self) -> schemes.Scheme:
        return next((scheme for scheme in SCHEMES if scheme.slug == self._said("scheme")), schemes.RFM)

    @property
    def bounds(self) -> tuple[date | None, date | None]:
        """Days chosen by hand; none where they cannot be read or contradict each other."""
        if not self.errors.keys().isdisjoint(("since", "until")):
            return None, None
        return self._said("since"), self._said("until")

    def _said(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)
