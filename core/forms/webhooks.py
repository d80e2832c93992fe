"""A webhook: where its messages go and what it is told of."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.models import Webhook
from core.webhooks import addresses, managing, words


def kind_choices() -> list[tuple[str, str]]:
    return [(kind.name, gettext(kind.told)) for kind in managing.kinds().values()]


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.URLInput({"placeholder": "https://shop.example.com/events", "autocomplete": "off"}),
        help_text=_("Each event is sent there by POST, as JSON."),
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=120,
        required=False,
        help_text=_("The program that listens, so that you know it again."),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        required=False,
        choices=kind_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: every kind, also those that come later."),
    )

    def __init__(self, *args: Any, webhook: Webhook | None = None, **options: Any) -> None:
        if webhook is not None:
            options["initial"] = {"url": webhook.url, "description": webhook.description, "events": webhook.events}
        super().__init__(*args, **options)

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            addresses.resolve(url, allowed=settings.WEBHOOK_NETWORKS)
        except addresses.Unknown:
            pass  # a name that is unknown today may be known when it is called
        except addresses.Forbidden as error:
            raise ValidationError(words.refusal(error.code), code=error.code) from None
        return url
