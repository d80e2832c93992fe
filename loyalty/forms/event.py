"""An event as people write it."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms.guarded import Guarded
from customers.models import Customer
from loyalty.models import Event, Tier
from loyalty.models.perk import MOST_PLACES
from loyalty.selectors import cards
from loyalty.services.events import FIELDS, Plan

LOCAL = "%Y-%m-%dT%H:%M"
NAMED: Final = 3  # customers in a refusal
NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


def _moment(label: Any, help_text: Any = "") -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)
    return forms.DateTimeField(label=label, help_text=help_text, input_formats=[LOCAL, "%Y-%m-%d %H:%M"], widget=widget)


class EventForm(Guarded):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    place = forms.CharField(label=gettext_lazy("Place"), max_length=200, required=False)
    about = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    starts_at = _moment(gettext_lazy("Starts"))
    reply_by = _moment(gettext_lazy("Replies until"))
    visible_from = _moment(
        gettext_lazy("Visible from"), gettext_lazy("Tiers with early access see it some days before.")
    )
    tier = forms.ModelChoiceField(
        label=gettext_lazy("For"),
        queryset=Tier.objects.none(),
        required=False,
        empty_label=gettext_lazy("Every member"),
        help_text=gettext_lazy("This tier and those above it."),
    )
    places = forms.IntegerField(
        label=gettext_lazy("Places"),
        min_value=1,
        max_value=MOST_PLACES,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = Tier.objects.filter(retired_at=None).order_by("rank", "pk")
        self.fields["tier"].queryset = tiers  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts, reply, seen = (cleaned.get(name) for name in ("starts_at", "reply_by", "visible_from"))
        if starts and reply and reply > starts:
            self.add_error("reply_by", _("Replies end before the event starts."))
        if reply and seen and seen >= reply:
            self.add_error("visible_from", _("It has to be visible before replies end."))
        return cleaned

    def plan(self) -> Plan:
        return Plan(**{name: self.cleaned_data[name] for name in FIELDS})


def initial(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in FIELDS}


class GuestForm(forms.Form):
    """Somebody for whom the desk answers, as staff call her, or by the number in the address of her page."""

    customer = forms.CharField(
        label=gettext_lazy("Customer"),
        max_length=200,
        help_text=gettext_lazy("A part of the name, the e-mail address or the phone number."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_customer(self) -> Customer:
        text = self.cleaned_data["customer"]
        found = list(Customer.objects.filter(pk=int(text))) if NUMBER.fullmatch(text) else []
        found = found or cards.people(text)
        if not found:
            raise ValidationError(_("Nobody is found by “%(text)s”.") % {"text": text})
        if len(found) > 1:
            names = ", ".join(f"{one} ({one.pk})" for one in found[:NAMED])
            said = _("“%(text)s” may be %(names)s. Write the number.")
            raise ValidationError(said % {"text": text, "names": names})
        return found[0]
