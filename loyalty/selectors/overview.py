"""The programme at a glance: its rules and how many points there are."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum

from customers.models import Order
from loyalty.models import Account, EarningRule, Pause, Programme

LATEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """A rule and whether it holds now, will hold, or is over."""

    rule: EarningRule
    state: str  # on, ahead or over


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sums over all accounts. Points that time has decided about since they were last written are not in them yet."""

    accounts: int
    balance: int
    pending: int
    owed: int


def rules(at: datetime) -> list[RuleRow]:
    """Those that hold first, then those ahead, then those that are over, the latest first."""
    found = EarningRule.objects.select_related("product", "category", "segment").order_by("pk")
    rows = [RuleRow(rule=rule, state=_state(rule, at)) for rule in found]
    return sorted(rows, key=lambda row: ("on", "ahead", "over").index(row.state))


def _state(rule: EarningRule, at: datetime) -> str:
    if rule.ends_at is not None and rule.ends_at <= at:
        return "over"
    return "on" if rule.starts_at <= at else "ahead"


def orders_of_pause(row: Programme) -> int:
    """Paid orders of customers since the programme was paused; 0 while it is not."""
    if row.paused_at is None:
        return 0
    return Order.objects.filter(status="paid", customer__isnull=False, placed_at__gte=row.paused_at).count()


def pauses() -> list[Pause]:
    """Those that are over, the latest first."""
    return list(Pause.objects.order_by("-began_at", "-pk")[:LATEST])


def figures() -> Figures:
    told = Account.objects.aggregate(
        accounts=Count("pk", filter=Q(merged_into=None)),
        to_spend=Sum("balance", filter=Q(balance__gt=0), default=0),
        debts=Sum("balance", filter=Q(balance__lt=0), default=0),
        waiting=Sum("pending", default=0),
    )
    return Figures(accounts=told["accounts"], balance=told["to_spend"], pending=told["waiting"], owed=-told["debts"])
