"""What a customer wants for her points at the till."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty import naming
from loyalty.models.reward import MOST_POINTS

TOKEN: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
LONGEST_RECEIPT: Final = 200


def receipt_field(help_text: Any = "") -> forms.CharField:
    """The order that something is used on, as the shop calls it."""
    return forms.CharField(
        label=gettext_lazy("Receipt or order"),
        required=False,
        max_length=LONGEST_RECEIPT,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=help_text,
    )


class RedeemForm(forms.Form):
    """So many points, or a reward; `token` makes pressing the button twice one redemption."""

    points = forms.IntegerField(label=naming.later("%(Points)s"), required=False, min_value=1, max_value=MOST_POINTS)
    reward = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (cleaned["points"] is None) == (cleaned["reward"] is None):
            raise ValidationError(naming.said(_("Say how many %(points)s, or choose a reward.")))
        return cleaned


class ConfirmedForm(RedeemForm):
    points = forms.IntegerField(required=False, min_value=1, max_value=MOST_POINTS, widget=forms.HiddenInput)
    token = forms.CharField(widget=forms.HiddenInput)
    receipt = receipt_field()

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"]
        if not TOKEN.fullmatch(token):
            raise ValidationError(_("This form is not ours. Start again."))
        return token
