"""A customer's card: points, tier and what was earned in a year; and whom staff mean by what they type."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F, Q, Sum, Value

from customers.folding import Fold
from customers.models import Customer
from loyalty.expiry import add_months
from loyalty.models import Posting, Standing, Tier
from loyalty.selectors import points
from loyalty.selectors.points import Points
from loyalty.selectors.rewards import local

HITS: Final = 8
MOST_WORDS: Final = 6
EARNING: Final = (Posting.Kind.EARN, Posting.Kind.REVERSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    points: Points
    tier: Tier | None
    earned_12m: int

    @property
    def next_expiry(self) -> tuple[datetime, int] | None:
        """When the next points expire, and how many."""
        return next(iter(self.points.expiring()), None)


def card(customer_id: int, *, at: datetime) -> Card:
    return Card(
        points=points.standing(customer_id=customer_id, at=at),
        tier=tier(customer_id, at=at),
        earned_12m=earned_12m(customer_id, at=at),
    )


def tier(customer_id: int, *, at: datetime) -> Tier | None:
    """The tier that the customer has at `at`, by its times. One query."""
    kept = Q(until__isnull=True) | Q(until__gte=local(at).date())
    standing = Standing.objects.filter(kept, customer=customer_id).select_related("tier").first()
    return standing.tier if standing else None


def earned_12m(customer_id: int, *, at: datetime) -> int:
    """Points earned in the last 12 months, pending ones too, less what refunds took back of points then."""
    today = local(at).date()
    first = add_months(today, -12)
    found = points.statement(customer_id=customer_id).filter(kind__in=EARNING, at__date__gt=first, at__lte=at)
    told = found.order_by().aggregate(all=Sum(F("points") + F("pending_points")))
    return max(0, told["all"] or 0)


def people(text: str) -> list[Customer]:
    """The first customers by name whose folded text (name, e-mails, phones, ids) has every word in it."""
    words = text.replace("\0", " ").split()[:MOST_WORDS]
    found = Customer.objects.filter(archived_at__isnull=True)
    for word in words:
        found = found.filter(search__contains=Fold(Value(word)))
    return list(found.select_related("company").order_by("sort_name", "pk")[:HITS]) if words else []
