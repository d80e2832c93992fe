"""Deliveries: claimed by one worker, sent, settled; tried again by the database's clock, given up after 75 hours.

A claim is committed before the receiver is called. A worker that dies leaves it behind: after a lease it is sent again,
with the same id, so each event is told at least once.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from time import monotonic
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from core.models import Delivery, Event, Webhook
from core.webhooks import calling, retries, signing
from core.webhooks.calling import Outcome

LEASE: Final = timedelta(minutes=2)  # far above what a call may take
SENDERS: Final = 4
TRIES_KEPT: Final = 20
KEPT: Final = timedelta(days=30)  # of what was delivered
DEAD_KEPT: Final = timedelta(days=90)
PRUNED_AT_ONCE: Final = 5000
GONE: Final = 410
State = Delivery.State

# A receiver hears one message at a time, its oldest: a slow one holds up nobody but itself.
WAITING: Final = """
SELECT w.id FROM core_webhook w, LATERAL (
    SELECT id, ready_at FROM core_delivery
    WHERE webhook_id = w.id AND state = 'pending' AND ready_at <= %(at)s ORDER BY ready_at, id LIMIT 1
) d
WHERE w.state = 'active'
    AND NOT EXISTS (SELECT FROM core_delivery s WHERE s.webhook_id = w.id AND s.state = 'sending')
ORDER BY d.ready_at, d.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours to send, with all that the message needs."""

    delivery: int
    claims: int
    attempts: int
    webhook: Webhook
    event: Event


def send_waiting(*, seconds: float) -> int:
    """Send what is ready, to several receivers side by side; returns how many messages were tried."""
    release_stale(at=timezone.now())
    until = monotonic() + seconds
    with ThreadPoolExecutor(SENDERS) as pool:
        return sum(pool.map(lambda _: _in_thread(lambda: _send_until(until)), range(SENDERS)))


def _in_thread(work: Callable[[], int]) -> int:
    try:
        return work()
    finally:
        connection.close()


def _send_until(until: float) -> int:
    tried = 0
    while monotonic() < until and (claim := claimed(at=timezone.now())) is not None:
        settle(claim=claim, outcome=call(claim=claim, at=timezone.now()), at=timezone.now(), chance=random())  # noqa: S311
        tried += 1
    return tried


def is_waiting(*, at: datetime) -> bool:
    """Whether a worker has something to do."""
    ready = Q(state=State.PENDING, ready_at__lte=at) | Q(state=State.SENDING, claimed_at__lt=at - LEASE)
    return Delivery.objects.filter(ready, webhook__state=Webhook.State.ACTIVE).exists()


def release_stale(*, at: datetime) -> int:
    """Wait again with what a worker that died had in hand."""
    left = Delivery.objects.filter(state=State.SENDING, claimed_at__lt=at - LEASE)
    return left.update(state=State.PENDING, ready_at=at)


@transaction.atomic
def claimed(*, at: datetime) -> Claim | None:
    """Take the delivery that has waited longest, of a webhook that nobody is calling; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"at": at})
        row = cursor.fetchone()
    if row is None:
        return None
    found = _oldest(webhook_id=row[0], at=at)
    if found is None:  # another worker took it between our look and our lock
        return claimed(at=at)
    found.state, found.claimed_at = State.SENDING, at
    found.attempts, found.claims = found.attempts + 1, found.claims + 1
    found.save(update_fields=["state", "claimed_at", "attempts", "claims"])
    return Claim(found.pk, found.claims, found.attempts, found.webhook, found.event)


def _oldest(*, webhook_id: int, at: datetime) -> Delivery | None:
    """Under the lock of its webhook."""
    of_webhook = Delivery.objects.filter(webhook_id=webhook_id)
    if of_webhook.filter(state=State.SENDING).exists():
        return None
    ready = of_webhook.filter(state=State.PENDING, ready_at__lte=at).select_related("webhook", "event")
    return ready.order_by("ready_at", "pk").first()


def call(*, claim: Claim, at: datetime) -> Outcome:
    """Sign the message and send it. No transaction is open meanwhile."""
    body = message(claim.event)
    signed = signing.headers(uid=claim.event.uid, body=body, at=at, keys=claim.webhook.secrets_at(at))
    networks = tuple(settings.WEBHOOK_NETWORKS)
    return calling.post(url=claim.webhook.url, body=body, headers=signed, allowed=networks)


def message(event: Event) -> str:
    """The body, the same in every try."""
    told: dict[str, Any] = {"type": event.kind, "timestamp": event.at.isoformat(), "data": event.data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


@transaction.atomic
def settle(*, claim: Claim, outcome: Outcome, at: datetime, chance: float) -> None:
    """Write down what came of a call, unless the lease ran out and somebody else has it by now."""
    ours = Delivery.objects.select_for_update().filter(pk=claim.delivery, state=State.SENDING, claims=claim.claims)
    row = ours.first()
    if row is None:
        return
    tried = {"at": at.isoformat(), "status": outcome.status, "ms": outcome.ms, "said": outcome.said}
    row.log = [*row.log, tried][-TRIES_KEPT:]
    again = retries.next_try(attempts=row.attempts, at=at, chance=chance)
    if outcome.is_delivered:
        row.state, row.settled_at = State.DELIVERED, at
    elif again is None:
        row.state, row.settled_at = State.DEAD, at
    else:
        row.state, row.ready_at = State.PENDING, again
    row.save(update_fields=["state", "ready_at", "settled_at", "log"])
    if outcome.status == GONE:
        Webhook.objects.filter(pk=claim.webhook.pk, state=Webhook.State.ACTIVE).update(state=Webhook.State.GONE)


def prune(*, at: datetime) -> int:
    """Forget old events that wait for nobody, a bounded number at a time; returns how many."""
    waiting = Delivery.objects.filter(state__in=[State.PENDING, State.SENDING]).values("event")
    given_up = Delivery.objects.filter(state=State.DEAD, settled_at__gte=at - DEAD_KEPT).values("event")
    old = Event.objects.filter(at__lt=at - KEPT).exclude(pk__in=waiting).exclude(pk__in=given_up)
    chosen = old.order_by("at", "pk")[:PRUNED_AT_ONCE].values("pk")
    return Event.objects.filter(pk__in=chosen).delete()[1].get("core.Event", 0)
