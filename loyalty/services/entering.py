"""Points for entering a segment: once for each rule and customer, for who entered while the rule holds."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from core import business as settings_row
from loyalty.models import EarningRule
from loyalty.selectors import programme as programmes
from loyalty.services import many, tiers

AT_ONCE: Final = 50_000

# One row of all rules that hold now for each customer who has not had its points, in the shape that orders have.
ENTERED: Final = """
CREATE TEMP TABLE wanted_posting ON COMMIT DROP AS
SELECT m.customer_id, NULL::bigint AS order_id, r.points, %(at)s::timestamptz AS placed_at,
    %(today)s::date AS placed_on, 'earn:segment:' || r.id || ':' || m.customer_id AS key
FROM loyalty_earningrule r
JOIN customers_membership m ON m.segment_id = r.segment_id
    AND m.changed_on >= (r.starts_at AT TIME ZONE %(zone)s)::date
WHERE r.kind = 'segment' AND r.points > 0 AND r.starts_at <= %(at)s AND (r.ends_at IS NULL OR r.ends_at > %(at)s)
    AND NOT EXISTS (
        SELECT FROM loyalty_posting p WHERE p.key = 'earn:segment:' || r.id || ':' || m.customer_id)
ORDER BY m.customer_id, r.id LIMIT %(most)s
"""


def credit(*, at: datetime) -> int:
    """Post the points of those who entered; returns how many. Nothing while the programme is off or paused."""
    rules = EarningRule.objects.filter(kind=EarningRule.Kind.SEGMENT)
    if not programmes.is_running() or not rules.exists():
        return 0
    done = 0
    while posted := _some(at):
        done += posted
    return done


@transaction.atomic
def _some(at: datetime) -> int:
    """The rows of the rules are locked, so that one process at a time looks who has had the points."""
    business = settings_row.current()
    list(EarningRule.objects.filter(kind=EarningRule.Kind.SEGMENT).order_by("pk").select_for_update(no_key=True))
    today = at.astimezone(business.zone).date()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.wanted_posting")
        cursor.execute(ENTERED, {"at": at, "today": today, "zone": business.time_zone, "most": AT_ONCE})
    terms = programmes.terms(programmes.current(), business).at_once
    many.lock(wanted="wanted_posting", terms=terms, at=at)
    done = many.earn(terms=terms, at=at)
    tiers.write(asked="SELECT DISTINCT customer_id FROM wanted_posting", business=business, at=at)
    return done
