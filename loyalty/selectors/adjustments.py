"""Adjustments by hand: what waits for a second person, what became of the others, and what one would lead to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from loyalty import expiry
from loyalty.models import Adjustment
from loyalty.problems import InsufficientPoints
from loyalty.selectors import cards, points, programme

PAGE_ROWS: Final = 25
State = Adjustment.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What an adjustment leads to: `expires_at` is None for points that are taken, and for points that never do."""

    balance: int
    after: int
    waits: bool
    limit: int
    expires_at: datetime | None

    @property
    def taken(self) -> int:
        return self.balance - self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`balance`: what the customer can spend now."""

    adjustment: Adjustment
    balance: int

    @property
    def after(self) -> int:
        return self.balance + self.adjustment.points


def outlook(customer_id: int, *, amount: int, at: datetime) -> Outlook:
    """Raises InsufficientPoints where more would be taken than there is."""
    balance, row = points.standing(customer_id=customer_id, at=at).balance, programme.current()
    if amount < 0 and balance + amount < 0:
        raise InsufficientPoints(balance=balance)
    return Outlook(
        balance=balance,
        after=balance + amount,
        waits=abs(amount) > row.adjust_limit,
        limit=row.adjust_limit,
        expires_at=expiry.expires_at(programme.terms(row), active_at=at) if amount > 0 else None,
    )


def waiting(customer_id: int | None = None) -> QuerySet[Adjustment]:
    """Those that wait for a second person, the oldest first: of one customer, or of all."""
    found = Adjustment.objects.filter(state=State.WAITING).order_by("asked_at", "pk")
    return found if customer_id is None else found.filter(customer=customer_id)


def decided() -> QuerySet[Adjustment]:
    """All others, the latest first."""
    return Adjustment.objects.exclude(state=State.WAITING).order_by("-pk")


def page(found: QuerySet[Adjustment], *, number: str) -> Page[Adjustment]:
    return Paginator(found.select_related("customer", "asked_by", "decided_by"), PAGE_ROWS).get_page(number)


def with_balances(shown: Sequence[Adjustment], *, at: datetime) -> list[Row]:
    now = cards.balances([one.customer_id for one in shown], at=at)
    return [Row(adjustment=one, balance=now.get(one.customer_id, 0)) for one in shown]
