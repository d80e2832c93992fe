"""Products and categories that staged rows name: made where they are new, named as most of their paid rows do."""

from collections.abc import Mapping
from typing import Any, Final

from customers.services.merging import run

CATEGORIES: Final = """
WITH made AS (
    INSERT INTO customers_category (name) SELECT DISTINCT category FROM staged WHERE category <> '' ORDER BY 1
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, 'category', id, true FROM made
"""

BEST: Final = """
DROP TABLE IF EXISTS pg_temp.best;
CREATE TEMP TABLE best AS
SELECT DISTINCT ON (sku) sku, product, kind, category FROM (
    SELECT sku, product, kind, category, count(*) AS rows, bool_or(net_cents <> 0) AS paid
    FROM staged GROUP BY sku, product, kind, category
) named ORDER BY sku, (product <> '' AND paid) DESC, product <> '' DESC, rows DESC, product, kind, category"""

NEW: Final = """
WITH made AS (
    INSERT INTO customers_product (sku, name, kind, category_id, created_at, batch_id)
    SELECT b.sku, b.product, b.kind, c.id, %(at)s, %(batch)s
    FROM best b LEFT JOIN customers_category c ON c.name = b.category
    WHERE NOT EXISTS (SELECT FROM customers_product p WHERE p.sku = b.sku) ORDER BY b.sku
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, 'product', id, true FROM made
"""

# A known product keeps what is known of it.
KNOWN: Final = """
WITH noted AS (
    INSERT INTO customers_importedrow (batch_id, "table", object_id, created, before)
    SELECT %(batch)s, 'product', p.id, false, to_jsonb(p) FROM customers_product p JOIN best b ON b.sku = p.sku
    WHERE p.name = '' AND b.product <> '' OR p.category_id IS NULL AND b.category <> '' ON CONFLICT DO NOTHING
)
UPDATE customers_product p SET
    name = CASE WHEN p.name = '' THEN b.product ELSE p.name END,
    category_id = coalesce(p.category_id, (SELECT c.id FROM customers_category c WHERE c.name = b.category))
FROM best b WHERE b.sku = p.sku AND (p.name = '' AND b.product <> '' OR p.category_id IS NULL AND b.category <> '')"""


def merge_products(params: Mapping[str, Any]) -> None:
    """Params: batch, at. Bounded by the number of products, which is small beside the rows."""
    run((CATEGORIES, BEST, NEW, KNOWN), params)
