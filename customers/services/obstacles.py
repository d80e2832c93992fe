"""What stands in the way of taking an import back: rows that something later touched.

Sentences are English with `{values}`, said in the reader's language where they are shown (core.retelling).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_noop as _

# Words for {kind} that no model has.
WORDS: Final = (_("return"), _("e-mail"))


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`query` reads `undone`, the rows of the import, and finds one row at most, whose columns fill the sentence.

    Of several sentences its column `what` names the one.
    """

    query: str
    sentences: str | Mapping[str, str]

    def said(self, found: Mapping[str, Any]) -> str:
        text = self.sentences if isinstance(self.sentences, str) else self.sentences[found["what"]]
        return text.format(**found)


def first(obstacles: Iterable[Obstacle], params: Mapping[str, Any]) -> str:
    """The sentence of the first that there is; "" when nothing stands in the way."""
    with connection.cursor() as cursor:
        for obstacle in obstacles:
            cursor.execute(obstacle.query, params)
            names = [column.name for column in cursor.description or ()]
            if row := cursor.fetchone():
                return obstacle.said(dict(zip(names, row, strict=True)))
    return ""


LATER_IMPORT: Final = Obstacle(
    """
SELECT CASE r."table" WHEN 'unmatched' THEN 'return' WHEN 'email' THEN 'e-mail' ELSE r."table" END AS kind,
    coalesce(o.source || ':' || o.external_id, c.name, p.sku, k.source || ':' || k.external_id,
        r.object_id::text) AS name, r.batch_id AS number
FROM customers_importedrow r
JOIN undone u ON u."table" = r."table" AND u.id = r.object_id
JOIN customers_importbatch b ON b.id = r.batch_id AND b.state <> 'undone'
LEFT JOIN customers_order o ON r."table" = 'order' AND o.id = r.object_id
LEFT JOIN customers_customer c ON r."table" = 'customer' AND c.id = r.object_id
LEFT JOIN customers_product p ON r."table" = 'product' AND p.id = r.object_id
LEFT JOIN customers_contract k ON r."table" = 'contract' AND k.id = r.object_id
WHERE r.batch_id > %(batch)s ORDER BY r.id LIMIT 1""",
    _("{kind} {name} was changed by import {number}"),
)

LATER_ORDER_CHANGE: Final = Obstacle(
    """
SELECT o.source || ':' || o.external_id AS "order" FROM undone u
JOIN customers_order o ON o.id = u.id WHERE u."table" = 'order' AND o.batch_id IS DISTINCT FROM %(batch)s
ORDER BY o.id LIMIT 1""",
    _("order {order} was changed later"),
)

LATER_REFUND: Final = Obstacle(
    """
SELECT o.source || ':' || o.external_id AS "order", r.external_id AS refund
FROM undone u JOIN customers_order o ON o.id = u.id JOIN customers_refund r ON r.order_id = o.id
LEFT JOIN undone mine ON mine."table" = 'refund' AND mine.id = r.id
WHERE u."table" = 'order' AND mine.id IS NULL AND (u.created OR r.created_at > %(started_at)s) ORDER BY r.id LIMIT 1""",
    _("order {order} has the later refund {refund}"),
)

LATER_ORDER: Final = Obstacle(
    """
SELECT coalesce(nullif(c.name, ''), c.id::text) AS customer, o.source || ':' || o.external_id AS "order"
FROM undone u JOIN customers_customer c ON c.id = u.id JOIN customers_order o ON o.customer_id = c.id
LEFT JOIN undone mine ON mine."table" = 'order' AND mine.id = o.id
WHERE u."table" = 'customer' AND u.created AND mine.id IS NULL ORDER BY o.id LIMIT 1""",
    _("customer {customer} has the later order {order}"),
)

LATER_RETURN: Final = Obstacle(
    """
SELECT coalesce(nullif(c.name, ''), c.id::text) AS customer, r.source || ':' || r.external_id AS refund
FROM undone u JOIN customers_customer c ON c.id = u.id JOIN customers_unmatchedreturn r ON r.customer_id = c.id
LEFT JOIN undone mine ON mine."table" = 'unmatched' AND mine.id = r.id
WHERE u."table" = 'customer' AND u.created AND mine.id IS NULL ORDER BY r.id LIMIT 1""",
    _("customer {customer} has the later return {refund}"),
)

LATER_COST: Final = Obstacle(
    """
SELECT coalesce(nullif(c.name, ''), c.id::text) AS customer, k.source || ':' || k.external_id AS cost
FROM undone u JOIN customers_customer c ON c.id = u.id JOIN customers_cost k ON k.customer_id = c.id
WHERE u."table" = 'customer' AND u.created ORDER BY k.id LIMIT 1""",
    _("customer {customer} has the later cost {cost}"),
)

LATER_CONTRACT: Final = Obstacle(
    """
SELECT coalesce(nullif(c.name, ''), c.id::text) AS customer, k.source || ':' || k.external_id AS contract
FROM undone u JOIN customers_customer c ON c.id = u.id JOIN customers_contract k ON k.customer_id = c.id
WHERE u."table" = 'customer' AND u.created ORDER BY k.id LIMIT 1""",
    _("customer {customer} has the later contract {contract}"),
)

