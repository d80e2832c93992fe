from typing import Any

from django import forms
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms.guarded import Guarded
from customers.models import Company
from customers.services.companies import COLUMNS, Terms


class DateInput(forms.DateInput):
    """The browser's own picker; its values are ISO dates in every language."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class CompanyForm(Guarded):
    """`has_contracts`: contracts of the company are recorded, whose days stand instead of those written down here."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    tax_number = forms.CharField(label=gettext_lazy("Tax number"), required=False, max_length=40)
    payment_terms_days = forms.IntegerField(
        label=gettext_lazy("Payment terms, days"), required=False, min_value=0, max_value=3650
    )
    contract_starts_on = forms.DateField(label=gettext_lazy("Contract starts"), required=False, widget=DateInput())
    contract_ends_on = forms.DateField(label=gettext_lazy("Contract ends"), required=False, widget=DateInput())

    def __init__(self, *args: Any, has_contracts: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("contract_starts_on", "contract_ends_on") if has_contracts else ():
            self.fields[name].disabled = True
            self.fields[name].help_text = _("The company's contracts say it: their days are shown instead.")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = cleaned.get("contract_starts_on"), cleaned.get("contract_ends_on")
        if starts and ends and ends < starts:
            self.add_error("contract_ends_on", _("A contract ends after it starts."))
        return cleaned

    def terms(self) -> Terms:
        return Terms(**{name: self.cleaned_data[name] for name in COLUMNS})


def initial(company: Company) -> dict[str, Any]:
    return model_to_dict(company, fields=COLUMNS)
