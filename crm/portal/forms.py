"""What customers fill in."""

import zoneinfo
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import birthdays, places
from customers.importing import contacts
from customers.importing.problems import ValueProblem
from customers.models import Consent
from customers.places import Place

LONGEST_PAUSE: Final = timedelta(days=365)


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "autofocus": True}),
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class NewAddressForm(AddressForm):
    email = forms.EmailField(
        label=_("New e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "autofocus": True}),
    )

    def __init__(self, *args: Any, own: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.own = own

    def clean_email(self) -> str:
        address = super().clean_email()
        if address == self.own:
            raise ValidationError(gettext("You sign in with this address already."))
        return address


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
    street = forms.CharField(
        label=_("Street and number"),
        required=False,
        max_length=places.LONGEST_STREET,
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )
    postcode = forms.CharField(
        label=_("Postcode"),
        required=False,
        max_length=places.LONGEST_POSTCODE,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    city = forms.CharField(
        label=_("City"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )
    region = forms.CharField(
        label=_("Region"),
        required=False,
        max_length=places.LONGEST_REGION,
        widget=forms.TextInput(attrs={"autocomplete": "address-level1"}),
    )
    country = forms.CharField(
        label=_("Country"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "country-name"}),
    )
    birthday = forms.CharField(
        label=_("Birthday"),
        required=False,
        max_length=birthdays.LONGEST,
        help_text=_("Year, month and day, such as 1990-03-14, or 03-14 without the year."),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), required=False, help_text=_("So that no message comes in the middle of your night.")
    )

    def __init__(self, *args: Any, country: str = "", has_birthday: bool = False, **options: Any) -> None:
        """A birthday that is known is not asked for: gifts hang on it, so the shop changes it."""
        super().__init__(*args, **options)
        if has_birthday:
            del self.fields["birthday"]
        self.phone_region = contacts.region_of(country)
        zones = sorted(zoneinfo.available_timezones())
        self.fields["language"].choices = [("", _("As the browser says")), *settings.LANGUAGES]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [("", "–"), *((zone, zone) for zone in zones)]  # type: ignore[attr-defined]

    def clean_birthday(self) -> str:
        try:
            return birthdays.read(self.cleaned_data["birthday"])
        except ValueError as error:
            raise ValidationError(gettext("This is no day. Write one such as 1990-03-14 or 03-14.")) from error

    @property
    def place(self) -> Place:
        return Place(**{name: self.cleaned_data[name] for name in Place._fields})

    def clean_phone(self) -> str:
        text = str(self.cleaned_data["phone"])
        try:
            return contacts.phone(text, region=self.phone_region) if text else ""
        except ValueProblem as error:
            refusal = gettext("“%(text)s” is not a phone number. Write one such as +491701234567.") % {"text": text}
            raise ValidationError(refusal) from error


class PreferencesForm(forms.Form):
    """On which ways offers and news may come, and until when none do."""

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        for value, label in Consent.Channel.choices:
            self.fields[value] = forms.BooleanField(label=label, required=False)
        self.fields["until"] = forms.DateField(
            label=_("None at all until"),
            required=False,
            validators=[MinValueValidator(today), MaxValueValidator(today + LONGEST_PAUSE)],
            help_text=_("Such as a holiday. Leave it empty to hear from us."),
            widget=forms.DateInput(
                attrs={"type": "date", "min": today.isoformat(), "max": (today + LONGEST_PAUSE).isoformat()},
                format="%Y-%m-%d",
            ),
            error_messages={
                "min_value": _("This day is over."),
                "max_value": _("Choose a day within a year."),
            },
        )

    @property
    def ways(self) -> list[forms.BoundField]:
        return [self[value] for value in Consent.Channel.values]

    @property
    def told(self) -> dict[str, bool]:
        return {value: self.cleaned_data[value] for value in Consent.Channel.values}


class RedeemForm(forms.Form):
    token = forms.UUIDField(widget=forms.HiddenInput)
