"""What the customers with each tag are worth on a night: tags are few beside scores, so they are added up at once."""

from collections import Counter
from datetime import datetime
from typing import Any, Final

from django.db import connection

from analytics.services import partitions, stats
from core.models import Run
from customers.selectors import tags

# By tag and band, of those who had the tag when the business date ended.
TAGGED: Final = """
SELECT t.segment_id, s.churn_band, count(*), coalesce(sum(s.clv_cents), 0)::bigint, sum(s.value_cents)::bigint,
    sum(s.historic_cents)::bigint, count(*) FILTER (WHERE s.order_days > 0 AND s.last_age_days < %(active_days)s),
    coalesce(sum(s.clv_36m_cents), 0)::bigint, coalesce(sum(s.clv_lifetime_cents), 0)::bigint,
    coalesce(sum(round(1000 * s.expected_orders)), 0)::bigint, sum(s.orders),
    sum(s.contract_cents)::bigint, sum(s.contract_36m_cents)::bigint, sum(s.contract_lifetime_cents)::bigint,
    sum(s.acquisition_cents)::bigint, sum(s.cost_cents)::bigint, coalesce(sum(s.expected_cost_cents), 0)::bigint
FROM customers_tagging t JOIN {scores} s USING (customer_id)
WHERE t.added_at < %(end)s AND (t.removed_at IS NULL OR t.removed_at >= %(end)s)
GROUP BY 1, 2
"""


def of_run(run: Run) -> dict[str, Any]:
    """`segments` and `cells` as stats.add_up gives them, by the tag's id. Call it when the run's table is complete."""
    params: dict[str, datetime | int] = {
        "end": tags.end_of(run.as_of, zone=run.settings["time_zone"]),
        "active_days": int(run.settings["churn_horizon_days"]),
    }
    with connection.cursor() as cursor:
        cursor.execute(TAGGED.format(scores=partitions.table_of(run.pk)), params)
        rows = cursor.fetchall()
    cells = {f"{tag}/{band}": Counter(dict(zip(stats.MEASURES, sums, strict=True))) for tag, band, *sums in rows}
    return stats.totals(cells)
