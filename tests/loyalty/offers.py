"""Plain factories of offers: facts as people leave them, one changed thing per call."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from loyalty import codes
from loyalty.models import Code, Offer
from loyalty.selectors.basket_lines import Item
from loyalty.services import offers
from loyalty.services.offers import Purchase
from tests import factories

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
numbers = count(1)

PLAIN = {"kind": "percent", "percent": Decimal(10), "line_floor": None, "order_floor": None}


def make_offer(*, products=(), categories=(), segments=(), tiers=(), **fields):
    """Ten percent off everything, for everybody, without floors."""
    if fields.get("kind", "percent") != "percent":
        fields = {"percent": None} | fields
    offer = Offer.objects.create(**{"name": f"Offer {next(numbers)}"} | PLAIN | fields)
    offer.products.set(products)
    offer.categories.set(categories)
    offer.segments.set(segments)
    offer.tiers.set(tiers)
    return offer


def make_code(offer=None, *, text=None, **fields):
    offer = offer or make_offer()
    code = codes.normalise(text) if text else codes.new()
    return Code.objects.create(**{"offer": offer, "code": code, "label": text or ""} | fields)


def make_item(sku="MUG", quantity=1, unit_price=100):
    return Item(sku=sku, quantity=Decimal(quantity), unit_price=Decimal(str(unit_price)))


def basket(*items, **fields):
    return Purchase(items=items or [make_item()], **fields)


def redeem(code, *, customer=None, key=None, at=AT, purchase=None, **fields):
    return offers.redeem(
        text=code if isinstance(code, str) else code.code,
        customer_id=(customer or factories.make_customer()).pk,
        key=key or f"key-{next(numbers)}",
        at=at,
        purchase=basket() if purchase is None else purchase,
        **fields,
    )
