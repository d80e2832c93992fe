"""What staff write when they give or take points by hand."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty import naming
from loyalty.models import Adjustment
from loyalty.models.adjustment import LONGEST_REASON
from loyalty.models.ledger import LARGEST
from loyalty.problems import PointsOverflow
from loyalty.selectors import adjustments

TOKEN: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


class AdjustForm(forms.Form):
    """`token` makes a second press the same adjustment; `back` is the number of one that is taken back.

    That one decides on the points, whatever a browser sends.
    """

    points = forms.IntegerField(
        label=naming.later("%(Points)s"), help_text=gettext_lazy("Above zero gives, below zero takes away.")
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("For your colleagues and the audit: the customer does not see it."),
        error_messages={"required": gettext_lazy("Say why.")},
    )
    token = forms.CharField(widget=forms.HiddenInput)
    back = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, one: Adjustment | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.one = one
        if one is not None:
            self.fields["points"].disabled = True
            self.initial = {**self.initial, "points": -one.points, "back": one.pk}

    def clean(self) -> None:
        back = self.cleaned_data.get("back")
        if back and (self.one is None or self.one.pk != back):
            raise ValidationError(_("This form is not ours. Start again."))

    def clean_points(self) -> int:
        points: int = self.cleaned_data["points"]
        if not points:
            raise ValidationError(_("Nothing would change: above zero gives, below zero takes away."))
        if abs(points) > LARGEST:
            raise ValidationError(str(PointsOverflow()))
        return points

    def clean_reason(self) -> str:
        return " ".join(self.cleaned_data["reason"].split())

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"]
        if not TOKEN.fullmatch(token):
            raise ValidationError(_("This form is not ours. Start again."))
        return token

    @property
    def key(self) -> str:
        """Of a valid form: what is taken back is taken back once, whoever presses the button."""
        back, token = self.cleaned_data["back"], self.cleaned_data["token"]
        return adjustments.back_key(back) if back else f"adjust:desk:{token}"
