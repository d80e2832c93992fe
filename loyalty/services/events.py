"""Events for members: made by people of the shop, and replied to by customers.

Places are given under the lock of the event's row, and a check of the database holds the same: never more than there
are. Who comes too late waits, and moves up when somebody cancels, in the order of the replies.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from customers.services import people_lock
from loyalty.models import Event, Reply, Tier
from loyalty.selectors import tiers

RANKS: Final[dict[str, int]] = {Reply.State.YES: 0, Reply.State.WAITING: 1, Reply.State.NO: 2}
FIELDS: Final = ("name", "place", "about", "starts_at", "visible_from", "reply_by", "tier", "places")


class EventProblem(Exception):
    """The message is for people. Nothing was changed."""


class NotInvited(EventProblem):
    def __init__(self) -> None:
        super().__init__(_("This event is not for you yet."))


class TooLate(EventProblem):
    def __init__(self) -> None:
        super().__init__(_("Replies to this event are closed."))


class Cancelled(EventProblem):
    def __init__(self) -> None:
        super().__init__(_("This event was cancelled."))


class TooFewPlaces(EventProblem):
    def __init__(self, taken: int) -> None:
        super().__init__(_("%(taken)s places are given away already. Leave at least so many.") % {"taken": taken})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An event as people write it."""

    name: str
    place: str
    about: str
    starts_at: datetime
    visible_from: datetime
    reply_by: datetime
    tier: Tier | None
    places: int


def add(*, plan: Plan) -> Event:
    return Event.objects.create(**_told(plan))


@transaction.atomic
def change(*, event_id: int, plan: Plan, at: datetime) -> Event:
    """More places go to those who wait. Raises TooFewPlaces and Cancelled."""
    event = _locked(event_id)
    if plan.places < event.taken:
        raise TooFewPlaces(event.taken)
    for name, value in _told(plan).items():
        setattr(event, name, value)
    event.save(update_fields=FIELDS)
    _move_up(event, at=at)
    return event


def _told(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in FIELDS}


@transaction.atomic
def cancel(*, event_id: int, at: datetime) -> Event:
    """The replies stay, so that people can be told."""
    event = Event.objects.select_for_update(no_key=True).get(pk=event_id)
    if event.cancelled_at is None:
        event.cancelled_at = at
        event.save(update_fields=["cancelled_at"])
    return event


@transaction.atomic
def reply(*, event_id: int, customer_id: int, comes: bool, at: datetime) -> Reply:
    """The answer of a customer, who gets a place or waits for one. The same answer again changes nothing.

    Raises Cancelled, TooLate and NotInvited. A person of the shop who answers for somebody calls `reply_for`.
    """
    customer_id = people_lock.writing_about(customer_id)
    event = _locked(event_id)
    if at > event.reply_by:
        raise TooLate
    if comes and not is_invited(event, customer_id=customer_id, at=at):
        raise NotInvited
    return _answer(event, customer_id=customer_id, comes=comes, at=at)


@transaction.atomic
def reply_for(*, event_id: int, customer_id: int, comes: bool, at: datetime) -> Reply:
    """The same at the desk, where the day for replies and the tier do not bind. Raises Cancelled."""
    customer_id = people_lock.writing_about(customer_id)
    return _answer(_locked(event_id), customer_id=customer_id, comes=comes, at=at)


def is_invited(event: Event, *, customer_id: int, at: datetime) -> bool:
    """Whether the event is visible to the customer: her tier is high enough, and its early access has begun."""
    tier = tiers.tiers_at([customer_id], at).get(customer_id)
    if event.tier is not None and (tier is None or tier.threshold < event.tier.threshold):
        return False
    return event.visible_from <= at + timedelta(days=tier.early_days if tier else 0)


def _locked(event_id: int) -> Event:
    event = Event.objects.select_for_update(no_key=True, of=("self",)).select_related("tier").get(pk=event_id)
    if event.cancelled_at is not None:
        raise Cancelled
    return event


def _answer(event: Event, *, customer_id: int, comes: bool, at: datetime) -> Reply:
    row = Reply.objects.filter(event=event, customer_id=customer_id).first()
    if row is not None and (row.state != Reply.State.NO) == comes:
        return row
    state = Reply.State.NO
    if comes:
        state = Reply.State.YES if event.taken < event.places else Reply.State.WAITING
    had_place = row is not None and row.state == Reply.State.YES
    told = {"state": state, "since": at}
    row, _made = Reply.objects.update_or_create(event=event, customer_id=customer_id, defaults=told)
    event.taken += (state == Reply.State.YES) - had_place
    event.save(update_fields=["taken"])
    _move_up(event, at=at)
    return row


@transaction.atomic
def join(*, into: int, other: int, at: datetime) -> None:
    """Replies of two customers who are one person: she comes once, on the better of her two places."""
    replied = Reply.objects.filter(customer=other).order_by("event").values_list("event", flat=True)
    for event in Event.objects.select_for_update(no_key=True).filter(pk__in=list(replied)).order_by("pk"):
        rows = list(Reply.objects.filter(event=event, customer__in=[into, other]))
        best = min(rows, key=lambda row: (RANKS[row.state], row.since))
        places = sum(row.state == Reply.State.YES for row in rows)
        Reply.objects.filter(pk__in=[row.pk for row in rows if row != best]).delete()
        Reply.objects.filter(pk=best.pk).update(customer=into)
        if places > 1:
            event.taken -= places - 1
            event.save(update_fields=["taken"])
            if event.cancelled_at is None:
                _move_up(event, at=at)


def _move_up(event: Event, *, at: datetime) -> None:
    """Give free places to those who wait longest."""
    waiting = Reply.objects.filter(event=event, state=Reply.State.WAITING).order_by("since", "id")
    lucky = list(waiting.values_list("pk", flat=True)[: event.places_left])
    if lucky:
        Reply.objects.filter(pk__in=lucky).update(state=Reply.State.YES, since=at)
        event.taken += len(lucky)
        event.save(update_fields=["taken"])
