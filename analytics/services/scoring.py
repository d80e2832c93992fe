"""From summaries to scores: read the columns, call the engine, COPY the rows. One shard, one transaction."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics import scores
from analytics.clv import shop
from analytics.services import partitions, score_rows, stats, summaries
from core import money, pgcopy
from core.models import Run

SHARD_ROWS: Final = 125_000

SUMMARY: Final = {
    "customer_id": "int8",
    "orders": "int4",
    "order_days": "int4",
    "first_at": "timestamptz",
    "last_at": "timestamptz",
    "first_on": "date",
    "last_on": "date",
    "value_cents": "int8",
    "repeat_value_cents": "int8",
    "margin_cents": "int8",
}
BEFORE: Final = {"segment_before": "int2", "previous_before": "int2", "changed_before": "date"}

Columns = dict[str, NDArray[Any]]


def summary_table(run: Run) -> str:
    return summaries.past_table(run.pk) if run.is_past else summaries.TABLE


def terms(settings: Mapping[str, Any]) -> shop.Terms:
    return shop.Terms(
        churn_horizon_days=int(settings["churn_horizon_days"]),
        discount_rate=float(settings["discount_rate"]),
        margin_rate=float(settings["margin_rate"]),
    )


def history(columns: Columns, *, as_of: date, currency: str) -> shop.History:
    """The engine's columns: days as ages, money in major units."""
    unit = 10.0 ** money.exponent(currency)
    today = (np.datetime64(as_of, "D") - pgcopy.EPOCH).astype(np.int32)
    stands = columns["order_days"] > 0
    return shop.History(
        order_days=columns["order_days"].astype(np.int32),
        first_age=np.where(stands, today - columns["first_on"], 0).astype(np.int32),
        last_age=np.where(stands, today - columns["last_on"], 0).astype(np.int32),
        value=columns["value_cents"] / unit,
        repeat_value=columns["repeat_value_cents"] / unit,
        margin=columns["margin_cents"] / unit,
    )


def fit(*, run: Run) -> dict[str, Any]:
    """Fit the models and the cut points of RFM on every customer; keep both in the run; make the table of scores."""
    table = summary_table(run)
    columns = pgcopy.read(f"SELECT {', '.join(SUMMARY)} FROM {table} ORDER BY customer_id", {}, SUMMARY)
    past = history(columns, as_of=run.as_of, currency=run.settings["currency"])
    run.model = {
        "fitted": shop.fit(past, terms(run.settings)).as_dict(),
        "cuts": scores.rfm_cuts(order_days=past.order_days, last_age=past.last_age, margin=past.margin).as_dict(),
        "shards": _shards(columns["customer_id"]),
    }
    run.save(update_fields=["model"])
    partitions.create(run.pk)
    return {"rows": len(columns["customer_id"])}


def _shards(customer_ids: NDArray[np.int64]) -> list[dict[str, int]]:
    """Ranges of customer ids (first, last, rows) of at most SHARD_ROWS rows each; one empty range for no customers."""
    if not len(customer_ids):
        return [{"first": 0, "last": -1, "rows": 0}]
    parts = np.array_split(customer_ids, -(-len(customer_ids) // SHARD_ROWS))
    return [{"first": int(part[0]), "last": int(part[-1]), "rows": len(part)} for part in parts]


def score_shard(*, run: Run, first: int, last: int) -> dict[str, Any]:
    """Score the customers with first ≤ id ≤ last into the run's table; returns what the run's totals add up from."""
    columns = _read_shard(run=run, first=first, last=last)
    past = history(columns, as_of=run.as_of, currency=run.settings["currency"])
    settings = terms(run.settings)
    found = shop.score(shop.Fitted.from_dict(run.model["fitted"]), past, settings)
    table = score_rows.build(run=run, columns=columns, past=past, found=found)
    pgcopy.write(partitions.table_of(run.pk), table)
    return {
        "rows": len(columns["customer_id"]),
        "totals": stats.of_shard(table, before=columns["segment_before"], active_days=settings.churn_horizon_days),
    }


def _read_shard(*, run: Run, first: int, last: int) -> Columns:
    """The shard's summaries with the segments of the run before, in the order of ids."""
    before = previous_run(run)
    none = "SELECT NULL::bigint, NULL::smallint, NULL::smallint, NULL::date WHERE false"
    source = (
        f"SELECT customer_id, segment, previous_segment, segment_changed_on FROM {partitions.table_of(before.pk)}"
        f" WHERE customer_id BETWEEN {int(first)} AND {int(last)}"
        if before
        else none
    )
    query = (
        f"SELECT {', '.join('s.' + name for name in SUMMARY)}, coalesce(b.segment, 0::smallint),"
        " coalesce(b.previous_segment, 0::smallint), coalesce(b.segment_changed_on, date '2000-01-01')"
        f" FROM {summary_table(run)} s"
        f" LEFT JOIN ({source}) AS b (customer_id, segment, previous_segment, segment_changed_on) USING (customer_id)"
        f" WHERE s.customer_id BETWEEN {int(first)} AND {int(last)} ORDER BY s.customer_id"
    )
    return pgcopy.read(query, {}, SUMMARY | BEFORE)


def previous_run(run: Run) -> Run | None:
    """The run that segments are compared with: the latest published one for an earlier date whose scores are kept."""
    earlier = Run.objects.filter(published_at__isnull=False, as_of__lt=run.as_of)
    for candidate in earlier.order_by("-as_of", "-revision")[:50]:
        if candidate.pk in partitions.kept():
            return candidate
    return None
