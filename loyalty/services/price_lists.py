"""Writing price lists. A price here is always a discount from the public list price."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Category, Product, Segment
from loyalty.models import PriceItem, PriceList, Tier


class NotADiscount(ValueError):
    """The message is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A price list without its prices."""

    name: str
    is_active: bool
    priority: int
    segment: Segment | None
    tier: Tier | None
    min_months: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    floor: Decimal | None


FIELDS = tuple(Settings.__dataclass_fields__)


def add(*, settings: Settings) -> PriceList:
    return PriceList.objects.create(**{name: getattr(settings, name) for name in FIELDS})


def change(*, price_list_id: int, settings: Settings) -> PriceList:
    row = PriceList.objects.get(pk=price_list_id)
    for name in FIELDS:
        setattr(row, name, getattr(settings, name))
    row.save(update_fields=FIELDS)
    return row


@transaction.atomic
def set_price(
    *,
    price_list: PriceList,
    product: Product | None = None,
    category: Category | None = None,
    percent: Decimal | None = None,
    unit_price: Decimal | None = None,
) -> PriceItem:
    """Write the price of a product, of a category, or (neither) of all goods; what stood there goes.

    Raises NotADiscount for a price that is not below the public one.
    """
    list_price = product.unit_price if product is not None and unit_price is not None else None
    if unit_price is not None:
        _check(product, list_price, unit_price)
    item, _made = PriceItem.objects.update_or_create(
        price_list=price_list,
        product=product,
        category=category,
        defaults={"percent": percent, "unit_price": unit_price, "list_price": list_price},
    )
    return item


def _check(product: Product | None, list_price: Decimal | None, unit_price: Decimal) -> None:
    if product is None:
        raise NotADiscount(_("A fixed price is for one product. Take a percentage for many."))
    if list_price is None:
        raise NotADiscount(_("The product has no list price yet. Write it first: a price here is a discount from it."))
    if unit_price >= list_price:
        told = {"price": f"{list_price.normalize():f}"}
        raise NotADiscount(_("The list price is %(price)s. A price here has to be below it.") % told)


def remove_price(*, price_list_id: int, item_id: int) -> None:
    PriceItem.objects.filter(pk=item_id, price_list_id=price_list_id).delete()
