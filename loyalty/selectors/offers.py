"""What a code does for a customer and a basket, and why it does not. services.offers asks it under a lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, Q, QuerySet

from core import money
from core.models import Business
from customers import pricing
from customers.models import Order
from loyalty import codes, discounts
from loyalty import offer_refusals as refusals
from loyalty.baskets import BasketLine, split
from loyalty.discounts import Applied, Bill, Gift, Terms
from loyalty.models import BirthdayGift, Code, Offer, Use
from loyalty.selectors import basket_lines
from loyalty.selectors.standing import Person

NO_CAPS: Final = ("max_uses", "max_per_customer", "max_per_day", "budget_cents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Who wants to use a code, on which basket, when. Without a basket only a fixed amount is known.

    `earlier` are the live uses of other codes on the same order. `had` is how often the customer has used which offer,
    where somebody looked that up for many of them.
    """

    person: Person | None
    at: datetime
    lines: Sequence[BasketLine] | None = None
    shipping_cents: int = 0
    earlier: Sequence[Use] = field(default=())
    had: Mapping[int, int] | None = None


def with_terms(offers: QuerySet[Offer]) -> QuerySet[Offer]:
    """With all that `terms` and `check_person` look at: four queries more, whatever the number."""
    related = offers.select_related("free_product__category")
    return related.prefetch_related("products", "categories", "segments", "tiers")


def fit_to_give() -> QuerySet[Offer]:
    """Offers whose codes can be given for points or a birthday: what somebody was given has to work for her.

    So nothing else may use it up, and it is not for others.
    """
    caps = dict.fromkeys(NO_CAPS)
    return Offer.objects.filter(**caps, state=Offer.State.ACTIVE, holder_only=True, segments=None, tiers=None)


def is_given(offer: Offer) -> bool:
    """Whether rewards or birthdays give its codes."""
    return offer.rewards.exists() or BirthdayGift.objects.filter(offer=offer).exists()


def find_code(text: str) -> Code:
    """The code that somebody typed, with its offer. Raises Refused (code_unknown)."""
    kept = codes.normalise(text)
    offer = Prefetch("offer", queryset=with_terms(Offer.objects.all()))
    code = Code.objects.prefetch_related(offer).filter(code=kept).first() if kept else None
    if code is None:
        raise refusals.unknown()
    return code


def held(text: str) -> Code | None:
    """The code of a customer that somebody scanned; one that anybody may use has no holder."""
    kept = codes.normalise(text)
    rows = Code.objects.filter(code=kept, holder__isnull=False, holder__archived_at=None)
    return rows.first() if len(kept) == codes.LENGTH else None


def judge(code: Code, offer: Offer, occasion: Occasion, *, business: Business) -> Applied:
    """What the code does. Raises Refused, the reasons that nothing can be done about first."""
    check_time(code, offer, at=occasion.at, zone=business.zone)
    if occasion.person is not None:
        check_person(code, offer, occasion.person)
    check_caps(code, offer, occasion, zone=business.zone)
    if not is_open_now(offer, occasion.at.astimezone(business.zone)):
        raise refusals.not_now()
    applied = _apply(offer, occasion, business=business)
    if applied.refusal is not None:
        raise refusals.of_basket(applied, offer, currency=business.currency)
    if offer.budget_left is not None and applied.saved_cents > offer.budget_left:
        raise refusals.budget_spent()
    return applied


def find_order(customer_id: int, reference: str) -> Order | None:
    """The customer's order by our id, by the shop's, or by `source:id`."""
    if not reference:
        return None
    source, _, external_id = reference.partition(":")
    named = Q(external_id=reference) | Q(source=source, external_id=external_id)
    if reference.isascii() and reference.isdecimal() and len(reference) < 19:
        named |= Q(pk=int(reference))
    return Order.objects.filter(named, customer_id=customer_id).order_by("-pk").first()


def live_uses(*, customer_id: int, reference: str, order: Order | None) -> QuerySet[Use]:
    """What is reserved or used on an order, the oldest first."""
    same = Q(reference=reference) if reference else Q(pk__in=())
    if order is not None:
        same |= Q(order=order)
    live = Use.objects.filter(same, customer_id=customer_id).exclude(state=Use.State.RELEASED)
    return live.select_related("offer").order_by("pk")


def check_time(code: Code, offer: Offer, *, at: datetime, zone: ZoneInfo) -> None:
    """Raises Refused when code or offer are not in force at `at`."""
    if code.blocked_at is not None:
        raise refusals.blocked()
    ends_at = end_of(code, offer)
    if offer.state == Offer.State.ENDED or (ends_at is not None and ends_at <= at):
        raise refusals.expired(ends_at)
    if offer.state == Offer.State.PAUSED:
        raise refusals.paused()
    if offer.starts_at is not None and at < offer.starts_at:
        raise refusals.not_yet(offer.starts_at)


def end_of(code: Code, offer: Offer) -> datetime | None:
    """When the code ends, or the offer before it."""
    return min((end for end in (code.expires_at, offer.ends_at) if end is not None), default=None)


