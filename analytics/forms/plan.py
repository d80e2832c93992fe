from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from analytics.models import PlanAction
from analytics.services.plans import Action, Item
from core import money
from core.forms.guarded import Beside, Guarded
from core.models import Role, User
from customers.forms.fields import AmountField

OWNERS: Final = (Role.ADMIN, Role.MANAGER, Role.MARKETER, Role.AGENT)
MOST_ACTIONS: Final = 20
EMPTY_ROWS: Final = 3


class PlanForm(Guarded):
    goal = forms.CharField(
        label=_("Goal"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What is to be different for these customers, and by when."),
    )
    owner = forms.ModelChoiceField(label=_("Owner"), queryset=User.objects.none(), required=False)
    budget = AmountField(
        label=_("Budget per customer and year"),
        required=False,
        help_text=_("Everything that the plan costs, divided by the customers of the segment."),
    )
    notes = forms.CharField(label=_("Notes"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["budget"].currency = currency  # type: ignore[attr-defined]
        people = User.objects.filter(is_active=True, role__in=OWNERS).order_by("name", "email")
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]

    def item(self, actions: Sequence[Action]) -> Item:
        told, budget = self.cleaned_data, self.cleaned_data["budget"]
        cents = None if budget is None else int(budget.scaleb(money.exponent(self.currency)))
        return Item(goal=told["goal"], owner=told["owner"], budget_cents=cents, notes=told["notes"], actions=actions)


class ActionForm(forms.Form):
    text = forms.CharField(label=_("Action"), required=False, max_length=200)
    state = forms.ChoiceField(
        label=_("State"), choices=PlanAction.State.choices, initial=PlanAction.State.OPEN, required=False
    )
    due_on = forms.DateField(
        label=_("Due"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


ActionRows = forms.formset_factory(
    ActionForm, extra=EMPTY_ROWS, can_order=True, max_num=MOST_ACTIONS, absolute_max=MOST_ACTIONS + EMPTY_ROWS
)


def actions_of(rows: Any) -> list[Action]:
    """The actions of valid rows in their order; an emptied row is none."""
    told = [row.cleaned_data for row in rows.forms if row.cleaned_data.get("text", "").strip()]
    told.sort(key=lambda one: (one.get("ORDER") is None, one.get("ORDER") or 0))
    return [
        Action(text=one["text"].strip(), state=one["state"] or PlanAction.State.OPEN, due_on=one["due_on"])
        for one in told
    ]


def initial(actions: Sequence[Action]) -> list[dict[str, Any]]:
    return [{"text": one.text, "state": one.state, "due_on": one.due_on} for one in actions]


def beside(current: Sequence[Action], yours: Sequence[Action]) -> dict[str, Beside]:
    """The actions as one thing that two people may have changed (core.conflicts)."""
    return {"actions": Beside(label=str(_("Actions")), current=_texts(current), yours=_texts(yours))}


def _texts(actions: Sequence[Action]) -> list[str]:
    return [
        f"{one.text} ({PlanAction.State(one.state).label}{f', {one.due_on}' if one.due_on else ''})" for one in actions
    ]
