"""The products that orders name: made where they are new, completed where something was not known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection

from customers.models import Category, Product


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A product as an order names it."""

    sku: str
    name: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Good:
    """What it takes to price a line. `margin_rate` is the category's."""

    product_id: int
    name: str
    kind: str
    unit_cost: Decimal | None
    category_id: int | None
    margin_rate: Decimal | None

    @property
    def counts(self) -> bool:
        return self.kind == Product.Kind.GOODS


FIND: Final = """
SELECT p.sku, p.id, p.name, p.kind, p.unit_cost, p.category_id, c.margin_rate
FROM customers_product p LEFT JOIN customers_category c ON c.id = p.category_id WHERE p.sku = ANY(%s)"""

TOLD: Final = """
SELECT told.sku, told.name, c.id AS category_id
FROM unnest(%(skus)s::text[], %(names)s::text[], %(categories)s::text[]) AS told (sku, name, category)
LEFT JOIN customers_category c ON c.name = told.category"""

MAKE: Final = f"""
INSERT INTO customers_product (sku, name, kind, category_id, created_at)
SELECT sku, coalesce(nullif(name, ''), sku), 'goods', category_id, now() FROM ({TOLD}) AS told ORDER BY sku
ON CONFLICT DO NOTHING"""

COMPLETE: Final = f"""
UPDATE customers_product p SET name = CASE WHEN p.name = '' THEN told.name ELSE p.name END,
    category_id = coalesce(p.category_id, told.category_id)
FROM ({TOLD}) AS told
WHERE p.sku = told.sku
    AND (p.name = '' AND told.name <> '' OR p.category_id IS NULL AND told.category_id IS NOT NULL)"""


def settle(*, named: Iterable[Named]) -> Mapping[str, Good]:
    """The product of each SKU. Call it in a transaction; of several names for one product the first counts."""
    told = _first_words(named)
    known = _find(list(told))
    more = [product for sku, product in told.items() if sku not in known or _says_more(product, known[sku])]
    if more:
        _write([product for product in more if product.sku not in known], MAKE)
        _write([product for product in more if product.sku in known], COMPLETE)
        known |= _find([product.sku for product in more])
    return known


def _first_words(named: Iterable[Named]) -> dict[str, Named]:
    told: dict[str, Named] = {}
    for product in named:
        known = told.setdefault(product.sku, product)
        if (product.name and not known.name) or (product.category and not known.category):
            told[product.sku] = Named(
                sku=product.sku, name=known.name or product.name, category=known.category or product.category
            )
    return told


def _says_more(product: Named, good: Good) -> bool:
    return bool((product.name and not good.name) or (product.category and good.category_id is None))


def _find(skus: list[str]) -> dict[str, Good]:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [skus])
        return {sku: Good(*known) for sku, *known in cursor.fetchall()}


def _write(products: Sequence[Named], statement: str) -> None:
    if not products:
        return
    categories = sorted({product.category for product in products if product.category})
    if categories:
        Category.objects.bulk_create([Category(name=name) for name in categories], ignore_conflicts=True)
    params = {
        "skus": [product.sku for product in products],
        "names": [product.name for product in products],
        "categories": [product.category for product in products],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
