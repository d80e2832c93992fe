"""Who has which tag, now and at the end of a business date."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from customers.models import Segment, Tagging
from customers.models.tag import NEEDS


def known() -> QuerySet[Segment]:
    """All tags by name."""
    return Segment.objects.filter(scheme=NEEDS).order_by("name", "pk")


def of_customer(customer_id: int) -> QuerySet[Segment]:
    """The customer's tags by name."""
    return known().filter(taggings__customer_id=customer_id, taggings__removed_at__isnull=True)


def tagged(segment_id: int) -> QuerySet[Tagging, int]:
    """The ids of the customers who have a tag now."""
    found = Tagging.objects.filter(segment_id=segment_id, removed_at__isnull=True)
    return found.values_list("customer_id", flat=True)


def end_of(day: date, *, zone: str) -> datetime:
    """The moment at which a business date is over."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
