from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import CustomField


class FieldForm(forms.Form):
    label = forms.CharField(label=gettext_lazy("Label"), max_length=60)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=CustomField.Kind.choices)
    choices = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("For a choice only: one on each line."),
    )
    position = forms.IntegerField(label=gettext_lazy("Position"), required=False, min_value=0, max_value=1000)

    def __init__(self, *args: Any, field: CustomField | None = None, **kwargs: Any) -> None:
        """With `field` its kind stays: values are kept in the way of their kind."""
        super().__init__(*args, **kwargs)
        if field is None:
            del self.fields["position"]
        else:
            self.fields["kind"].disabled = True

    def clean_choices(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["choices"].splitlines()]
        found = list(dict.fromkeys(line for line in lines if line))
        if any(len(line) > 80 for line in found):
            raise forms.ValidationError(_("A choice has at most 80 characters."))
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") != CustomField.Kind.CHOICE:
            cleaned["choices"] = []
        elif not cleaned.get("choices") and "choices" not in self.errors:
            self.add_error("choices", _("Write at least one choice."))
        return cleaned


def initial(field: CustomField) -> dict[str, Any]:
    values = {name: getattr(field, name) for name in ("label", "kind", "position")}
    return values | {"choices": "\n".join(field.choices)}
