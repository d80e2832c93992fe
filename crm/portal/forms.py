"""What customers fill in."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import birthdays
from customers.importing import contacts
from customers.importing.problems import ValueProblem


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "autofocus": True}),
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class FriendForm(AddressForm):
    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )


class ProfileForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    birthday = forms.CharField(
        label=_("Birthday"),
        required=False,
        max_length=birthdays.LONGEST,
        help_text=_("Year, month and day, such as 1990-03-14, or 03-14 without the year."),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, country: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.region = contacts.region_of(country)
        zones = sorted(zoneinfo.available_timezones())
        self.fields["language"].choices = [("", _("As the browser says")), *settings.LANGUAGES]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [("", "–"), *((zone, zone) for zone in zones)]  # type: ignore[attr-defined]

    def clean_birthday(self) -> str:
        try:
            return birthdays.read(self.cleaned_data["birthday"])
        except ValueError as error:
            raise ValidationError(gettext("This is no day. Write one such as 1990-03-14 or 03-14.")) from error

    def clean_phone(self) -> str:
        text = str(self.cleaned_data["phone"])
        try:
            return contacts.phone(text, region=self.region) if text else ""
        except ValueProblem as error:
            refusal = gettext("“%(text)s” is not a phone number. Write one such as +491701234567.") % {"text": text}
            raise ValidationError(refusal) from error


class RedeemForm(forms.Form):
    token = forms.UUIDField(widget=forms.HiddenInput)
