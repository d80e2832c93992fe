"""What offers and price lists ask about a customer: segments, tier, and how long she has bought here."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import Min, Q

from customers.models import Membership, Order, Tagging
from customers.selectors import merged
from loyalty.models import Standing


@dataclass(frozen=True)
class Person:
    """A customer on a business date. Each answer is one query, asked when it is needed."""

    id: int
    day: date

    @cached_property
    def segment_ids(self) -> frozenset[int]:
        """Those of the last night, and tags."""
        own = Membership.objects.filter(customer_id=self.id).values_list("segment_id", flat=True)
        tags = Tagging.objects.filter(customer_id=self.id, removed_at__isnull=True)
        return frozenset(own.union(tags.values_list("segment_id", flat=True)))

    @cached_property
    def tier_id(self) -> int | None:
        kept = Q(until__isnull=True) | Q(until__gte=self.day)
        return Standing.objects.filter(kept, customer_id=self.id).values_list("tier_id", flat=True).first()

    @cached_property
    def months(self) -> int | None:
        """Whole months since the first order; None before it."""
        paid = Order.objects.filter(customer_id=self.id, status=Order.Status.PAID, fully_refunded_on__isnull=True)
        first = paid.aggregate(day=Min("placed_on"))["day"]
        return None if first is None or first > self.day else months_between(first, self.day)


def person(customer_id: int, *, at: datetime, zone: ZoneInfo) -> Person:
    """The customer, or who stands for them since they were merged: a page may have been open for long."""
    return Person(id=merged.survivor(customer_id), day=at.astimezone(zone).date())


def months_between(first: date, last: date) -> int:
    """Whole months: from 31 January to 28 February is none, to 31 March two."""
    months = (last.year - first.year) * 12 + last.month - first.month
    return months - (last.day < first.day)