PRODUCT_IN_USE: Final = Obstacle(
    """
SELECT p.sku, o.source || ':' || o.external_id AS "order"
FROM undone u JOIN customers_product p ON p.id = u.id JOIN customers_orderline l ON l.product_id = p.id
JOIN customers_order o ON o.id = l.order_id LEFT JOIN undone mine ON mine."table" = 'order' AND mine.id = o.id
WHERE u."table" = 'product' AND u.created AND mine.id IS NULL ORDER BY l.id LIMIT 1""",
    _("product {sku} is in the later order {order}"),
)

RETURN_IN_USE: Final = Obstacle(
    """
SELECT p.sku, r.source || ':' || r.external_id AS refund
FROM undone u JOIN customers_product p ON p.id = u.id JOIN customers_unmatchedreturn r ON r.product_id = p.id
LEFT JOIN undone mine ON mine."table" = 'unmatched' AND mine.id = r.id
WHERE u."table" = 'product' AND u.created AND mine.id IS NULL ORDER BY r.id LIMIT 1""",
    _("product {sku} is in the later return {refund}"),
)

# What they agreed to is proof that the shop has to keep, and a no or a pause has to be heard.
MESSAGES: Final = Obstacle(
    """
SELECT coalesce(nullif(c.name, ''), c.id::text) AS customer
FROM undone u JOIN customers_customer c ON c.id = u.id
WHERE u."table" = 'customer' AND u.created AND (c.messages_paused_until IS NOT NULL
    OR EXISTS (SELECT FROM customers_consent s WHERE s.customer_id = c.id))
ORDER BY c.id LIMIT 1""",
    _("customer {customer} has said which messages may come"),
)

# Two became one since: what the file wrote of them cannot be told apart any more, and what it changed cannot go back.
MERGED: Final = Obstacle(
    """
SELECT coalesce(nullif(a.name, ''), a.id::text) AS customer, coalesce(nullif(b.name, ''), b.id::text) AS other
FROM (
    SELECT m.id FROM customers_merge m JOIN undone u ON u."table" = 'customer' AND u.id IN (m.into_id, m.other_id)
    UNION ALL
    SELECT m.id FROM undone u JOIN customers_merge m ON m.other_id = (u.before -> 'row' ->> 'customer_id')::bigint
    WHERE u."table" IN ('order', 'refund', 'unmatched', 'contract') AND NOT u.created
) found
JOIN customers_merge m ON m.id = found.id
JOIN customers_customer a ON a.id = m.into_id JOIN customers_customer b ON b.id = m.other_id
ORDER BY m.id LIMIT 1""",
    _("customer {customer} was merged with {other}"),
)

# What a person or a program changed by hand (core.models.Edit).
LATER_EDIT: Final = Obstacle(
    """
SELECT kinds.word AS kind,
    coalesce(nullif(c.name, ''), nullif(p.name, ''), p.sku, co.name, ca.name, k.source || ':' || k.external_id,
        u.id::text) AS name,
    coalesce(nullif(e.program, ''), nullif(s.name, ''), s.email) AS somebody,
    CASE WHEN coalesce(nullif(e.program, ''), s.email) IS NULL THEN 'unknown' ELSE 'known' END AS what,
    to_char(e.at AT TIME ZONE %(zone)s, 'YYYY-MM-DD HH24:MI') AS at
FROM core_edit e
JOIN (VALUES ('customer'), ('product'), ('company'), ('category'), ('contract')) AS kinds (word)
    ON e.about = 'customers_' || kinds.word
JOIN undone u ON u."table" = kinds.word AND u.id = e.about_id
LEFT JOIN core_user s ON s.id = e.user_id
LEFT JOIN customers_customer c ON kinds.word = 'customer' AND c.id = u.id
LEFT JOIN customers_product p ON kinds.word = 'product' AND p.id = u.id
LEFT JOIN customers_company co ON kinds.word = 'company' AND co.id = u.id
LEFT JOIN customers_category ca ON kinds.word = 'category' AND ca.id = u.id
LEFT JOIN customers_contract k ON kinds.word = 'contract' AND k.id = u.id
WHERE e.at > %(started_at)s AND (kinds.word <> 'contract' OR k.id IS NOT NULL) ORDER BY e.id LIMIT 1""",
    {
        "known": _("{kind} {name} was changed by {somebody} on {at}"),
        "unknown": _("{kind} {name} was changed on {at}"),
    },
)

# The first that finds something decides.
OBSTACLES: Final = (
    *(MERGED, LATER_EDIT, LATER_IMPORT, LATER_ORDER_CHANGE, LATER_REFUND, LATER_ORDER, LATER_RETURN),
    *(LATER_COST, LATER_CONTRACT, PRODUCT_IN_USE, RETURN_IN_USE, MESSAGES),
)
