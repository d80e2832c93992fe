"""Is this silence normal for her? The band of the churn risk, and the figures that explain it.

P(no order in the next 90 days) is above 0.6 for nine in ten customers of a shop with slow buyers: alone it
paints everyone red. The band asks another question: of the chance of an order that her own pace would give
her if she were still there, how much is left?

    left = (1 - churn risk) / (1 - normal risk),   normal risk = P(no order in N days | alive, her pace)

A slow but regular buyer has a high churn risk and a high normal risk, so that nearly all is left: low.

Where a model sees nobody leave (a shop with a year of data, a → 0), all is left for everyone. So the silence itself is
judged as well: how often would her pace, learned from the orders she made, keep silent for so long?

    P(no order since t_x | alive, x orders by t_x) = ((α + t_x) / (α + T))^(r + x)

Less than one time in twenty is medium at least, less than one in a hundred high.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.clv.params import FloatArray

NONE, LOW, MEDIUM, HIGH = 0, 1, 2, 3
LOW_FROM = 0.6  # of the normal chance left
HIGH_BELOW = 0.3
RARE_SILENCE = 0.05
VERY_RARE_SILENCE = 0.01


def chance_left(churn_risk: FloatArray, normal_risk: FloatArray) -> FloatArray:
    """Share of the normal chance of an order that is left, between 0 and 1; NaN stays NaN."""
    normal = 1.0 - normal_risk
    left = np.divide(1.0 - churn_risk, normal, out=np.ones_like(normal), where=normal != 0.0)
    return np.asarray(np.clip(left, 0.0, 1.0))


def band(left: FloatArray, silence: FloatArray) -> NDArray[np.int8]:
    """LOW, MEDIUM or HIGH by the share left and the chance of so long a silence, the worse; NONE for NaN."""
    result = np.full(left.shape, MEDIUM, dtype=np.int8)
    result[(left >= LOW_FROM) & (silence >= RARE_SILENCE)] = LOW
    result[(left < HIGH_BELOW) | (silence < VERY_RARE_SILENCE)] = HIGH
    result[np.isnan(left)] = NONE
    return result


def usual_gap(order_days: NDArray[np.int32], first_age: NDArray[np.int32], last_age: NDArray[np.int32]) -> FloatArray:
    """Mean days between her order days; NaN for fewer than two."""
    gap = np.full(order_days.shape, np.nan)
    np.divide(first_age - last_age, order_days - 1, out=gap, where=order_days > 1)
    return gap
