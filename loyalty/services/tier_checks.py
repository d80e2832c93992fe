"""What `verify_ledger` asks of tiers."""

from typing import Final, NamedTuple

from django.db import connection

from core import business as settings_row
from loyalty.selectors import tier_values
from loyalty.services import tier_rules, tiers

# The tier that a row of history says, or none.
HISTORY: Final = """
SELECT format('standing of customer %s: tier %s, but the last move says %s', s.customer_id,
    coalesce(s.tier_id::text, 'none'), coalesce(m.after_id::text, 'none'))
FROM loyalty_standing s
LEFT JOIN LATERAL (
    SELECT after_id FROM loyalty_move m WHERE m.customer_id = s.customer_id ORDER BY m.id DESC LIMIT 1
) m ON true
WHERE s.tier_id IS DISTINCT FROM m.after_id ORDER BY s.customer_id"""

# Orders that no reaction has looked at yet are no mistake.
BELOW: Final = """
SELECT format('customer %%s: rank %%s, but %%s are enough for rank %%s', customer_id, rank, value_now, goal)
FROM decided
WHERE goal > rank AND reason = 'reached' AND NOT EXISTS (
    SELECT FROM core_change c WHERE c.kind = 'customer_orders' AND c.object_id = decided.customer_id
        AND c.xid >= coalesce((SELECT xid FROM core_cursor WHERE reaction = %(reaction)s), '0')
)
ORDER BY customer_id"""


class TierCheck(NamedTuple):
    """As loyalty.services.verifying.Check."""

    name: str
    rows: str


def checks() -> list[TierCheck]:
    """The second one needs the rules as they are; while other rules are still being applied it is left out."""
    found = [TierCheck("Tiers are what their history says", HISTORY)]
    if tier_values.in_use() and tier_rules.at_work() is None:
        found.append(TierCheck("Nobody stands below the tier that was reached", _below()))
    return found


def _below() -> str:
    of = tier_values.scheme()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told = tier_values.params(of, business=settings_row.current(), at=cursor.fetchone()[0], share=1)
    statement = tier_values.judge(of, asked=tier_values.EVERYONE) + BELOW
    return str(connection.ops.compose_sql(statement, {**told, "reaction": tiers.REACTION}))  # type: ignore[attr-defined]
