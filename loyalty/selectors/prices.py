"""The price that one customer pays for products, and why: the public list price, or what a price list makes of it.

Of several that fit, the most specific item wins (product, category, all), then the list with the higher priority, then
the lower price. A price is never above the public list price, and never below what the list's margin floor leaves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from django.db.models import Q

from core import business as settings_row
from core import money
from core.models import Business
from customers.models import Product
from loyalty.models import PriceItem, PriceList
from loyalty.selectors import basket_lines, standing
from loyalty.selectors.standing import Person

HUNDRED: Final = Decimal(100)
MOST_SKUS: Final = 500


class Reason(StrEnum):
    """Why a price is as it is."""

    LIST = "list"  # nothing makes it lower
    PRICE_LIST = "price_list"
    FLOOR = "floor"  # a price list, held back by its margin floor
    UNKNOWN = "unknown"  # the product, or its list price


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one piece costs a customer. `unit_price` is None where nobody knows the list price."""

    sku: str
    product: Product | None
    list_price: Decimal | None
    unit_price: Decimal | None
    reason: Reason
    price_list: PriceList | None = None
    item: PriceItem | None = None

    @property
    def saved(self) -> Decimal:
        """What is off the list price of one piece."""
        if self.list_price is None or self.unit_price is None:
            return Decimal(0)
        return self.list_price - self.unit_price


def price_for(
    customer_id: int | None, skus: Sequence[str], *, at: datetime, business: Business | None = None
) -> list[Price]:
    """The price of each SKU, in their order. Nobody in particular pays the list price. Seven queries at most."""
    row = business or settings_row.current()
    products = Product.objects.select_related("category").in_bulk(list(skus)[:MOST_SKUS], field_name="sku")
    items: list[PriceItem] = []
    if customer_id is not None:
        person = standing.person(customer_id, at=at, zone=row.zone)
        items = _items(lists_of(person, at=at), products.values())
    return [_price(sku, products.get(sku), items, row) for sku in skus[:MOST_SKUS]]


def lists_of(person: Person, *, at: datetime) -> list[PriceList]:
    """The price lists that are for this customer at `at`, the highest priority first."""
    running = Q(is_active=True) & (Q(starts_at=None) | Q(starts_at__lte=at)) & (Q(ends_at=None) | Q(ends_at__gt=at))
    rows = PriceList.objects.filter(running).order_by("-priority", "pk")
    return [row for row in rows if is_for(row, person)]


def is_for(row: PriceList, person: Person) -> bool:
    """Whether the customer fulfils all that the list asks."""
    if row.segment_id is not None and row.segment_id not in person.segment_ids:
        return False
    if row.tier_id is not None and row.tier_id != person.tier_id:
        return False
    return row.min_months is None or (person.months is not None and person.months >= row.min_months)


def _items(lists: Sequence[PriceList], products: Iterable[Product]) -> list[PriceItem]:
    known = list(products)
    ids, categories = [one.pk for one in known], {one.category_id for one in known if one.category_id}
    wanted = Q(product__in=ids) | Q(category__in=categories) | Q(product=None, category=None)
    rows = PriceItem.objects.filter(wanted, price_list__in=lists) if lists else PriceItem.objects.none()
    by_id = {one.pk: one for one in lists}
    items = list(rows.order_by("pk"))
    for item in items:
        item.price_list = by_id[item.price_list_id]
    return items


def _price(sku: str, product: Product | None, items: Sequence[PriceItem], business: Business) -> Price:
    if product is None or product.unit_price is None:
        return Price(sku=sku, product=product, list_price=None, unit_price=None, reason=Reason.UNKNOWN)
    list_price = product.unit_price
    plain = Price(sku=sku, product=product, list_price=list_price, unit_price=list_price, reason=Reason.LIST)
    fitting = [item for item in items if _is_of(item, product)]
    if not fitting or product.kind != Product.Kind.GOODS:
        return plain
    item = min(fitting, key=lambda one: (*_rank(one), wanted(one, list_price, business), one.pk))
    return _of_item(plain, item, product, business)


def _of_item(plain: Price, item: PriceItem, product: Product, business: Business) -> Price:
    list_price = product.unit_price or Decimal(0)
    asked = wanted(item, list_price, business)
    least = floor_of(product, item.price_list.floor, business)
    price = min(list_price, max(asked, least))
    if price >= list_price:
        return plain
    reason = Reason.FLOOR if price > asked else Reason.PRICE_LIST
    return Price(
        sku=plain.sku,
        product=product,
        list_price=list_price,
        unit_price=price,
        reason=reason,
        price_list=item.price_list,
        item=item,
    )


def _is_of(item: PriceItem, product: Product) -> bool:
    if item.product_id is not None:
        return item.product_id == product.pk
    return item.category_id is None or item.category_id == product.category_id


def _rank(item: PriceItem) -> tuple[int, int]:
    """The lower the better: how specific it is, then the priority of its list."""
    breadth = 0 if item.product_id is not None else 1 if item.category_id is not None else 2
    return breadth, -item.price_list.priority


def wanted(item: PriceItem, list_price: Decimal, business: Business) -> Decimal:
    """The price that the item asks for, in the currency's smallest coin, before any floor."""
    if item.unit_price is not None:
        return min(item.unit_price, list_price)
    coin = Decimal(1).scaleb(-money.exponent(business.currency))
    exact = list_price * (HUNDRED - (item.percent or 0)) / HUNDRED
    return min(exact.quantize(coin, rounding=ROUND_HALF_UP), list_price)


def floor_of(product: Product, floor: Decimal | None, business: Business) -> Decimal:
    """The least one piece may cost so that the share `floor` of it is margin; 0 without a floor."""
    if floor is None:
        return Decimal(0)
    cost = product.unit_cost
    if cost is None:
        cost = (product.unit_price or Decimal(0)) * (1 - basket_lines.margin_rate(product, business))
    coin = Decimal(1).scaleb(-money.exponent(business.currency))
    return (cost / (1 - floor)).quantize(coin, rounding=ROUND_CEILING)
