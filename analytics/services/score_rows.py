"""The rows of analytics_score as columns: what the engine found beside what the summaries say."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import scores
from analytics.clv import shop
from core import money, pgcopy
from core.models import Run

Columns = dict[str, NDArray[Any]]


def build(*, run: Run, columns: Columns, past: shop.History, found: shop.Scores) -> dict[str, pgcopy.Column]:
    unit = 10 ** money.exponent(run.settings["currency"])
    gone = past.order_days == 0
    cuts = scores.Cuts.from_dict(run.model["cuts"])
    rfm = scores.rfm(cuts, order_days=past.order_days, last_age=past.last_age, margin=past.margin)
    segment = rfm.name.astype(np.int16)
    today = int((np.datetime64(run.as_of, "D") - pgcopy.EPOCH).astype(np.int64))
    same = segment == columns["segment_before"]
    new = (columns["segment_before"] == 0) & (columns["changed_before"] == 0)
    count = len(gone)

    def cents(values: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint(np.where(gone, 0.0, values) * unit).astype(np.int64)

    column, nothing = pgcopy.Column, np.ones(count, np.bool_)
    return {
        "run_id": column("int8", np.full(count, run.pk, np.int64)),
        "customer_id": column("int8", columns["customer_id"]),
        "orders": column("int4", columns["orders"]),
        "order_days": column("int4", columns["order_days"]),
        "first_at": column("timestamptz", columns["first_at"]),
        "last_at": column("timestamptz", columns["last_at"]),
        "age_days": column("int4", today - columns["first_on"]),
        "last_age_days": column("int4", today - columns["last_on"]),
        "value_cents": column("int8", columns["value_cents"]),
        "historic_cents": column("int8", columns["margin_cents"]),
        "p_alive": column("float8", found.p_alive, gone),
        "churn_risk": column("float8", found.churn_risk, gone),
        "churn_band": column("int2", found.band),
        "expected_orders": column("float8", found.expected_orders, gone),
        "order_margin_cents": column("int8", cents(found.expected_margin_per_order), gone),
        "clv_cents": column("int8", cents(found.clv), gone),
        "clv_low_cents": column("int8", np.zeros(count, np.int64), nothing),
        "clv_high_cents": column("int8", np.zeros(count, np.int64), nothing),
        "usual_gap_days": column("float8", found.usual_gap, np.isnan(found.usual_gap)),
        "r": column("int2", rfm.recency),
        "f": column("int2", rfm.frequency),
        "m": column("int2", rfm.margin),
        "segment": column("int2", segment),
        "previous_segment": column("int2", np.where(same, columns["previous_before"], columns["segment_before"])),
        "segment_changed_on": column("date", np.where(same & ~new, columns["changed_before"], today)),
    }
