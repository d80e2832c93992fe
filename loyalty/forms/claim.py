"""The code of a friend, as a new customer says it at the counter."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ClaimForm(forms.Form):
    code = forms.CharField(
        label=_("Code of the friend"),
        max_length=64,
        help_text=_("Letters that look like digits, case and dashes make no difference."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}),
    )