def is_open_now(offer: Offer, local: datetime) -> bool:
    """Whether the offer runs on this weekday at this hour. Hours past midnight belong to the day they began on."""
    begins, ends = offer.from_time, offer.until_time
    day = local
    if begins is not None and ends is not None:
        now = local.time()
        is_late = ends < begins and now < ends  # the hours after midnight
        if not (begins <= now < ends if begins < ends else now >= begins or is_late):
            return False
        day = local - timedelta(days=1) if is_late else local
    return bool(offer.weekdays >> day.weekday() & 1)


def check_person(code: Code, offer: Offer, person: Person) -> None:
    """Raises Refused when the code or the offer is for others."""
    if offer.holder_only and code.holder_id not in (None, person.id):
        raise refusals.not_for_them(code)
    segments = {row.pk for row in offer.segments.all()}
    tiers = {row.pk for row in offer.tiers.all()}
    if (segments and segments.isdisjoint(person.segment_ids)) or (tiers and person.tier_id not in tiers):
        raise refusals.not_for_them()


def check_caps(code: Code, offer: Offer, occasion: Occasion, *, zone: ZoneInfo) -> None:
    """Raises Refused when something is used up."""
    if code.max_uses is not None and code.used >= code.max_uses:
        raise refusals.code_used_up(code)
    if offer.max_uses is not None and offer.used >= offer.max_uses:
        raise refusals.offer_used_up()
    if offer.max_per_customer is not None and occasion.person is not None:
        had = used_by(occasion.person.id, [offer.pk]) if occasion.had is None else occasion.had
        if had.get(offer.pk, 0) >= offer.max_per_customer:
            raise refusals.customer_used_up()
    if offer.max_per_day is not None and used_today(offer, occasion.at, zone=zone) >= offer.max_per_day:
        raise refusals.day_used_up()
    if offer.budget_left is not None and offer.budget_left <= 0:
        raise refusals.budget_spent()


def used_by(customer_id: int, offer_ids: Sequence[int]) -> dict[int, int]:
    """How often a customer has used which of these offers, what was given back left out. One query."""
    live = Use.objects.filter(customer_id=customer_id, offer_id__in=offer_ids).exclude(state=Use.State.RELEASED)
    return dict(live.order_by().values_list("offer_id").annotate(number=Count("pk")))


def used_today(offer: Offer, at: datetime, *, zone: ZoneInfo) -> int:
    """Uses on the business date of `at`; a clock that is behind counts on the last day that was counted."""
    is_later = offer.counted_on is None or offer.counted_on < at.astimezone(zone).date()
    return 0 if is_later else offer.used_on_day


def _apply(offer: Offer, occasion: Occasion, *, business: Business) -> Applied:
    what = terms(offer, business=business)
    if occasion.lines is None:
        return _without_basket(what)
    exponent = money.exponent(business.currency)
    whole = discounts.bill(occasion.lines, exponent=exponent, shipping_cents=occasion.shipping_cents)
    for use in occasion.earlier:
        _take_off(whole, use, terms(use.offer, business=business))
    return discounts.apply(whole, what)


def _without_basket(what: Terms) -> Applied:
    """Only an amount is known without a basket, and a minimum cannot be seen to be met."""
    if what.minimum_cents:
        return Applied(terms=what, lines=(), refusal=discounts.Refusal.MINIMUM_NOT_MET)
    return Applied(terms=what, lines=(what.amount_cents,) if what.kind == "amount" else ())


def _take_off(whole: Bill, use: Use, what: Terms) -> None:
    """What an earlier code took off this order, by line where the basket still has the same lines."""
    off = use.lines if len(use.lines) == len(whole.left) else _spread(use, whole)
    whole.left = [max(0, left - cents) for left, cents in zip(whole.left, off, strict=True)]
    whole.shipping_left = max(0, whole.shipping_left - use.shipping_cents)
    if what.gift is not None:
        whole.given_cost += what.gift.cost_cents * sum(quantity for _, quantity in use.free)
    whole.take_terms(what)


def _spread(use: Use, whole: Bill) -> list[int]:
    return split(min(sum(use.lines), sum(whole.left)), whole.left)


def terms(offer: Offer, *, business: Business) -> Terms:
    """The offer as plain values; without `with_terms` up to three queries."""
    return Terms(
        id=offer.pk,
        kind=offer.kind,
        percent=offer.percent or Decimal(0),
        base=offer.base,
        amount_cents=offer.amount_cents or 0,
        gift=_gift(offer, business),
        scope=offer.scope,
        product_ids=frozenset(row.pk for row in offer.products.all()),
        category_ids=frozenset(row.pk for row in offer.categories.all()),
        minimum_cents=offer.minimum_cents,
        is_stackable=offer.is_stackable,
        priority=offer.priority,
        max_discount_cents=offer.max_discount_cents,
        line_floor=offer.line_floor,
        order_floor=offer.order_floor,
    )


def _gift(offer: Offer, business: Business) -> Gift | None:
    product = offer.free_product
    if product is None:
        return None
    exponent = money.exponent(business.currency)
    list_cents = pricing.to_minor(product.unit_price or Decimal(0), exponent=exponent)
    rate = basket_lines.margin_rate(product, business)
    cost = list_cents - pricing.round_half_up(list_cents * rate)
    if product.unit_cost is not None:
        cost = pricing.to_minor(product.unit_cost, exponent=exponent)
    return Gift(
        sku=product.sku, product_id=product.pk, quantity=offer.free_quantity, list_cents=list_cents, cost_cents=cost
    )
