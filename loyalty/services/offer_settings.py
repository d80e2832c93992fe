"""Writing offers: what they take off, for whom, and whether they run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from customers.models import Category, Product, Segment
from loyalty.models import Offer, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`fields` are columns of the offer by name; the rest is what it is limited to."""

    fields: Mapping[str, Any]
    products: Sequence[Product] = ()
    categories: Sequence[Category] = ()
    segments: Sequence[Segment] = ()
    tiers: Sequence[Tier] = ()


@transaction.atomic
def add(*, terms: Terms, by: int | None) -> Offer:
    offer = Offer.objects.create(**terms.fields, created_by_id=by)
    _limit(offer, terms)
    return offer


@transaction.atomic
def change(*, offer_id: int, terms: Terms) -> Offer:
    """Uses that were made stay as they were."""
    offer = Offer.objects.select_for_update(no_key=True).get(pk=offer_id)
    for name, value in terms.fields.items():
        setattr(offer, name, value)
    offer.save(update_fields=list(terms.fields))
    _limit(offer, terms)
    return offer


def _limit(offer: Offer, terms: Terms) -> None:
    offer.products.set(terms.products)
    offer.categories.set(terms.categories)
    offer.segments.set(terms.segments)
    offer.tiers.set(terms.tiers)


@transaction.atomic
def set_state(*, offer_id: int, state: Offer.State) -> Offer:
    """Pause, go on or end. What ended stays ended."""
    offer = Offer.objects.select_for_update(no_key=True).get(pk=offer_id)
    if offer.state != Offer.State.ENDED:
        offer.state = state
        offer.save(update_fields=["state"])
    return offer
