"""The rows of analytics_score as columns: what the engine found beside what the summaries say."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import scores
from analytics.clv import profit, shop
from core import money, pgcopy
from core.models import Run
from core.pgcopy import Column

Columns = dict[str, NDArray[Any]]
Table = dict[str, Column]


FOREVER = np.iinfo(np.int32).max  # PostgreSQL's date 'infinity'


class NotANumber(Exception):
    """The engine gave money that is no number: nothing of it may be published."""


def build(*, run: Run, columns: Columns, past: shop.History, found: shop.Scores) -> Table:
    """One row per customer, in the order of `columns`. Raises NotANumber."""
    today = int((np.datetime64(run.as_of, "D") - pgcopy.EPOCH).astype(np.int64))
    return {
        "run_id": Column("int8", np.full(len(past.order_days), run.pk, np.int64)),
        **_known(columns, today),
        **_predicted(found, gone=past.order_days == 0, unit=10 ** money.exponent(run.settings["currency"])),
        "next_order_on": _day(today + np.ceil(found.next_order_days)),
        **_costs(run, columns, past, found),
        **_named(run, columns, past, today),
    }


def _known(columns: Columns, today: int) -> Table:
    """What the orders say."""
    return {
        "customer_id": Column("int8", columns["customer_id"]),
        "orders": Column("int4", columns["orders"]),
        "order_days": Column("int4", columns["order_days"]),
        "first_at": Column("timestamptz", columns["first_at"]),
        "last_at": Column("timestamptz", columns["last_at"]),
        "age_days": Column("int4", today - columns["first_on"]),
        "last_age_days": Column("int4", today - columns["last_on"]),
        "value_cents": Column("int8", columns["value_cents"]),
        "historic_cents": Column("int8", columns["margin_cents"]),
    }


def _predicted(found: shop.Scores, *, gone: NDArray[np.bool_], unit: int) -> Table:
    """What the engine says; nothing of those whose every order came back."""
    return {
        "p_alive": Column("float8", found.p_alive, gone),
        "churn_risk": Column("float8", found.churn_risk, gone),
        "churn_band": Column("int2", found.band),
        "expected_orders": Column("float8", found.expected_orders, gone),
        "order_margin_cents": _cents(found.expected_margin_per_order, gone, unit),
        "clv_cents": _cents(found.clv, gone, unit),
        "clv_low_cents": _cents(found.clv_low, gone, unit),
        "clv_high_cents": _cents(found.clv_high, gone, unit),
        "orders_low": Column("float8", found.orders_low, gone),
        "orders_high": Column("float8", found.orders_high, gone),
        "clv_36m_cents": _cents(found.clv_36m, gone, unit),
        "clv_lifetime_cents": _cents(found.clv_lifetime, gone, unit),
        "usual_gap_days": Column("float8", found.usual_gap, np.isnan(found.usual_gap)),
    }


def _costs(run: Run, columns: Columns, past: shop.History, found: shop.Scores) -> Table:
    """What she cost and will cost, and the textbooks' formula, for which a shop may be too young."""
    average, unit = profit.Shop.from_dict(run.model["profit"]), 10 ** money.exponent(run.settings["currency"])
    gone, never = past.order_days == 0, columns["profitable_on"] == FOREVER
    formula = profit.textbook(
        value=past.value,
        orders=columns["orders"],
        years=profit.years_known(past.first_age),
        lifespan=average.lifespan or 0.0,
        margin_rate=average.margin_rate,
    )
    costs = profit.expected_cost(
        average,
        expected_orders=found.expected_orders,
        other_costs=columns["other_cents"] / unit,
        age_days=past.first_age,
    )
    return {
        "acquisition_cents": Column("int8", columns["acquisition_cents"]),
        "cost_cents": Column("int8", columns["cost_cents"]),
        "expected_cost_cents": _cents(costs, gone, unit),
        "textbook_cents": _cents(formula.value, gone | (average.lifespan is None), unit),
        "profitable_on": Column("date", np.where(never, 0, columns["profitable_on"]), never),
    }


def _day(days: NDArray[np.float64]) -> Column:
    unknown = np.isnan(days)
    return Column("date", np.where(unknown, 0, days).astype(np.int32), unknown)


def _cents(values: NDArray[np.float64], gone: NDArray[np.bool_], unit: int) -> Column:
    amounts = np.rint(np.where(gone, 0.0, values) * unit)
    if not np.all(np.abs(amounts) < 2.0**62):
        raise NotANumber("The engine gave an amount that is no number or too large to keep.")
    return Column("int8", amounts.astype(np.int64), gone)


def _named(run: Run, columns: Columns, past: shop.History, today: int) -> Table:
    """RFM, and what the segment was before; a customer seen for the first time has been in hers since today."""
    cuts = scores.Cuts.from_dict(run.model["cuts"])
    rfm = scores.rfm(cuts, order_days=past.order_days, last_age=past.last_age, margin=past.margin)
    segment, before = rfm.name.astype(np.int16), columns["segment_before"]
    same = segment == before
    return {
        "r": Column("int2", rfm.recency),
        "f": Column("int2", rfm.frequency),
        "m": Column("int2", rfm.margin),
        "segment": Column("int2", segment),
        "previous_segment": Column("int2", np.where(same, columns["previous_segment_before"], np.maximum(before, 0))),
        "segment_changed_on": Column("date", np.where(same, columns["segment_changed_on_before"], today)),
    }
