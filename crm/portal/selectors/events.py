"""Events as one customer sees them: whether there is a place, and what they have answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.models import Customer
from loyalty.models import Event, Reply
from loyalty.selectors import events

State = Reply.State


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """`state` is the answer, "" without one; `ahead` is how many of the waiting list come first."""

    event: Event
    state: str
    ahead: int
    is_early: bool  # seen before others, because of the tier
    is_closed: bool  # replies are over

    @property
    def has_place(self) -> bool:
        return self.state == State.YES

    @property
    def waits(self) -> bool:
        return self.state == State.WAITING

    @property
    def can_join(self) -> bool:
        return not (self.has_place or self.waits or self.is_closed or self.event.cancelled_at)

    @property
    def can_leave(self) -> bool:
        return (self.has_place or self.waits) and not (self.is_closed or self.event.cancelled_at)


def invitations(customer: Customer, *, at: datetime, most: int | None = None) -> list[Invitation]:
    """What is to come, the soonest first."""
    found = list(events.visible_to(customer.pk, at)[:most])
    queues = _queues([event.pk for event in found])
    return [_invitation(event, queues.get(event.pk, []), at) for event in found]


def _invitation(event: Event, queue: Sequence[Reply], at: datetime) -> Invitation:
    own: Reply | None = next(iter(event.own), None)  # type: ignore[attr-defined]
    waits = own is not None and own.state == State.WAITING
    return Invitation(
        event=event,
        state=own.state if own else "",
        ahead=sum((one.since, one.pk) < (own.since, own.pk) for one in queue) if own and waits else len(queue),
        is_early=event.visible_from > at,
        is_closed=at > event.reply_by,
    )


def _queues(event_ids: Sequence[int]) -> dict[int, list[Reply]]:
    """Who waits for each event."""
    queues: dict[int, list[Reply]] = {}
    for one in Reply.objects.filter(event__in=event_ids, state=State.WAITING):
        queues.setdefault(one.event_id, []).append(one)
    return queues
