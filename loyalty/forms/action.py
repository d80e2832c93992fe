"""An action for points, as people write it. Its code is what programs call it, so it stays."""

from typing import Any

from django import forms

from loyalty.models import Action


class ActionForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Action
        fields = ("name", "code", "points", "cap", "period", "is_on")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.label_suffix = ""
        for name in ("points", "cap"):
            self.fields[name].min_value = 1  # type: ignore[attr-defined]
            self.fields[name].widget.attrs["min"] = 1
        if self.instance.pk:
            self.fields["code"].disabled = True
