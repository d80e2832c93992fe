"""What stands in the way of taking an import back (customers.services.undo), and which of its customers have to stay.

The points of its orders follow from facts: they are taken back when the orders are gone. But postings are kept for
ever, and so is whose they are. What somebody did with points, codes, referrals or products since is another matter.
Each query reads `undone`, the rows of the import.
"""

from typing import Final

NOT_BY_ORDERS: Final = """
SELECT format('customer %%s has %%s', coalesce(nullif(c.name, ''), c.id::text), since.what)
FROM (
    SELECT customer_id, 'redeemed points' AS what FROM loyalty_redemption
    UNION ALL SELECT customer_id, 'points that were adjusted by hand' FROM loyalty_adjustment
    UNION ALL SELECT customer_id, 'used a code' FROM loyalty_use
    UNION ALL SELECT holder_id, 'a code of their own' FROM loyalty_code WHERE holder_id IS NOT NULL
    UNION ALL SELECT customer_id, 'a referral code' FROM loyalty_referralcode
    UNION ALL SELECT friend_id, 'come by a referral' FROM loyalty_referral
    UNION ALL SELECT customer_id, 'replied to an event' FROM loyalty_reply
    UNION ALL SELECT customer_id, 'a tier by hand' FROM loyalty_standing WHERE set_by <> 'rules'
    UNION ALL SELECT a.customer_id, 'points on hold' FROM loyalty_account a WHERE a.held > 0
    UNION ALL SELECT customer_id, 'points for more than orders' FROM loyalty_posting
    WHERE kind = 'earn' AND order_id IS NULL
) since JOIN undone u ON u."table" = 'customer' AND u.created AND u.id = since.customer_id
JOIN customers_customer c ON c.id = u.id
ORDER BY c.id, since.what LIMIT 1"""

PRODUCT_NEEDED: Final = """
SELECT format('%%s %%s is in the %%s %%s', u."table", coalesce(p.sku, ca.name), needs.what, needs.name)
FROM (
    SELECT 'product' AS kind, product_id AS id, 'reward' AS what, name FROM loyalty_reward
    UNION ALL SELECT 'product', free_product_id, 'offer', name FROM loyalty_offer
    UNION ALL SELECT 'product', product_id, 'earning rule', name FROM loyalty_earningrule
    UNION ALL SELECT 'category', category_id, 'earning rule', name FROM loyalty_earningrule
    UNION ALL SELECT 'product', t.product_id, 'offer', o.name
    FROM loyalty_offer_products t JOIN loyalty_offer o ON o.id = t.offer_id
    UNION ALL SELECT 'category', t.category_id, 'offer', o.name
    FROM loyalty_offer_categories t JOIN loyalty_offer o ON o.id = t.offer_id
    UNION ALL SELECT 'product', i.product_id, 'price list', l.name
    FROM loyalty_priceitem i JOIN loyalty_pricelist l ON l.id = i.price_list_id
    UNION ALL SELECT 'category', i.category_id, 'price list', l.name
    FROM loyalty_priceitem i JOIN loyalty_pricelist l ON l.id = i.price_list_id
) needs JOIN undone u ON u."table" = needs.kind AND u.created AND u.id = needs.id
LEFT JOIN customers_product p ON u."table" = 'product' AND p.id = u.id
LEFT JOIN customers_category ca ON u."table" = 'category' AND ca.id = u.id
ORDER BY u.id, needs.what, needs.name LIMIT 1"""

OBSTACLES: Final = (NOT_BY_ORDERS, PRODUCT_NEEDED)

# Whoever has a row that is never removed.
STAY: Final = """
SELECT u.id FROM undone u WHERE u."table" = 'customer' AND u.created AND (
    EXISTS (SELECT FROM loyalty_account a WHERE a.customer_id = u.id)
    OR EXISTS (SELECT FROM loyalty_standing s WHERE s.customer_id = u.id)
    OR EXISTS (SELECT FROM loyalty_move m WHERE m.customer_id = u.id))
ORDER BY u.id"""
