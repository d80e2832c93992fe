"""The baseline that a model has to beat: everyone goes on at her own pace, for ever."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.clv.params import FloatArray


def expected_purchases(t: ArrayLike, x: ArrayLike, T: ArrayLike) -> FloatArray:
    """x/T · t, orders in (T, T + t] of someone with x repeat orders by T; none for T = 0. Arguments broadcast."""
    orders, age, horizon = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (x, T, t)))
    pace = np.divide(orders, age, out=np.zeros(orders.shape), where=age > 0.0)
    return np.asarray(pace * horizon)
