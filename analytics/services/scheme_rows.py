"""The schemes' columns of analytics_score, from what the row says already and the customer's main category."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics import schemes
from analytics.clv import shop
from core.models import Run
from core.pgcopy import Column

SAMPLE: Final = 50_000  # customers that the cut points of value are found from


def thresholds(
    *, fitted: shop.Fitted, past: shop.History, agreed: NDArray[np.float64], terms: shop.Terms, unit: int
) -> schemes.Thresholds:
    """The shop's figures; of a large shop, value from every k-th customer, who are in the order of their ids. `agreed`:
    what each one's contracts are worth within the year, in major units.
    """
    every = -(-len(past.order_days) // SAMPLE) or 1
    sample = past.take(np.arange(0, len(past.order_days), every))
    found = shop.score(fitted, sample, terms)
    worth = np.where(sample.order_days > 0, sample.margin + found.clv + agreed[::every], 0.0)
    # Whole minor units, as rows have them: who makes the cut must not miss it by a rounding.
    return schemes.thresholds(past, worth=np.floor(np.nan_to_num(worth) * unit) / unit)


def build(
    *, run: Run, past: shop.History, table: Mapping[str, Column], category: NDArray[np.int64], unit: int
) -> dict[str, Column]:
    """A column for each scheme, in the order of the table's rows; `unit`: minor units in a major one. `category`: what
    most of each customer's money went to, 0 for none.
    """
    found = schemes.Thresholds.from_dict(run.model["schemes"])
    known, band = past.order_days > 0, table["churn_band"].values
    margin, expected = _cents(table, "historic_cents"), _cents(table, "clv_cents")
    spent = _cents(table, "acquisition_cents") + _cents(table, "cost_cents")
    profit = schemes.profitability(
        profit=margin - spent, expected=expected - _cents(table, "expected_cost_cents"), band=band, known=known
    )
    return {
        "value_tier": Column("int2", schemes.value_tier(found, worth=(margin + expected) / unit, known=known)),
        "tenure": Column("int2", schemes.tenure(found, past)),
        "trajectory": Column("int2", schemes.trajectory(past, band=band)),
        "profitability": Column("int2", profit),
        "main_category": Column("int8", np.where(known, category, 0)),
    }


def _cents(table: Mapping[str, Column], name: str) -> NDArray[np.float64]:
    column = table[name]
    amounts = column.values.astype(np.float64)
    return amounts if column.null is None else np.where(column.null, 0.0, amounts)
