"""A customer as people edit it."""

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms.guarded import Guarded
from customers import birthdays, places
from customers.forms.fields import SeveralField
from customers.importing import contacts, persons
from customers.models import Company, Customer, CustomField
from customers.services import custom
from customers.services.persons import Person

NUMBERED = re.compile(r"(.*\S)\s+#(\d+)")
TEXTS = ("name", "channel", "street", "postcode", "city", "region", "country", "locale", "time_zone")


class CustomerForm(Guarded):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    company = forms.CharField(
        label=gettext_lazy("Company"),
        required=False,
        max_length=220,
        widget=forms.TextInput(attrs={"list": "companies", "autocomplete": "off"}),
    )
    emails = SeveralField(
        label=gettext_lazy("E-mail"),
        read=contacts.email,
        refusal=gettext_lazy("“%(text)s” is not an e-mail address. Write one such as name@example.com."),
    )
    phones = SeveralField(
        label=gettext_lazy("Phone"),
        read=contacts.phone,
        refusal=gettext_lazy("“%(text)s” is not a phone number. Write one such as +491701234567."),
    )
    channel = forms.CharField(label=gettext_lazy("Came by"), required=False, max_length=60)
    street = forms.CharField(label=gettext_lazy("Street and number"), required=False, max_length=places.LONGEST_STREET)
    postcode = forms.CharField(label=gettext_lazy("Postcode"), required=False, max_length=places.LONGEST_POSTCODE)
    city = forms.CharField(label=gettext_lazy("City"), required=False, max_length=80)
    region = forms.CharField(label=gettext_lazy("Region"), required=False, max_length=places.LONGEST_REGION)
    country = forms.CharField(label=gettext_lazy("Country"), required=False, max_length=60)
    locale = forms.RegexField(
        f"^{persons.LOCALE.pattern}$",
        label=gettext_lazy("Language"),
        required=False,
        max_length=12,
        error_messages={"invalid": gettext_lazy("Write a language such as en or de-AT.")},
    )
    birthday = forms.CharField(
        label=gettext_lazy("Birthday"),
        required=False,
        max_length=birthdays.LONGEST,
        help_text=gettext_lazy("Year, month and day, such as 1990-03-14, or 03-14 without the year."),
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)

    def __init__(self, *args: Any, custom_fields: Sequence[CustomField] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.custom_fields = custom_fields
        self.fields |= {f"custom_{one.key}": _field(one) for one in custom_fields}
        zones = sorted(zoneinfo.available_timezones())
        self.fields["time_zone"].choices = [("", "–"), *((zone, zone) for zone in zones)]  # type: ignore[attr-defined]

    def full_clean(self) -> None:
        """Phones are read as in the country that is written beside them."""
        if self.is_bound:
            region = contacts.region_of(str(self.data.get("country", "")).strip())
            self.fields["phones"].read = partial(contacts.phone, region=region)  # type: ignore[attr-defined]
        super().full_clean()

    def clean_birthday(self) -> str:
        try:
            return birthdays.read(self.cleaned_data["birthday"])
        except ValueError as error:
            raise ValidationError(_("This is no day. Write one such as 1990-03-14 or 03-14.")) from error

    def clean_company(self) -> Company | None:
        return company_of(self.cleaned_data["company"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for one in self.custom_fields:
            name = f"custom_{one.key}"
            try:
                cleaned[name] = custom.clean(one, cleaned.get(name))
            except custom.BadValue as error:
                self.add_error(name, str(error))
        return cleaned

    def person(self, before: Mapping[str, object]) -> Person:
        """`before`: the values of all custom fields, those out of use too."""
        told = self.cleaned_data
        changes = {one.key: told[f"custom_{one.key}"] for one in self.custom_fields}
        return Person(
            **{name: told[name] for name in (*TEXTS, "company", "emails", "phones", "birthday")},
            custom=custom.merge(before, changes),
        )


def initial(customer: Customer, *, emails: Sequence[str], phones: Sequence[str]) -> dict[str, Any]:
    """The record's values as the form's."""
    values: dict[str, Any] = {name: getattr(customer, name) for name in TEXTS}
    values |= {"emails": list(emails), "phones": list(phones), "birthday": birthdays.shown(customer.birthday)}
    values["company"] = "" if customer.company is None else numbered(customer.company)
    shown = {f"custom_{key}": _shown(value) for key, value in customer.custom.items()}
    return values | shown


def numbered(company: Company) -> str:
    """`Acme #12`: names of companies are not unique."""
    return f"{company.name} #{company.pk}"


def company_of(text: str) -> Company | None:
    """The company by its name, or by name and number. Raises ValidationError for none and for several."""
    if not text:
        return None
    if match := NUMBERED.fullmatch(text):
        found = list(Company.objects.filter(pk=int(match[2][:18]), name=match[1]))
    else:
        found = list(Company.objects.filter(name__iexact=text).order_by("pk")[:2])
    if not found:
        raise ValidationError(_("There is no company “%(name)s” yet. Add it first.") % {"name": text})
    if len(found) > 1:
        raise ValidationError(
            _("Several companies have this name. Write it with its number, such as %(name)s.")
            % {"name": numbered(found[0])}
        )
    return found[0]


def _field(one: CustomField) -> forms.Field:
    """What the field is edited by. Its rules are customers.services.custom's."""
    if one.kind == CustomField.Kind.YES_NO:
        pairs = [("", "–"), ("yes", _("yes")), ("no", _("no"))]
        return forms.ChoiceField(label=one.label, required=False, choices=pairs)
    if one.kind == CustomField.Kind.CHOICE:
        return forms.ChoiceField(
            label=one.label, required=False, choices=[("", "–"), *((word, word) for word in one.choices)]
        )
    widget = forms.TextInput(attrs={"type": "date"} if one.kind == CustomField.Kind.DATE else {})
    return forms.CharField(label=one.label, required=False, widget=widget)


def _shown(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
