"""Using codes and giving them back.

Every use locks its offer's row first, then writes: what caps, the budget and other codes on the same order say is read
under that lock, so that two quotes that pass alone cannot both be used (docs/adr/0013). An order has a lock of its own,
taken before: codes of several offers on it come one after another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from core import business as settings_row
from core import idempotency
from core.models import Business
from customers.models import Order
from customers.services import people_lock
from loyalty import codes
from loyalty import offer_refusals as refusals
from loyalty.baskets import BasketLine
from loyalty.discounts import Applied
from loyalty.models import Code, Offer, Use
from loyalty.problems import KeyReused
from loyalty.selectors import basket_lines, standing
from loyalty.selectors import offers as found
from loyalty.selectors.basket_lines import Item
from loyalty.selectors.offers import Occasion

State, Why = Use.State, Use.Why
RELEASED_AT_ONCE: Final = 200
COUNTERS: Final = ("state", "ends_at", "used", "spent_cents", "counted_on", "used_on_day", "max_uses", "budget_cents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What a code is used on. `reference` is how the shop calls the order; without items, our order of that name says
    what is in the basket.
    """

    items: Sequence[Item] | None = None
    shipping_cents: int = 0
    reference: str = ""


NOTHING: Final = Purchase()


def validate(*, text: str, customer_id: int | None, purchase: Purchase = NOTHING, at: datetime) -> Applied:
    """What the code would do now; nothing is written. Raises Refused, BadBasket."""
    business = settings_row.current()
    code = found.find_code(text)
    order = _order(customer_id, purchase)
    occasion = _occasion(customer_id, purchase, order, at=at, business=business)
    return found.judge(code, code.offer, occasion, business=business)


@transaction.atomic
def redeem(
    *,
    text: str,
    customer_id: int,
    key: str,
    at: datetime,
    purchase: Purchase = NOTHING,
    until: datetime | None = None,
    by: int | None = None,
) -> Use:
    """Use the code; with `until` reserve it only, until then. The same key again is the first use, unchanged.

    Raises Refused, BadBasket, KeyReused.
    """
    customer_id = people_lock.writing_about(customer_id)
    asked = _fingerprint(text, customer_id, purchase, is_reserved=until is not None)
    _lock_order(customer_id, purchase.reference)
    code, business = found.find_code(text), settings_row.current()
    order = _order(customer_id, purchase)
    offer = lock(code.offer)
    known = Use.objects.filter(key=key).first()
    if known is not None:
        return _same(known, asked=asked, key=key)
    _release_expired(offer, at=at)
    code.refresh_from_db(fields=["used", "max_uses", "blocked_at", "expires_at", "holder"])
    occasion = _occasion(customer_id, purchase, order, at=at, business=business)
    applied = found.judge(code, offer, occasion, business=business)
    use = _use(code, customer_id, occasion, applied, business=business)
    use.key, use.asked, use.until, use.by_id = key, asked, until, by
    use.reference, use.order = purchase.reference, order
    use.state = State.USED if until is None else State.RESERVED
    use.save(force_insert=True)
    _count(offer, code, use)
    return use


@transaction.atomic
def confirm(*, use_id: int, reference: str = "", at: datetime) -> Use:
    """Make a use of a reservation. Twice is once. Raises Refused when it ran out or was given back."""
    use = _locked_use(use_id, at=at)
    if use.state == State.RELEASED:
        raise refusals.reservation_over(use)
    if use.state == State.RESERVED:
        use.state, use.reference = State.USED, reference or use.reference
        use.order = use.order or found.find_order(use.customer_id, use.reference)
        use.save(update_fields=["state", "reference", "order"])
    return use


@transaction.atomic
def release(*, use_id: int, at: datetime, why: Use.Why = Why.ASKED) -> Use:
    """Give a use back, with its part of every cap and of the budget. Twice is once."""
    use = _locked_use(use_id, at=at)
    if use.state != State.RELEASED:
        _release(use, at=at, why=why)
    return use


def release_expired(*, at: datetime) -> int:
    """Give back reservations that ran out, a bounded number at a time; returns how many."""
    over = Use.objects.filter(state=State.RESERVED, until__lte=at).order_by("until", "pk")[:RELEASED_AT_ONCE]
    rows = list(over.values_list("pk", flat=True))
    for pk in rows:
        release(use_id=pk, at=at, why=Why.EXPIRED)
    return len(rows)


def lock(offer: Offer) -> Offer:
    """Take the offer's row until the end of the transaction, and its counters as they are now."""
    fresh = Offer.objects.select_for_update(no_key=True).only(*COUNTERS).get(pk=offer.pk)
    for name in COUNTERS:
        setattr(offer, name, getattr(fresh, name))
    return offer


