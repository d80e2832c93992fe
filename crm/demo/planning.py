"""What the demo's staff mean to do about some segments: retention plans, with an action that is due in a few days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db import transaction

from analytics.models import Plan, PlanAction
from analytics.services import plans
from analytics.services.plans import Action, Item
from core import money
from core.models import Business, Role, User
from customers.models import Customer

State = PlanAction.State


@dataclass(frozen=True)
class Aim:
    """A plan before there is anybody to own it. Days are counted from the day after the last one."""

    scheme: str
    slug: str
    name: str
    goal: str
    owner: Role
    budget: int  # main units a head and year
    actions: Sequence[tuple[str, State, int | None]]


AIMS: Final = [
    Aim(
        "rfm",
        "at-risk",
        "At risk",
        "Bring back one in five before they are gone.",
        Role.MARKETER,
        2,
        [
            ("Write to those who bought three times or more, by name", State.DOING, 4),
            ("Give them a code to come back", State.OPEN, 12),
            ("Ask ten of them on the phone why they stopped", State.DONE, -9),
        ],
    ),
    Aim(
        "value",
        "a",
        "A",
        "Keep nine in ten of them.",
        Role.MANAGER,
        2,
        [
            ("Invite them to the cupping evening", State.DONE, -18),
            ("A handwritten card with the December order", State.OPEN, 24),
            ("Agree with the roastery on first picks for them", State.DOING, 6),
        ],
    ),
    Aim(
        "tenure",
        "newcomers",
        "Newcomers",
        "A second order within 60 days from half of them.",
        Role.MARKETER,
        2,
        [
            ("Send brewing notes a week after the first parcel", State.OPEN, 17),
            ("Try a small sample in the first parcel", State.DROPPED, None),
        ],
    ),
]
GOALS: Final = [aim.goal for aim in AIMS]


@transaction.atomic
def plan(*, business: Business, until: date) -> int:
    """Returns how many plans were written: none where anybody has a plan, or no demo."""
    if not business.is_demo or Plan.objects.exists() or not Customer.objects.exists():
        return 0
    today, unit = until + timedelta(days=1), 10 ** money.exponent(business.currency)
    for aim in AIMS:
        plans.save(
            segment=plans.segment_row(scheme=aim.scheme, slug=aim.slug, name=aim.name),
            item=Item(
                goal=aim.goal,
                owner=User.objects.filter(role=aim.owner, is_active=True).order_by("pk").first(),
                budget_cents=aim.budget * unit,
                actions=[
                    Action(text=text, state=state, due_on=None if days is None else today + timedelta(days=days))
                    for text, state, days in aim.actions
                ],
            ),
        )
    return len(AIMS)


def clear() -> None:
    """A plan whose goal somebody has written anew is theirs."""
    Plan.objects.filter(goal__in=GOALS).delete()
