"""Baskets as programs and people name them, with what is known of the products."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from core import money
from core.models import Business
from customers.models import Order, Product
from loyalty import baskets
from loyalty.baskets import BasketLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something in a basket. Without a price it costs what the catalogue says."""

    sku: str
    quantity: Decimal
    unit_price: Decimal | None = None


def read(items: Sequence[Item], *, business: Business) -> list[BasketLine]:
    """The lines, with costs and categories of the products that are known. Raises BadBasket. One query."""
    found = Product.objects.select_related("category").in_bulk([item.sku for item in items], field_name="sku")
    lines = [_line(item, found.get(item.sku), business, place) for place, item in enumerate(items, start=1)]
    baskets.check(lines)
    return lines


def _line(item: Item, product: Product | None, business: Business, position: int) -> BasketLine:
    price = item.unit_price
    if price is None and product is not None:
        price = product.unit_price
    if price is None:
        said = _("The price of line %(line)s is not known; say it.") % {"line": position}
        raise baskets.BadBasket(said, position)
    return baskets.line(
        sku=item.sku,
        quantity=item.quantity,
        unit_price=price,
        exponent=money.exponent(business.currency),
        position=position,
        **_known(product, business),
    )


def _known(product: Product | None, business: Business) -> dict[str, Any]:
    if product is None:
        return {"margin_rate": business.margin_rate}
    return {
        "list_price": product.unit_price,
        "unit_cost": product.unit_cost,
        "margin_rate": margin_rate(product, business),
        "product_id": product.pk,
        "category_id": product.category_id,
        "category": product.category.name if product.category else "",
        "is_goods": product.kind == Product.Kind.GOODS,
    }


def margin_rate(product: Product, business: Business) -> Decimal:
    """The margin rate where the product's cost is unknown: its category's, else the business's."""
    rate = product.category.margin_rate if product.category else None
    return business.margin_rate if rate is None else rate


def of_order(order: Order, *, business: Business) -> list[BasketLine]:
    """What was bought, at the prices before discounts. Lines of nothing are left out."""
    lines = order.lines.select_related("product").filter(quantity__gt=0, unit_price__gte=0).order_by("position")
    items = [Item(sku=line.product.sku, quantity=line.quantity, unit_price=line.unit_price) for line in lines]
    return read(items, business=business) if items else []