def _lock_order(customer_id: int, reference: str) -> None:
    """One code after another on the same order."""
    if reference:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{customer_id}:{reference}"])


def _order(customer_id: int | None, purchase: Purchase) -> Order | None:
    return None if customer_id is None else found.find_order(customer_id, purchase.reference)


def _occasion(
    customer_id: int | None, purchase: Purchase, order: Order | None, *, at: datetime, business: Business
) -> Occasion:
    if customer_id is None:
        return Occasion(
            person=None, at=at, lines=_lines(purchase, None, business), shipping_cents=purchase.shipping_cents
        )
    earlier = found.live_uses(customer_id=customer_id, reference=purchase.reference, order=order)
    return Occasion(
        person=standing.person(customer_id, at=at, zone=business.zone),
        at=at,
        lines=_lines(purchase, order, business),
        shipping_cents=order.shipping_cents if order and purchase.items is None else purchase.shipping_cents,
        earlier=list(earlier),
    )


def _lines(purchase: Purchase, order: Order | None, business: Business) -> list[BasketLine] | None:
    if purchase.items is not None:
        return basket_lines.read(purchase.items, business=business)
    return (basket_lines.of_order(order, business=business) or None) if order else None


def _use(code: Code, customer_id: int, occasion: Occasion, applied: Applied, *, business: Business) -> Use:
    return Use(
        code=code,
        offer=code.offer,
        customer_id=customer_id,
        basket=[_snapshot(line) for line in occasion.lines or ()],
        lines=list(applied.lines),
        free=[list(one) for one in applied.free],
        discount_cents=applied.discount_cents,
        shipping_cents=applied.shipping_cents,
        free_cents=applied.free_cents,
        held_back_cents=applied.held_back_cents,
        used_at=occasion.at,
        used_on=occasion.at.astimezone(business.zone).date(),
    )


def _snapshot(line: BasketLine) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "quantity": f"{line.quantity:f}",
        "unit_price": f"{line.unit_price:f}",
        "net_cents": line.net_cents,
    }


def _count(offer: Offer, code: Code, use: Use) -> None:
    """Under the offer's lock, so plain sums are right. A clock that is behind counts on the last day."""
    day = use.used_on if offer.counted_on is None else max(offer.counted_on, use.used_on)
    before = offer.used_on_day if offer.counted_on == day else 0
    Offer.objects.filter(pk=offer.pk).update(
        used=offer.used + 1, spent_cents=offer.spent_cents + use.cost_cents, counted_on=day, used_on_day=before + 1
    )
    Code.objects.filter(pk=code.pk).update(used=code.used + 1)


def _same(known: Use, *, asked: str, key: str) -> Use:
    if known.asked != asked:
        raise KeyReused(key)
    return known


def _fingerprint(text: str, customer_id: int, purchase: Purchase, *, is_reserved: bool) -> str:
    items = [f"{item.sku} {item.quantity} {item.unit_price}" for item in purchase.items or ()]
    about = (str(customer_id), purchase.reference, str(purchase.shipping_cents), str(is_reserved))
    return idempotency.fingerprint(codes.normalise(text), *about, *items)


def _locked_use(use_id: int, *, at: datetime) -> Use:
    """The use as it is under the lock of its offer; a reservation that ran out is released first."""
    use = Use.objects.select_related("offer").get(pk=use_id)
    lock(use.offer)
    use.refresh_from_db(fields=["state", "until", "released_at", "why", "order", "reference"])
    if use.state == State.RESERVED and use.until is not None and use.until <= at:
        _release(use, at=at, why=Why.EXPIRED)
    return use


def _release_expired(offer: Offer, *, at: datetime) -> None:
    """So that a reservation never stands in anybody's way for longer than it may."""
    over = Use.objects.filter(offer=offer, state=State.RESERVED, until__lte=at).order_by("until", "pk")
    for use in over[:RELEASED_AT_ONCE]:
        use.offer = offer
        _release(use, at=at, why=Why.EXPIRED)
        lock(offer)


def _release(use: Use, *, at: datetime, why: Use.Why) -> None:
    """Call it under the lock of the use's offer."""
    use.state, use.released_at, use.why = State.RELEASED, at, why
    use.save(update_fields=["state", "released_at", "why"])
    today = 1 if use.offer.counted_on == use.used_on and use.offer.used_on_day else 0
    Offer.objects.filter(pk=use.offer_id).update(
        used=F("used") - 1, spent_cents=F("spent_cents") - use.cost_cents, used_on_day=F("used_on_day") - today
    )
    Code.objects.filter(pk=use.code_id).update(used=F("used") - 1)
