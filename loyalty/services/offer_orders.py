"""What orders say of codes: a reaction on the change feed.

An order that is cancelled, or of which everything came back, gives its uses back, and points that were spent on it
come back with it (loyalty.services.order_points). An order that names codes makes a use of each: of the reservation on
it, of what was redeemed under its name, or, where a shop tells us only afterwards, of the code itself. Facts are not
refused: a code that may not be used then is left out, and the log says so.
"""

import logging
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from core import exclusive, feed
from core.models import Change
from customers.models import Order
from loyalty import codes
from loyalty.baskets import BadBasket
from loyalty.models import Use
from loyalty.offer_refusals import Refused
from loyalty.services import offers, order_points
from loyalty.services.offers import Purchase

log = logging.getLogger(__name__)

REACTION: Final = "offers"
ALONE: Final = 7_301_014  # an advisory lock
AT_ONCE: Final = 20_000
State, Why = Use.State, Use.Why


def follow(*, at: datetime) -> int:
    """Look at all orders that changed since the last time; returns how many uses and redemptions changed with them.

    Each order is a transaction of its own, so that locks of offers are held for one order at a time. Who dies in the
    middle has done no harm: looking again changes nothing.
    """
    with exclusive.alone(ALONE) as is_mine:
        return _follow(at) if is_mine else 0


def _follow(at: datetime) -> int:
    with transaction.atomic():
        since, until = feed.position(REACTION), feed.horizon()
    changed = feed.pending(Change.Kind.ORDER, since=since, until=until)
    count = 0
    for place in range(0, len(changed), AT_ONCE):
        some = changed[place : place + AT_ONCE]
        count += order_points.follow(order_ids=some, at=at)
        count += sum(_look_at(order, at=at) for order in _concerned(some))
    with transaction.atomic():
        feed.position(REACTION)
        feed.advance(REACTION, until)
    return count


def _concerned(order_ids: list[int]) -> list[Order]:
    """Of these orders those that name codes, or on which a code was used. Most orders are neither."""
    unclaimed = Use.objects.filter(customer=OuterRef("customer"), order=None, reference__gt="")
    used = Use.objects.filter(order=OuterRef("pk"))
    wanted = Exists(used) | Exists(unclaimed.exclude(state=State.RELEASED)) | ~Q(codes=[])
    return list(Order.objects.filter(wanted, pk__in=order_ids).order_by("pk"))


def _look_at(order: Order, *, at: datetime) -> int:
    if order.customer_id is None:
        return 0
    if order.status == Order.Status.CANCELLED:
        return _release(order, why=Why.CANCELLED, at=at)
    if order.fully_refunded_on is not None:
        return _release(order, why=Why.REFUNDED, at=at)
    return _claim(order, at=at) + sum(_use(order, text, at=at) for text in order.codes)


def _live(order: Order) -> list[Use]:
    names = Q(order=order) | Q(reference__in=[order.external_id, f"{order.source}:{order.external_id}", str(order.pk)])
    live = Use.objects.filter(names, customer=order.customer).exclude(state=State.RELEASED)
    return list(live.select_related("code").order_by("offer_id", "pk"))


def _release(order: Order, *, why: Use.Why, at: datetime) -> int:
    uses = _live(order)
    for use in uses:
        offers.release(use_id=use.pk, at=at, why=why)
    return len(uses)


def _claim(order: Order, *, at: datetime) -> int:
    """Reservations under the order's name are uses now, and uses know their order."""
    waiting = [use for use in _live(order) if use.order_id is None or use.state == State.RESERVED]
    for use in waiting:
        if use.state == State.RESERVED:
            offers.confirm(use_id=use.pk, at=at)
        Use.objects.filter(pk=use.pk).update(order=order)
    return len(waiting)


def _use(order: Order, text: str, *, at: datetime) -> int:
    """A code that the order names and that nobody told us of before."""
    kept = codes.normalise(text)
    if any(use.code.code == kept for use in _live(order)):
        return 0
    before = Use.objects.filter(order=order, code__code=kept).count()
    purchase = Purchase(reference=str(order.pk))
    try:
        with transaction.atomic():
            key = f"order:{order.pk}:code:{kept}:{before}"
            offers.redeem(text=text, customer_id=order.customer_id or 0, key=key, at=order.placed_at, purchase=purchase)
    except (Refused, BadBasket) as refusal:
        log.info("order %s names a code that is not used: %s", order.pk, refusal)
        return 0
    return 1
