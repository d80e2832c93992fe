"""Taking the demo's programme away with the demo.

In a business that is the demo's a programme that still has the demo's name goes with everything in it. Any other is
somebody's own, and only what the demo's customers have of it goes.
"""

from typing import Any, Final

from django.db import connection

from core.models import Business
from crm.demo import club
from loyalty.models import Programme
from loyalty.models.programme import MANY, ONE
from loyalty.services import removing

# In the order that foreign keys ask for. `members` are the customers whose points go.
OF_MEMBERS: Final = (
    "DELETE FROM loyalty_act WHERE customer_id = ANY(%(members)s)",
    """DELETE FROM loyalty_linecredit l USING loyalty_credit c
    WHERE l.order_id = c.order_id AND c.customer_id = ANY(%(members)s)""",
    "DELETE FROM loyalty_credit WHERE customer_id = ANY(%(members)s)",
    """WITH gone AS (
        DELETE FROM loyalty_use WHERE customer_id = ANY(%(members)s)
            OR code_id IN (SELECT id FROM loyalty_code WHERE holder_id = ANY(%(members)s))
        RETURNING offer_id, code_id, state, discount_cents + free_cents AS cents
    ), counted AS (
        UPDATE loyalty_code c SET used = c.used - n.uses FROM (
            SELECT code_id, count(*) AS uses FROM gone WHERE state <> 'released' GROUP BY code_id
        ) n WHERE n.code_id = c.id
    )
    UPDATE loyalty_offer o SET used = o.used - n.uses, spent_cents = greatest(o.spent_cents - n.cents, 0) FROM (
        SELECT offer_id, count(*) AS uses, sum(cents) AS cents FROM gone WHERE state <> 'released' GROUP BY offer_id
    ) n WHERE n.offer_id = o.id""",
    "DELETE FROM loyalty_code WHERE holder_id = ANY(%(members)s)",
    "DELETE FROM loyalty_referral WHERE advocate_id = ANY(%(members)s) OR friend_id = ANY(%(members)s)",
    """DELETE FROM loyalty_referralinvite i USING loyalty_referralcode c
    WHERE i.code_id = c.id AND c.customer_id = ANY(%(members)s)""",
    "DELETE FROM loyalty_referralcode WHERE customer_id = ANY(%(members)s)",
    """DELETE FROM loyalty_poolcode p USING loyalty_redemption r
    WHERE p.redemption_id = r.id AND r.customer_id = ANY(%(members)s)""",
    "DELETE FROM loyalty_redemption WHERE customer_id = ANY(%(members)s)",
)
# What a manager sets up; by now nobody's rows refer to it.
SET_UP: Final = (
    *("use", "code", "offer_products", "offer_categories", "offer_segments", "offer_tiers", "offer"),
    *("priceitem", "pricelist", "poolcode", "rewardprice", "reward", "reply", "event", "birthdaygift"),
    *("action", "earningrule", "referralstep", "referralplan", "tier", "tierplan", "pause"),
)
# Things of the demo that a programme needs which stays.
NEEDED: Final = """
CREATE TEMP TABLE needed_product ON COMMIT DROP AS
SELECT product_id AS id FROM loyalty_reward UNION SELECT free_product_id FROM loyalty_offer
UNION SELECT product_id FROM loyalty_offer_products UNION SELECT product_id FROM loyalty_earningrule
UNION SELECT product_id FROM loyalty_priceitem;
CREATE TEMP TABLE needed_category ON COMMIT DROP AS
SELECT category_id AS id FROM loyalty_offer_categories UNION SELECT category_id FROM loyalty_earningrule
UNION SELECT category_id FROM loyalty_priceitem
"""


def clear() -> None:
    """Remove it, and note in `needed_product` and `needed_category` what has to stay for others.

    Call it within the transaction that takes the demo's customers (`going_customer`), before they go.
    """
    _remove()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.needed_product, pg_temp.needed_category")
        cursor.execute(NEEDED)


def _remove() -> None:
    is_ours = Programme.objects.filter(name=club.NAME).exists() and Business.objects.filter(is_demo=True).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer" if is_ours else "SELECT id FROM going_customer")
        members: dict[str, Any] = {"members": [pk for (pk,) in cursor.fetchall()]}
        for statement in OF_MEMBERS:
            cursor.execute(statement, members)
        removing.remove_demo_tiers(customer_ids=members["members"])
        removing.remove_demo(customer_ids=members["members"])
        for table in SET_UP if is_ours else ():
            cursor.execute(f"DELETE FROM loyalty_{table}")  # noqa: S608 - the names stand above
    if is_ours:
        # The pages follow the row (loyalty/migrations).
        Programme.objects.update(opened_at=None, paused_at=None, point_name=ONE, points_name=MANY)
        Programme.objects.all().delete()
