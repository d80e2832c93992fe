"""A customer's card: points and tier; what was earned in a year; and whom staff mean by what they type."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F, Sum, Value

from customers.folding import Fold
from customers.models import Customer
from loyalty.expiry import add_months
from loyalty.models import Account, Posting, Tier
from loyalty.selectors import points, tiers
from loyalty.selectors.points import Points
from loyalty.selectors.rewards import local

HITS: Final = 8
MOST_WORDS: Final = 6
EARNING: Final = (Posting.Kind.EARN, Posting.Kind.REVERSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    points: Points
    tier: Tier | None

    @property
    def next_expiry(self) -> tuple[datetime, int] | None:
        """When the next points expire, and how many."""
        return next(iter(self.points.expiring()), None)


def card(customer_id: int, *, at: datetime) -> Card:
    return Card(
        points=points.standing(customer_id=customer_id, at=at),
        tier=tiers.tiers_at([customer_id], at).get(customer_id),
    )


def earned_12m(customer_id: int, *, at: datetime) -> int:
    """Points earned in the last 12 months, pending ones too, less what refunds took back of points then."""
    today = local(at).date()
    first = add_months(today, -12)
    found = points.statement(customer_id=customer_id).filter(kind__in=EARNING, at__date__gt=first, at__lte=at)
    told = found.order_by().aggregate(all=Sum(F("points") + F("pending_points")))
    return max(0, told["all"] or 0)


def balances(customer_ids: Sequence[int], *, at: datetime) -> dict[int, int]:
    """What each of these customers can spend; who is not named has nothing. One query, and some for each account that
    waits for the night to write down what time has decided.
    """
    accounts = Account.objects.filter(customer__in=customer_ids)
    told = accounts.values_list("customer_id", "balance", "due_at", "merged_into")
    found: dict[int, int] = {}
    for customer_id, balance, due_at, merged_into in told:
        is_exact = merged_into is None and (due_at is None or due_at > at)
        found[customer_id] = balance if is_exact else points.standing(customer_id=customer_id, at=at).balance
    return found


def people(text: str) -> list[Customer]:
    """The first customers by name whose folded text (name, e-mails, phones, ids) has every word in it."""
    words = text.replace("\0", " ").split()[:MOST_WORDS]
    found = Customer.objects.filter(archived_at__isnull=True)
    for word in words:
        found = found.filter(search__contains=Fold(Value(word)))
    return list(found.select_related("company").order_by("sort_name", "pk")[:HITS]) if words else []
