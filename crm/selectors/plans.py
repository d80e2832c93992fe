"""Retention plans beside the figures of their segments: is the budget worth it?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from django.db.models import Case, Value, When
from django.utils import timezone

from analytics import schemes
from analytics.models import Plan, PlanAction
from analytics.schemes import Scheme
from analytics.services.plans import Action
from core import edits
from core.models import Edit, Run, User
from crm import groups
from crm.groups import Group
from crm.selectors import segments
from crm.selectors.segments import SegmentState
from customers.models import Segment

OPEN: Final = (PlanAction.State.OPEN, PlanAction.State.DOING)
DUE_DAYS, DUE_SHOWN = 7, 8  # Today tells of actions so many days ahead, and of so many at most


@dataclass(frozen=True, kw_only=True)
class PlanState:
    """A segment's plan (None: nobody has written one) and what there is to gain per head."""

    group: Group
    plan: Plan | None
    state: SegmentState
    actions: Sequence[PlanAction] = field(default_factory=list)
    today: date

    @property
    def value_cents(self) -> int | None:
        """Expected value per head over the next 365 days."""
        return self.state.average_cents

    @property
    def risk_cents(self) -> int | None:
        """Of that, what is at risk: the most that keeping them can gain."""
        return round(self.state.at_risk_cents / self.state.customers) if self.state.customers else None

    @property
    def budget_cents(self) -> int | None:
        return self.plan.budget_cents if self.plan else None

    @property
    def total_cents(self) -> int | None:
        """The budget for everybody who is in the segment now."""
        return None if self.budget_cents is None else self.budget_cents * self.state.customers

    @property
    def warning(self) -> str:
        """`value` where the budget exceeds all that is expected, `risk` where it exceeds what can be lost."""
        if not self.budget_cents or self.value_cents is None or self.risk_cents is None:
            return ""
        if self.budget_cents > self.value_cents:
            return "value"
        return "risk" if self.budget_cents > self.risk_cents else ""

    @property
    def open_actions(self) -> list[PlanAction]:
        return [one for one in self.actions if one.state in OPEN]

    @property
    def late(self) -> list[PlanAction]:
        return [one for one in self.open_actions if one.due_on and one.due_on < self.today]

    @property
    def next_due(self) -> date | None:
        return min((one.due_on for one in self.open_actions if one.due_on), default=None)

    @property
    def done(self) -> int:
        return sum(one.state == PlanAction.State.DONE for one in self.actions)


def of_group(group: Group, *, state: SegmentState) -> PlanState:
    """At most two queries."""
    found = Plan.objects.filter(segment__scheme=group.scheme.slug, segment__slug=group.slug)
    plan = found.select_related("owner").first()
    actions = list(plan.actions.order_by("position")) if plan else []
    return PlanState(group=group, plan=plan, state=state, actions=actions, today=timezone.localdate())


def all_plans(run: Run) -> list[PlanState]:
    """Every plan, those with something late first, then by what is at stake."""
    plans = Plan.objects.select_related("owner", "segment").prefetch_related("actions").order_by("pk")
    known = {(scheme.slug, group.slug): group for scheme in schemes.ALL for group in groups.of(scheme)}
    found = [
        _state(run, known[one.segment.scheme, one.segment.slug], one)
        for one in plans
        if (one.segment.scheme, one.segment.slug) in known
    ]
    return sorted(found, key=lambda one: (-len(one.late), -one.state.clv_cents))


def _state(run: Run, group: Group, plan: Plan) -> PlanState:
    actions = sorted(plan.actions.all(), key=lambda one: one.position)
    return PlanState(
        group=group, plan=plan, state=segments.state(run, group), actions=actions, today=timezone.localdate()
    )


@dataclass(frozen=True, kw_only=True)
class Due:
    """An action that waits to be done, and whose it is."""

    action: PlanAction
    is_own: bool
    is_late: bool

    @property
    def plan(self) -> Plan:
        return self.action.plan

    @property
    def scheme(self) -> Scheme | None:
        return groups.scheme_of(self.plan.segment.scheme)


def due(*, user: User, today: date) -> list[Due]:
    """Actions of the next days and those that are late: the user's own first, then by day. One query."""
    waiting = PlanAction.objects.filter(state__in=OPEN, due_on__lte=today + timedelta(days=DUE_DAYS))
    is_own = Case(When(plan__owner=user, then=Value(0)), default=Value(1))
    found = waiting.select_related("plan__segment", "plan__owner").order_by(is_own, "due_on", "pk")
    return [
        Due(action=one, is_own=one.plan.owner_id == user.pk, is_late=one.due_on is not None and one.due_on < today)
        for one in found[:DUE_SHOWN]
    ]


def edits_of(plan: Plan) -> Sequence[Edit]:
    """The latest edits of a plan, the newest first."""
    return list(edits.of(Plan, plan.pk).select_related("user")[: edits.PAGE_EDITS])


def actions_of(plan: Plan | None) -> list[Action]:
    """The plan's actions as its form takes them."""
    rows = plan.actions.order_by("position") if plan else PlanAction.objects.none()
    return [Action(text=row.text, state=row.state, due_on=row.due_on) for row in rows]


def group_of(segment: Segment) -> Group | None:
    scheme = groups.scheme_of(segment.scheme)
    return groups.find(scheme, segment.slug) if scheme else None
