"""Making webhooks and changing them, trying them out, and sending again what was given up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from core import doorbell
from core.models import Delivery, Event, User, Webhook
from core.webhooks import addresses, emitting, signing

OVERLAP: Final = timedelta(hours=24)  # in which the secret before still signs
MOST: Final = 50
PING: Final = "ping"
State = Delivery.State


class TooMany(Exception):
    """There are as many webhooks as there may be."""


class UnknownKind(ValueError):
    """There is no such kind of event."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: what it tells, for people, and an example of its data."""

    name: str
    told: str
    example: dict[str, object]


def kinds() -> dict[str, Kind]:
    """The kinds of events that the apps of this installation tell of, by name."""
    known: Sequence[Kind] = import_string(settings.WEBHOOK_KINDS)
    return {kind.name: kind for kind in known}


def create(*, url: str, description: str, events: Collection[str], by: User | None, at: datetime) -> Webhook:
    """Raises Forbidden (an address that may not be called), UnknownKind and TooMany."""
    check(url=url, events=events)
    if Webhook.objects.count() >= MOST:
        raise TooMany
    return Webhook.objects.create(
        url=url,
        description=description,
        events=sorted(set(events)),
        secret=signing.new_secret(),
        created_by=by,
        created_at=at,
    )


def change(*, webhook: Webhook, url: str, description: str, events: Collection[str]) -> Webhook:
    """Another address, description or choice of events. Raises Forbidden and UnknownKind."""
    check(url=url, events=events)
    webhook.url, webhook.description, webhook.events = url, description, sorted(set(events))
    webhook.save(update_fields=["url", "description", "events"])
    return webhook


def check(*, url: str, events: Collection[str]) -> None:
    """Raises Forbidden and UnknownKind. A name that is unknown today may be known when it is called."""
    for name in events:
        if name not in kinds():
            raise UnknownKind(name)
    try:
        addresses.resolve(url, allowed=settings.WEBHOOK_NETWORKS)
    except addresses.Unknown:
        return


def pause(*, webhook: Webhook) -> None:
    """What happens meanwhile waits."""
    Webhook.objects.filter(pk=webhook.pk).update(state=Webhook.State.PAUSED)


@transaction.atomic
def resume(*, webhook: Webhook) -> None:
    """Go on, also after the receiver said that it is gone."""
    Webhook.objects.filter(pk=webhook.pk).update(state=Webhook.State.ACTIVE)
    doorbell.ring(emitting.BELL)


def rotate(*, webhook: Webhook, at: datetime) -> str:
    """A new secret; the old one signs beside it for a day, so that receivers can change over. Returns the new one."""
    webhook.old_secret, webhook.old_secret_until = webhook.secret, at + OVERLAP
    webhook.secret = signing.new_secret()
    webhook.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return webhook.secret


@transaction.atomic
def try_out(*, webhook: Webhook, at: datetime) -> Delivery:
    """Send the event `ping` to this webhook alone."""
    event = Event.objects.create(uid=uuid4(), kind=PING, data={"webhook": str(webhook.pk)}, at=at)
    emitting.send_to([webhook.pk], [event], at=at)
    return Delivery.objects.get(event=event)


@transaction.atomic
def replay(*, webhook: Webhook, at: datetime, delivery_id: int | None = None) -> int:
    """Send again one settled delivery, or all that were given up; returns how many wait now."""
    settled = Delivery.objects.filter(webhook=webhook)
    chosen = (
        settled.filter(state=State.DEAD)
        if delivery_id is None
        else settled.filter(pk=delivery_id, state__in=[State.DEAD, State.DELIVERED])
    )
    count = chosen.update(state=State.PENDING, attempts=0, ready_at=at, settled_at=None)
    doorbell.ring(emitting.BELL)
    return count
