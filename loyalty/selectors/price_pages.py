"""Price lists as the desk shows them, and a customer's prices with their reasons."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When

from core.models import Business
from customers.folding import Fold
from customers.models import Customer, Product
from loyalty import offer_terms
from loyalty.models import PriceItem, PriceList
from loyalty.selectors import prices, standing
from loyalty.selectors.prices import Price

FOUND: Final = 8
PREVIEWED: Final = 50
WORDS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a customer pays: the lists that are for her, and the products that cost her less."""

    lists: list[PriceList]
    prices: list[Price]
    looked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """A price of a list. `unit_price` is what a piece comes to, where that can be said; `is_held` by the floor."""

    item: PriceItem
    list_price: Decimal | None
    unit_price: Decimal | None
    is_held: bool

    @property
    def off(self) -> str:
        """The percentage as it is read; "" for a price."""
        return "" if self.item.percent is None else offer_terms.percent(self.item.percent)


def lists() -> QuerySet[PriceList]:
    """Those in use first, by what comes first."""
    rows = PriceList.objects.select_related("segment", "tier").annotate(item_count=Count("items"))
    return rows.order_by("-is_active", "-priority", "name", "pk")


def items(row: PriceList, *, business: Business) -> list[ItemRow]:
    """Products first, then categories, then all goods: in the order in which they win."""
    breadth = Case(
        When(product__isnull=False, then=Value(0)),
        When(category__isnull=False, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    found = row.items.select_related("product__category", "category").annotate(breadth=breadth)
    return [_item(item, row, business) for item in found.order_by("breadth", "product__sku", "category__name", "pk")]


def _item(item: PriceItem, row: PriceList, business: Business) -> ItemRow:
    product = item.product
    if product is None or product.unit_price is None:
        return ItemRow(item=item, list_price=None, unit_price=None, is_held=False)
    asked = prices.wanted(item, product.unit_price, business)
    least = prices.floor_of(product, row.floor, business)
    price = min(product.unit_price, max(asked, least))
    return ItemRow(item=item, list_price=product.unit_price, unit_price=price, is_held=price > asked)


def find_customers(text: str) -> list[Customer]:
    """By words of the name, e-mail or phone."""
    words = text.replace("\0", " ").split()[:WORDS]
    found = Customer.objects.filter(archived_at__isnull=True)
    for word in words:
        found = found.filter(search__contains=Fold(Value(word)))
    return list(found.order_by("sort_name", "pk")[:FOUND]) if words else []


def preview(customer: Customer, *, at: datetime, business: Business) -> Preview:
    """The first products with a list price that cost this customer less."""
    person = standing.person(customer.pk, at=at, zone=business.zone)
    skus = list(
        Product.objects.filter(unit_price__isnull=False, kind=Product.Kind.GOODS)
        .order_by("name", "pk")
        .values_list("sku", flat=True)[: prices.MOST_SKUS]
    )
    found = prices.price_for(customer.pk, skus, at=at, business=business)
    lower = [price for price in found if price.saved > 0]
    return Preview(lists=prices.lists_of(person, at=at), prices=lower[:PREVIEWED], looked_at=len(found))
