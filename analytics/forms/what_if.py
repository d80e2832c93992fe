from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.models import Scenario
from analytics.models.scenario import LIMITS
from analytics.selectors import whom
from analytics.selectors.whom import Whom
from analytics.services.scenarios import Item
from core.forms.guarded import Guarded

LABELS: Final = {
    "leaving": gettext_lazy("Customers who leave"),
    "frequency": gettext_lazy("Orders a year"),
    "order_value": gettext_lazy("Order value"),
    "margin_rate": gettext_lazy("Margin rate"),
    "acquisition_cost": gettext_lazy("Acquisition cost"),
}
HELPS: Final = {
    "leaving": gettext_lazy("Below zero more customers stay."),
    "frequency": gettext_lazy("How often customers order while they stay."),
    "order_value": gettext_lazy("What an order brings, at the same margin rate."),
    "margin_rate": gettext_lazy("Margin over revenue, never more than all of it."),
    "acquisition_cost": gettext_lazy("What it costs to win a customer. It moves payback alone."),
}


class LeverField(forms.DecimalField):
    """A change in per cent; nothing written is no change."""

    def __init__(self, lever: str) -> None:
        low, high = LIMITS[lever]
        self.lever = lever
        attrs = {
            "step": "any",
            "min": low,
            "max": high,
            "inputmode": "decimal",
            "autocomplete": "off",
            "data-lever": "",
        }
        super().__init__(
            label=LABELS[lever],
            help_text=HELPS[lever],
            required=False,
            initial=Decimal(0),
            widget=forms.NumberInput(attrs=attrs),
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value

    def clean(self, value: Any) -> Decimal:
        low, high = LIMITS[self.lever]
        refused = ValidationError(
            _("%(lever)s: write a change from %(low)s to %(high)s, such as 10 or -10.")
            % {"lever": self.label, "low": low, "high": high},
            code="range",
        )
        try:
            number = super().clean(value)
        except ValidationError as error:
            raise refused from error
        if number is not None and not low <= number <= high:
            raise refused
        return round(number or Decimal(0), 1)


class WhomField(forms.ChoiceField):
    """Everybody, or a segment of a scheme; `choices` are set by the form."""

    def __init__(self) -> None:
        super().__init__(label=gettext_lazy("For"), required=False)

    def clean(self, value: Any) -> Whom:
        found = whom.read(str(value or ""))
        if found is None:
            raise ValidationError(_("This segment is not there any more. Choose another one."), code="gone")
        return found


class Levers(forms.Form):
    of = WhomField()
    leaving = LeverField("leaving")
    frequency = LeverField("frequency")
    order_value = LeverField("order_value")
    margin_rate = LeverField("margin_rate")
    acquisition_cost = LeverField("acquisition_cost")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [(label, [(one.value, one.label) for one in own]) for label, own in whom.choices()]
        self.fields["of"].choices = [("", _("All customers")), *groups]  # type: ignore[attr-defined]

    @property
    def changes(self) -> dict[str, Decimal]:
        return {lever: self.cleaned_data[lever] for lever in LIMITS}

    @property
    def levers(self) -> list[forms.BoundField]:
        return [self[lever] for lever in LIMITS]


class LeversForm(Levers):
    """What stands in the address; what is not there stays where it is."""

    def __init__(self, data: QueryDict) -> None:
        told = {name: data[name] for name in ("of", *LIMITS) if data.get(name)}
        super().__init__(dict.fromkeys(LIMITS, "0") | told)


class ScenarioForm(Guarded, Levers):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What would have to be done for it, or where the numbers come from."),
    )
    field_order = ("made_from", "name", "note", "of", *LIMITS)

    @property
    def words(self) -> list[forms.BoundField]:
        return [self["name"], self["note"], self["of"]]

    def item(self) -> Item:
        told, chosen = self.cleaned_data, self.cleaned_data["of"]
        return Item(name=told["name"], note=told["note"], scheme=chosen.scheme, slug=chosen.slug, changes=self.changes)

    def with_levers(self, data: QueryDict) -> "ScenarioForm":
        """The form as a person would have it who has just written these levers into it."""
        shown = QueryDict(mutable=True)
        for name, texts in self._current().items():
            shown.setlist(name, texts)
        shown["made_from"] = str(self.get_initial_for_field(self.fields["made_from"], "made_from"))
        for name in ("of", *LIMITS):
            if name in data:
                shown[name] = data.get(name, "")
        return ScenarioForm(shown, initial=self.initial)


def initial(scenario: Scenario) -> dict[str, Any]:
    of = f"{scenario.scheme}:{scenario.slug}" if scenario.scheme else ""
    own = {lever: Decimal(getattr(scenario, lever)) for lever in LIMITS}
    return {"name": scenario.name, "note": scenario.note, "of": of, **own}


def from_address(data: QueryDict) -> dict[str, Any]:
    """The levers that the simulator hands on, as far as they can be read."""
    form = LeversForm(data)
    form.is_valid()
    told = {lever: form.cleaned_data.get(lever, Decimal(0)) for lever in LIMITS}
    chosen = form.cleaned_data.get("of")
    return {"of": chosen.value if chosen else "", **told}
