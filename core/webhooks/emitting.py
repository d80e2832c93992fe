"""Saying that something happened, in the transaction in which it does."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from django.db.models import Q

from core import doorbell
from core.models import Delivery, Event, Webhook

BELL: Final = "webhooks"
AT_ONCE: Final = 5000


def emit(kind: str, data: Mapping[str, Any], *, at: datetime) -> None:
    """One event to every webhook that wants its kind. Call it inside the transaction of what happened."""
    emit_many(kind, [data], at=at)


def emit_many(kind: str, rows: Iterable[Mapping[str, Any]], *, at: datetime) -> None:
    """The same for many; without a webhook that wants them, nothing is read or written."""
    wanting = listeners(kind)
    if not wanting:
        return
    events = Event.objects.bulk_create(
        (Event(uid=uuid4(), kind=kind, data=dict(data), at=at) for data in rows), batch_size=AT_ONCE
    )
    send_to(wanting, events, at=at)


def send_to(webhooks: Iterable[int], events: Iterable[Event], *, at: datetime) -> None:
    """A delivery of each event to each of the webhooks."""
    known = list(events)
    rows = [Delivery(event=event, webhook_id=pk, ready_at=at) for pk in webhooks for event in known]
    Delivery.objects.bulk_create(rows, batch_size=AT_ONCE)
    doorbell.ring_once_for_many(BELL)


def listeners(kind: str) -> list[int]:
    """The webhooks that want a kind of event. Paused ones get it when they go on; those that are gone do not."""
    wanting = Webhook.objects.filter(Q(events=[]) | Q(events__contains=[kind])).exclude(state=Webhook.State.GONE)
    return list(wanting.order_by("pk").values_list("pk", flat=True))
