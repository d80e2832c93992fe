"""What people say about a file that they import."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.receiving import Received
from customers.importing.extras import Extra
from customers.importing.presets import KINDS
from customers.importing.preview import Preview
from customers.importing.suggestions import NAMES
from customers.models import ImportBatch
from customers.services import uploads
from customers.services.uploads import Choice

PRESETS = {
    "generic": gettext_lazy("Any file: I say what the columns are"),
    "shopify": gettext_lazy("Shopify export"),
    "woocommerce": gettext_lazy("WooCommerce export"),
    "cdnow": gettext_lazy("CDNOW sample"),
    "online_retail": gettext_lazy("Online Retail data set"),
}
FIELDS = {
    "order_id": gettext_lazy("Order number"),
    "customer_id": gettext_lazy("Customer number"),
    "email": gettext_lazy("E-mail"),
    "date": gettext_lazy("Date of the order"),
    "unit_price": gettext_lazy("Price of one"),
    "amount": gettext_lazy("Amount of the row, net"),
    "quantity": gettext_lazy("Quantity"),
    "product": gettext_lazy("Product number"),
    "product_name": gettext_lazy("Product name"),
    "unit_cost": gettext_lazy("Cost of one"),
    "discount": gettext_lazy("Discount"),
    "tax": gettext_lazy("Tax"),
    "shipping": gettext_lazy("Shipping"),
    "currency": gettext_lazy("Currency"),
    "status": gettext_lazy("Status"),
    "channel": gettext_lazy("Channel"),
    "name": gettext_lazy("Name of the customer"),
    "phone": gettext_lazy("Phone"),
    "country": gettext_lazy("Country"),
    "category": gettext_lazy("Product category"),
    "company": gettext_lazy("Company"),
    "street": gettext_lazy("Street and number"),
    "postcode": gettext_lazy("Postcode"),
    "city": gettext_lazy("City"),
    "region": gettext_lazy("Region"),
    "locale": gettext_lazy("Language"),
    "time_zone": gettext_lazy("Time zone"),
    "birthday": gettext_lazy("Birthday"),
    "contract_id": gettext_lazy("Contract number"),
    "plan": gettext_lazy("Plan"),
    "starts_on": gettext_lazy("First day"),
    "ends_on": gettext_lazy("Last day"),
    "term_months": gettext_lazy("Length of a term, months"),
    "value": gettext_lazy("Value of a term, net"),
    "renewals": gettext_lazy("Renewed so far, times"),
    "renews_automatically": gettext_lazy("Renews automatically, yes or no"),
    "agreed_on": gettext_lazy("Agreed on"),
    "cancelled_on": gettext_lazy("Cancelled on"),
    "reason": gettext_lazy("Reason of the cancellation"),
    "margin_rate": gettext_lazy("Margin rate, such as 0.35"),
    "is_billed_by_orders": gettext_lazy("Invoices come in as orders, yes or no"),
}


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What is in it"), choices=ImportBatch.Kind, widget=forms.RadioSelect)
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, CSV.gz or XLSX, up to 1 GB."),
        max_length=500,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.gz,.xlsx", "data-most-bytes": uploads.MOST_BYTES}),
    )

    def clean_file(self) -> Received:
        received: Received = self.cleaned_data["file"]
        if received.is_too_large:
            most, size = filesizeformat(uploads.MOST_BYTES), filesizeformat(received.size or 0)
            message = _("The file has %(size)s, and the limit is %(most)s. Split it, or use the import commands.")
            raise ValidationError(message % {"size": size, "most": most})
        return received


class MappingForm(forms.Form):
    """One choice for each column, named `column_0`, `column_1` …, and what holds for the whole file."""

    preset = forms.ChoiceField(label=gettext_lazy("Where the file comes from"))
    source = forms.CharField(
        label=gettext_lazy("Name of the source"),
        max_length=60,
        help_text=gettext_lazy(
            "The shop or system whose numbers these are. The same source again updates the same rows."
        ),
    )
    dates = forms.ChoiceField(
        label=gettext_lazy("Order of day and month"),
        required=False,
        choices=[
            ("", gettext_lazy("As the file shows by itself")),
            ("day", gettext_lazy("Day first: 31/12/2025")),
            ("month", gettext_lazy("Month first: 12/31/2025")),
        ],
    )
    sheet = forms.ChoiceField(label=gettext_lazy("Sheet"), required=False)

    def __init__(self, *args: Any, kind: str, seen: Preview, own: Sequence[Extra] = (), **options: Any) -> None:
        """`own`: fields of the business's own that columns can hold."""
        super().__init__(*args, **options)
        self.labels = FIELDS | {extra.name: extra.label for extra in own}
        self.header = seen.header
        presets = KINDS[kind]
        self.required = presets["generic"].required
        self._choices("preset", [(name, PRESETS[name]) for name in presets])
        self._choices("sheet", [(name, name) for name in seen.sheets])
        fields: list[tuple[str, Any]] = [("", _("leave out")), *((name, FIELDS[name]) for name in NAMES[kind])]
        if own:
            fields.append((_("Custom fields"), [(extra.name, extra.label) for extra in own]))
        for number, name in enumerate(seen.header):
            self.fields[f"column_{number}"] = forms.ChoiceField(label=name, required=False, choices=fields)

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        """A field that two columns claim is refused by name."""
        entered, claimed = self.cleaned_data, dict[str, str]()
        for number, column in enumerate(self.header):
            field = entered.get(f"column_{number}", "")
            if field and field in claimed and entered.get("preset") == "generic":
                message = _("“%(field)s” is chosen for two columns: “%(first)s” and “%(second)s”.")
                names = {"field": self.labels[field], "first": claimed[field], "second": column}
                self.add_error(f"column_{number}", message % names)
            elif field:
                claimed[field] = column
        self.mapping = claimed
        if entered.get("preset") == "generic":
            self._refuse_missing(set(claimed))
        return entered

    def _refuse_missing(self, claimed: set[str]) -> None:
        for group in self.required:
            if not claimed.intersection(group):
                names = _(" or ").join(f"“{FIELDS[field]}”" for field in group)
                self.add_error(None, _("No column is read as %(fields)s yet. Choose it.") % {"fields": names})

    @property
    def choice(self) -> Choice:
        entered = self.cleaned_data
        return Choice(
            preset=entered["preset"],
            source=entered["source"].strip(),
            mapping=self.mapping,
            sheet=entered["sheet"],
            day_first={"day": True, "month": False}.get(entered["dates"]),
        )
