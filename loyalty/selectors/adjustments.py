"""Adjustments by hand: what waits for a second person, what became of the others, and what one would lead to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from loyalty import expiry
from loyalty.models import Adjustment
from loyalty.problems import InsufficientPoints
from loyalty.selectors import cards, points, programme

PAGE_ROWS: Final = 25
BACK: Final = "adjust:back:"
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
    """`balance`: what the customer can spend now; `expires_at`, if somebody agrees now, as in an outlook."""

    adjustment: Adjustment
    balance: int
    expires_at: datetime | None

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


def waiting_for(user_id: int) -> QuerySet[Adjustment]:
    """Those that somebody may decide on: not their own, and not those of programs whose keys they made."""
    own = Q(asked_by=user_id) | Q(asked_program__created_by=user_id)
    return waiting().exclude(pk__in=waiting().filter(own).values("pk"))


def waits(key: str) -> bool:
    return waiting().filter(key=key).exists()


def decided() -> QuerySet[Adjustment]:
    """All others, the latest first."""
    return Adjustment.objects.exclude(state=State.WAITING).order_by("-pk")


def page(found: QuerySet[Adjustment], *, number: str) -> Page[Adjustment]:
    people = ("customer", "asked_by", "asked_program", "decided_by", "decided_program")
    return Paginator(found.select_related(*people), PAGE_ROWS).get_page(number)


def with_balances(shown: Sequence[Adjustment], *, at: datetime) -> list[Row]:
    now = cards.balances([one.customer_id for one in shown], at=at)
    last = expiry.expires_at(programme.terms(programme.current()), active_at=at)
    return [
        Row(
            adjustment=one,
            balance=now.get(one.customer_id, 0),
            expires_at=last if one.points > 0 else None,
        )
        for one in shown
    ]


def to_take_back(customer_id: int, *, number: str) -> Adjustment | None:
    """The customer's adjustment of that number, if it was carried out."""
    if not (number.isascii() and number.isdecimal()):
        return None
    return Adjustment.objects.filter(customer=customer_id, state=State.DONE, pk=number[:18]).first()


def back_key(adjustment_id: int) -> str:
    """The key of what takes an adjustment back: once, whoever does it; what was declined can be asked for again."""
    first = f"{BACK}{adjustment_id}"
    tries = Adjustment.objects.filter(Q(key=first) | Q(key__startswith=f"{first}:"), state=State.REFUSED).count()
    return f"{first}:{tries}" if tries else first


def taken_back(customer_id: int) -> dict[State, set[int]]:
    """Of a customer, the adjustments that were taken back, by the state of what takes them back."""
    found = Adjustment.objects.filter(customer=customer_id, key__startswith=BACK).values_list("state", "key")
    backs: dict[State, set[int]] = {State.DONE: set(), State.WAITING: set(), State.REFUSED: set()}
    for state, key in found:
        backs[State(state)].add(int(key.removeprefix(BACK).split(":")[0]))
    return backs
