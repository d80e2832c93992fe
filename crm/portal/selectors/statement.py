"""Every change of a customer's points in plain words, with the balance after it, and the batches that are left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.retelling import retold
from customers.models import Customer, Order
from loyalty.days import last_day
from loyalty.models import Lot, Posting
from loyalty.selectors import points

Kind = Posting.Kind
PAGE_LINES: Final = 30
FILTERS: Final[Mapping[str, tuple[Promise, tuple[Kind, ...]]]] = {
    "": (_("All"), tuple(Kind)),
    "earned": (_("Earned"), (Kind.EARN, Kind.ACTIVATE)),
    "spent": (_("Spent"), (Kind.REDEEM, Kind.HOLD, Kind.COMMIT, Kind.RELEASE, Kind.GIVE_BACK)),
    "lost": (_("Expired or taken back"), (Kind.EXPIRE, Kind.REVERSE)),
    "other": (_("Other"), (Kind.ADJUST, Kind.MERGE)),
}
WORDS: Final[Mapping[Kind, Promise]] = {
    Kind.EARN: _("Earned"),
    Kind.ACTIVATE: _("Ready to spend"),
    Kind.REDEEM: _("Redeemed"),
    Kind.HOLD: _("Set aside"),
    Kind.RELEASE: _("No longer set aside"),
    Kind.COMMIT: _("Redeemed what was set aside"),
    Kind.EXPIRE: _("Expired"),
    Kind.REVERSE: _("Taken back after a refund"),
    Kind.GIVE_BACK: _("Given back"),
    Kind.ADJUST: _("Corrected by hand"),
    Kind.MERGE: _("Moved from another account"),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """`points` changes what can be spent, `pending` what will be later; `balance` is what could be spent after it."""

    at: datetime
    what: Promise
    why: str
    order_number: str
    points: int
    pending: int
    balance: int


@dataclass(frozen=True, kw_only=True)
class Batch:
    left: int
    of: int
    earned_at: datetime
    active_at: datetime
    expires_at: datetime | None
    is_pending: bool

    @property
    def last_day(self) -> date | None:
        return last_day(self.expires_at) if self.expires_at else None


def lines(customer: Customer, *, chosen: str, page: str) -> tuple[Page[Posting], list[Line]]:
    """One page, the latest first. `chosen` is one of FILTERS; what is none of them is all."""
    kinds = FILTERS.get(chosen, FILTERS[""])[1]
    whole = points.statement(customer_id=customer.pk)
    empty = Q(kind=Kind.MERGE, points=0, pending_points=0)  # of two numbers one had no points
    shown = Paginator(whole.filter(kind__in=kinds).exclude(empty), PAGE_LINES).get_page(page)
    rows = list(points.with_balance(shown.object_list, whole))  # type: ignore[arg-type]
    numbers = dict(
        Order.objects.filter(customer=customer, pk__in=[row.order_id for row in rows]).values_list("pk", "external_id")
    )
    return shown, [_line(row, numbers) for row in rows]


def _line(row: Posting, numbers: Mapping[int, str]) -> Line:
    return Line(
        at=row.at,
        what=WORDS[Kind(row.kind)],
        why=retold(row.reason),
        order_number=numbers.get(row.order_id or 0, ""),
        points=row.points,
        pending=row.pending_points,
        balance=row.balance,  # type: ignore[attr-defined]
    )


def batches(customer: Customer, *, at: datetime) -> list[Batch]:
    """What is left of what came together, in the order in which it is spent."""
    mine = points.standing(customer_id=customer.pk, at=at).lots
    earned = dict(Lot.objects.filter(pk__in=[one.id for one in mine]).values_list("pk", "earned_at"))
    return [
        Batch(
            left=one.left,
            of=one.points,
            earned_at=earned[one.id],
            active_at=one.active_at,
            expires_at=one.expires_at,
            is_pending=one.active_at > at,
        )
        for one in mine
    ]
