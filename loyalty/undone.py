"""What stands in the way of taking an import back (customers.services.undo), and which of its customers have to stay.

The points of its orders follow from facts: they are taken back when the orders are gone. But postings are kept for
ever, and so is whose they are. What somebody did with points, codes, referrals or products since is another matter.
Each query reads `undone`, the rows of the import.
"""

from typing import Final

from django.utils.translation import gettext_noop as _

from customers.services.obstacles import Obstacle

# Each part is looked up by the customer's id. Of postings, of which there are millions, the account leads into the
# index points_earned_by_time; everything else goes by an index on the customer, or is small.
NOT_BY_ORDERS: Final = Obstacle(
    """
SELECT coalesce(nullif(c.name, ''), c.id::text) AS customer, since.what,
    coalesce((SELECT points_name FROM loyalty_programme), 'points') AS points
FROM undone u JOIN customers_customer c ON c.id = u.id CROSS JOIN LATERAL (
    SELECT 'redeemed' AS what WHERE EXISTS (SELECT FROM loyalty_redemption WHERE customer_id = u.id)
    UNION ALL SELECT 'adjusted' WHERE EXISTS (SELECT FROM loyalty_adjustment WHERE customer_id = u.id)
    UNION ALL SELECT 'used' WHERE EXISTS (SELECT FROM loyalty_use WHERE customer_id = u.id)
    UNION ALL SELECT 'holder' WHERE EXISTS (SELECT FROM loyalty_code WHERE holder_id = u.id)
    UNION ALL SELECT 'referring' WHERE EXISTS (SELECT FROM loyalty_referralcode WHERE customer_id = u.id)
    UNION ALL SELECT 'referred' WHERE EXISTS (SELECT FROM loyalty_referral WHERE friend_id = u.id)
    UNION ALL SELECT 'replied' WHERE EXISTS (SELECT FROM loyalty_reply WHERE customer_id = u.id)
    UNION ALL SELECT 'tier' WHERE EXISTS (SELECT FROM loyalty_standing WHERE customer_id = u.id AND set_by <> 'rules')
    UNION ALL SELECT 'held' WHERE EXISTS (SELECT FROM loyalty_account WHERE customer_id = u.id AND held > 0)
    UNION ALL SELECT 'earned' WHERE EXISTS (SELECT FROM loyalty_posting WHERE kind = 'earn' AND order_id IS NULL
        AND account_id = (SELECT id FROM loyalty_account WHERE customer_id = u.id))
) since
WHERE u."table" = 'customer' AND u.created
ORDER BY c.id, since.what LIMIT 1""",
    {
        "redeemed": _("customer {customer} has redeemed {points}"),
        "adjusted": _("customer {customer} has {points} that were adjusted by hand"),
        "used": _("customer {customer} has used a code"),
        "holder": _("customer {customer} has a code of their own"),
        "referring": _("customer {customer} has a referral code"),
        "referred": _("customer {customer} has come by a referral"),
        "replied": _("customer {customer} has replied to an event"),
        "tier": _("customer {customer} has a tier by hand"),
        "held": _("customer {customer} has {points} on hold"),
        "earned": _("customer {customer} has {points} for more than orders"),
    },
)

PRODUCT_NEEDED: Final = Obstacle(
    """
SELECT u."table" AS kind, coalesce(p.sku, ca.name) AS name, needs.what, needs.name AS needed_by
FROM (
    SELECT 'product' AS kind, product_id AS id, 'reward' AS what, name FROM loyalty_reward
    UNION ALL SELECT 'product', free_product_id, 'offer', name FROM loyalty_offer
    UNION ALL SELECT 'product', product_id, 'rule', name FROM loyalty_earningrule
    UNION ALL SELECT 'category', category_id, 'rule', name FROM loyalty_earningrule
    UNION ALL SELECT 'product', t.product_id, 'offer', o.name
    FROM loyalty_offer_products t JOIN loyalty_offer o ON o.id = t.offer_id
    UNION ALL SELECT 'category', t.category_id, 'offer', o.name
    FROM loyalty_offer_categories t JOIN loyalty_offer o ON o.id = t.offer_id
    UNION ALL SELECT 'product', i.product_id, 'list', l.name
    FROM loyalty_priceitem i JOIN loyalty_pricelist l ON l.id = i.price_list_id
    UNION ALL SELECT 'category', i.category_id, 'list', l.name
    FROM loyalty_priceitem i JOIN loyalty_pricelist l ON l.id = i.price_list_id
) needs JOIN undone u ON u."table" = needs.kind AND u.created AND u.id = needs.id
LEFT JOIN customers_product p ON u."table" = 'product' AND p.id = u.id
LEFT JOIN customers_category ca ON u."table" = 'category' AND ca.id = u.id
ORDER BY u.id, needs.what, needs.name LIMIT 1""",
    {
        "reward": _("{kind} {name} is in the reward {needed_by}"),
        "offer": _("{kind} {name} is in the offer {needed_by}"),
        "rule": _("{kind} {name} is in the earning rule {needed_by}"),
        "list": _("{kind} {name} is in the price list {needed_by}"),
    },
)

OBSTACLES: Final = (NOT_BY_ORDERS, PRODUCT_NEEDED)

# Whoever has a row that is never removed.
STAY: Final = """
SELECT u.id FROM undone u WHERE u."table" = 'customer' AND u.created AND (
    EXISTS (SELECT FROM loyalty_account a WHERE a.customer_id = u.id)
    OR EXISTS (SELECT FROM loyalty_standing s WHERE s.customer_id = u.id)
    OR EXISTS (SELECT FROM loyalty_move m WHERE m.customer_id = u.id))
ORDER BY u.id"""
