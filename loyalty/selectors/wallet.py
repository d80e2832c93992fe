"""The codes that one customer can use: on a basket the one that saves most first, else all that she has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db.models import F, Prefetch, Q

from core.models import Business
from loyalty import offer_terms
from loyalty.baskets import BasketLine
from loyalty.discounts import Applied
from loyalty.models import Code, Offer
from loyalty.offer_refusals import Refused
from loyalty.selectors import offers as found
from loyalty.selectors import standing
from loyalty.selectors.offers import Occasion

MOST: Final = 50  # codes looked at, those with a name on them first


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A code in a wallet. `applied` is what it does on the basket; `refused` says why it does nothing now."""

    code: Code
    headline: str
    terms: list[str]
    applied: Applied | None = None
    refused: Refused | None = None

    @property
    def offer(self) -> Offer:
        return self.code.offer

    @property
    def saved_cents(self) -> int:
        return self.applied.saved_cents if self.applied else 0


def wallet(
    customer_id: int,
    *,
    at: datetime,
    business: Business,
    lines: Sequence[BasketLine] | None = None,
    shipping_cents: int = 0,
) -> list[Ticket]:
    """What can be used now, best first, and then what cannot, each with the reason.

    What is not for this customer, over or used up is left out.
    """
    person = standing.person(customer_id, at=at, zone=business.zone)
    codes = _held(customer_id, at)
    had = found.used_by(customer_id, [code.offer_id for code in codes if code.offer.max_per_customer is not None])
    occasion = Occasion(person=person, at=at, lines=lines, shipping_cents=shipping_cents, had=had)
    tickets = [_ticket(code, occasion, business) for code in codes]
    mine = [ticket for ticket in tickets if ticket is not None]
    return sorted(mine, key=lambda ticket: (ticket.refused is not None, -ticket.saved_cents, ticket.code.pk))


def _held(customer_id: int, at: datetime) -> list[Code]:
    """Her own codes, and those of offers that are shown to everybody."""
    left = Q(max_uses=None) | Q(used__lt=F("max_uses"))
    running = Q(offer__state=Offer.State.ACTIVE) & (Q(offer__ends_at=None) | Q(offer__ends_at__gt=at))
    whose = Q(holder_id=customer_id) | Q(holder=None, offer__is_listed=True)
    lasts = Q(expires_at=None) | Q(expires_at__gt=at)
    rows = Code.objects.filter(left, running, whose, lasts, blocked_at=None)
    terms = Prefetch("offer", queryset=found.with_terms(Offer.objects.all()))
    return list(rows.prefetch_related(terms).order_by(F("holder").asc(nulls_last=True), "-pk")[:MOST])


def _ticket(code: Code, occasion: Occasion, business: Business) -> Ticket | None:
    offer = code.offer
    try:
        if occasion.person is not None:
            found.check_person(code, offer, occasion.person)
        found.check_caps(code, offer, occasion, zone=business.zone)
    except Refused:
        return None
    headline = offer_terms.headline(offer, currency=business.currency)
    terms = offer_terms.of_customer(offer, currency=business.currency, ends_at=found.end_of(code, offer))
    ticket = Ticket(code=code, headline=headline, terms=terms)
    return _judged(ticket, occasion, business)


def _judged(ticket: Ticket, occasion: Occasion, business: Business) -> Ticket:
    try:
        if occasion.lines is not None:
            return replace(ticket, applied=found.judge(ticket.code, ticket.offer, occasion, business=business))
        found.check_time(ticket.code, ticket.offer, at=occasion.at, zone=business.zone)
    except Refused as refusal:
        return replace(ticket, refused=refusal)
    return ticket
