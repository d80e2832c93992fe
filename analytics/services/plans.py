"""Retention plans: one for each segment, made by the first save."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import transaction

from analytics.models import Plan, PlanAction
from core.models import User
from customers.models import Segment

FIELDS: Final = ("goal", "owner", "budget_cents", "notes")


@dataclass(frozen=True, kw_only=True)
class Action:
    text: str
    state: str = PlanAction.State.OPEN
    due_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """What people write of a plan, the actions in their order."""

    goal: str = ""
    owner: User | None = None
    budget_cents: int | None = None
    notes: str = ""
    actions: Sequence[Action] = ()


def segment_row(*, scheme: str, slug: str, name: str) -> Segment:
    """The segment that a plan is for: there before the first night has named it."""
    return Segment.objects.get_or_create(scheme=scheme, slug=slug, defaults={"name": name})[0]


def locked(*, segment: Segment) -> Plan | None:
    """The segment's plan under a lock, which its first save waits for, too. Call it in a transaction."""
    Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    return Plan.objects.filter(segment=segment).first()


@transaction.atomic
def save(*, segment: Segment, item: Item) -> Plan:
    """Write the plan and its actions; only what differs is an edit."""
    told = {name: getattr(item, name) for name in FIELDS}
    plan = locked(segment=segment)
    if plan is None:
        plan = Plan.objects.create(segment=segment, **told)
    else:
        for name, value in told.items():
            setattr(plan, name, value)
        plan.save(update_fields=FIELDS)
    _save_actions(plan, item.actions)
    return plan


def _save_actions(plan: Plan, wanted: Sequence[Action]) -> None:
    """Rows keep their text, so that the history says who moved, did or dropped which action."""
    left = list(plan.actions.order_by("position"))
    for position, action in enumerate(wanted, start=1):
        row = next((one for one in left if one.text == action.text), None)
        if row is None:
            plan.actions.create(position=position, text=action.text, state=action.state, due_on=action.due_on)
            continue
        left.remove(row)
        told = {"position": position, "state": action.state, "due_on": action.due_on}
        changed = [name for name, value in told.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, told[name])
        if changed:
            row.save(update_fields=changed)
    PlanAction.objects.filter(pk__in=[one.pk for one in left]).delete()
