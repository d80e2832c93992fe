"""CDNOW as of 1997-09-30, as published (weeks, two decimals) and counted in days (tests/data/README.md)."""

from functools import cache
from pathlib import Path

import numpy as np

from analytics.clv import shop

DATA = Path(__file__).parent.parent / "data"


@cache
def summary():
    """x, t_x, T and z̄ of the 2,357 customers, in weeks."""
    table = np.genfromtxt(DATA / "cdnow_summary_fh.csv", delimiter=",", names=True)
    return table["x"], table["t_x"], table["T"], table["zbar"]


@cache
def history():
    """The same customers as the night sees them; margin is 40 % of the revenue."""
    table = np.genfromtxt(DATA / "cdnow_days.csv", delimiter=",", names=True)
    return shop.History(
        order_days=table["order_days"].astype(np.int32),
        first_age=table["first_age"].astype(np.int32),
        last_age=table["last_age"].astype(np.int32),
        value=table["value"].copy(),
        repeat_value=table["repeat_value"].copy(),
        margin=0.4 * table["value"],
    )


@cache
def next_order_days(days):
    """Order days of each customer within the 90 or 273 days after 1997-09-30."""
    return np.genfromtxt(DATA / "cdnow_days.csv", delimiter=",", names=True)[f"next_{days}_days"]


@cache
def fitted():
    return shop.fit(history(), shop.Terms())
