"""An action for points, as people write it. Its code is what programs call it, so it stays."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from core.forms.guarded import Guarded
from loyalty import naming
from loyalty.models import Action


class ActionForm(Guarded, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Action
        fields = ("name", "code", "points", "cap", "period", "is_on")
        labels = {
            "points": naming.later("%(Points)s"),
            "is_on": naming.later(gettext_lazy("Gives %(points)s")),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.label_suffix = ""
        for name in ("points", "cap"):
            self.fields[name].min_value = 1  # type: ignore[attr-defined]
            self.fields[name].widget.attrs["min"] = 1
        if self.instance.pk:
            self.fields["code"].disabled = True
