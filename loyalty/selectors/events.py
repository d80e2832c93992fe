"""Events as pages list them."""

from datetime import datetime, timedelta

from django.db.models import Count, Prefetch, Q, QuerySet

from loyalty.models import Event, Reply
from loyalty.selectors import tiers


def listed() -> QuerySet[Event]:
    """All events, those to come first, with how many wait."""
    waiting = Count("replies", filter=Q(replies__state=Reply.State.WAITING))
    return Event.objects.select_related("tier").annotate(waiting=waiting).order_by("-starts_at", "-id")


def replies(event: Event) -> QuerySet[Reply]:
    """Who comes, then who waits in the order of the queue, then who does not come."""
    return event.replies.select_related("customer").order_by("-state", "since", "id")  # yes, waiting, no


def visible_to(customer_id: int, at: datetime) -> QuerySet[Event]:
    """What a customer may reply to or has replied to, soonest first; `own` holds her reply, if any.

    What was cancelled stays for those who had said that they come.
    """
    tier = tiers.tiers_at([customer_id], at).get(customer_id)
    early = at + timedelta(days=tier.early_days if tier else 0)
    invited = Q(tier=None) | Q(tier__threshold__lte=-1 if tier is None else tier.threshold)
    replied = Q(replies__customer_id=customer_id, replies__state__in=[Reply.State.YES, Reply.State.WAITING])
    own = Prefetch("replies", Reply.objects.filter(customer_id=customer_id), to_attr="own")
    events = Event.objects.filter(Q(invited, visible_from__lte=early, cancelled_at=None) | replied, starts_at__gt=at)
    events = events.distinct()
    return events.select_related("tier").prefetch_related(own).order_by("starts_at", "id")
