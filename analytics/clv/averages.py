"""What a shop with few repeat customers gets: published shapes, the shop's own pace and its mean spend.

Pace: MBG/NBD with the shapes r, a, b that Batislam, Denizel & Filiztekin (2007) found on CDNOW, and α such
that the repeat orders expected of these customers by now are as many as they made. So λ is a gamma rate
shrunk to the shop's mean, and the chance to be there falls with silence against the customer's own pace.
One imaginary customer who came back once in her first year is always counted in: a shop without a single
repeat order still has a finite pace, and 100 customers hardly notice her.

Spend: the customer's repeat orders and one more at the shop's average. That average takes each customer's
mean at most at ten times the median, so that one order of ten million does not make everyone rich.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from analytics.clv import mbgnbd
from analytics.clv.params import FloatArray, MbgNbdParams

SHAPE_R, SHAPE_A, SHAPE_B = 0.525, 0.891, 1.614
YEAR = 365 / 7  # weeks
FASTEST, SLOWEST = 1e-4, 1e6  # α, weeks
CAP = 10.0  # medians


def pace(ages: ArrayLike, customers: ArrayLike, orders: float) -> MbgNbdParams:
    """The fallback's parameters in weeks: `customers` of each of the distinct `ages` (weeks) made `orders`
    repeat orders together. Any numbers ≥ 0 give finite parameters.
    """
    T = np.append(np.asarray(ages, dtype=np.float64), YEAR)
    count = np.append(np.asarray(customers, dtype=np.float64), 1.0)

    def excess(log_alpha: float) -> float:
        expected = mbgnbd.unconditional_expected_purchases(_shapes(log_alpha), T)
        return float(np.sum(count * expected)) - orders - 1.0

    slow, fast = float(np.log(SLOWEST)), float(np.log(FASTEST))
    if excess(fast) <= 0.0:
        return _shapes(fast)
    return _shapes(slow if excess(slow) >= 0.0 else float(brentq(excess, fast, slow, xtol=1e-12)))


def _shapes(log_alpha: float) -> MbgNbdParams:
    return MbgNbdParams(r=SHAPE_R, alpha=float(np.exp(log_alpha)), a=SHAPE_A, b=SHAPE_B)


def capped_mean(means: ArrayLike, orders: ArrayLike) -> float:
    """Mean spend per order over customers with these means and numbers of orders; 0 when there is no money."""
    each, weight = np.asarray(means, dtype=np.float64), np.asarray(orders, dtype=np.float64)
    paid = each > 0
    if not np.any(paid):
        return 0.0
    cap = CAP * float(np.median(each[paid]))
    return float(np.sum(np.clip(each, 0.0, cap) * weight) / np.sum(weight))


def shrunken_spend(mean_spend: float, x: ArrayLike, total: ArrayLike) -> FloatArray:
    """Spend per order: x repeat orders worth `total` and one more at the shop's mean."""
    return np.asarray((np.asarray(total) + mean_spend) / (np.asarray(x, dtype=np.float64) + 1.0))
