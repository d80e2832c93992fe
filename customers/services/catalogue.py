"""Products and categories by hand.

Lines keep the cost and the kind of the day of sale. Lines that never had a cost follow the rate of their product's
category from the next night on (customers.services.margins).
"""

from dataclasses import dataclass, fields
from decimal import Decimal

from django.db import IntegrityError, transaction

from customers.models import Category, Product


class SkuTaken(Exception):
    """Another product has this SKU."""


class NameTaken(Exception):
    """Another category has this name."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """What people edit of a product."""

    sku: str
    name: str = ""
    kind: str = Product.Kind.GOODS
    category: Category | None = None
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None


COLUMNS = tuple(one.name for one in fields(Item))


@transaction.atomic
def add_product(*, item: Item) -> Product:
    """Raises SkuTaken."""
    product = Product(**{name: getattr(item, name) for name in COLUMNS})
    try:
        with transaction.atomic():
            product.save(force_insert=True)
    except IntegrityError as error:
        raise SkuTaken(item.sku) from error
    return product


@transaction.atomic
def change_product(*, product_id: int, item: Item) -> Product:
    """Raises SkuTaken."""
    product = Product.objects.select_for_update(no_key=True).get(pk=product_id)
    for name in COLUMNS:
        setattr(product, name, getattr(item, name))
    try:
        with transaction.atomic():
            product.save(update_fields=COLUMNS)
    except IntegrityError as error:
        raise SkuTaken(item.sku) from error
    return product


def save_category(*, category_id: int | None, name: str, margin_rate: Decimal | None) -> Category:
    """Make or change a category. Raises NameTaken."""
    values = {"name": name, "margin_rate": margin_rate}
    try:
        with transaction.atomic():
            category, _ = Category.objects.update_or_create(pk=category_id, defaults=values)
    except IntegrityError as error:
        raise NameTaken(name) from error
    return category
