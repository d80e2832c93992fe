"""Gamma-Gamma: Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value, note 025.

x repeat orders with the mean spend z̄; spend per order does not depend on how often she orders.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from analytics.clv import fitting
from analytics.clv.params import Fit, FloatArray, GammaGammaParams

NAMES = ("p", "q", "gamma")
LOW = (1e-3, 1e-3, 1e-6)  # gamma in mean spends
HIGH = (1e4, 1e4, 1e6)
START = (2.0, 3.0, 1.0)


def log_likelihood(params: GammaGammaParams, x: ArrayLike, zbar: ArrayLike) -> float:
    """Sum over customers with x > 0 and z̄ > 0 of ln f(z̄ | p, q, γ; x), their eq. 1a."""
    orders, mean = _buyers(x, zbar)
    values = np.array([params.p, params.q, params.gamma])
    return _mean_log_likelihood(*_grouped(orders), orders, mean, values)[0] * orders.size


def fit(x: ArrayLike, zbar: ArrayLike) -> Fit[GammaGammaParams]:
    """Maximum likelihood over the customers with x > 0 and z̄ > 0, columns of one length.

    Raises fitting.DidNotConverge, also for no such customer and where all spend the same.
    """
    orders, mean = _buyers(x, zbar)
    if orders.size == 0:
        raise fitting.DidNotConverge("nobody has a repeat order with money in it")
    if np.ptp(mean) <= 1e-9 * np.max(mean):
        raise fitting.DidNotConverge("every customer spends the same, so that nothing tells p from q")
    scale = float(np.median(mean))  # so that gamma is near 1 and one huge order does not set the scale
    mean = mean / scale
    levels, counts = _grouped(orders)
    found = fitting.maximise(
        lambda values: _mean_log_likelihood(levels, counts, orders, mean, values),
        names=NAMES,
        start=START,
        low=LOW,
        high=HIGH,
    )
    p, q, gamma = found.values
    return Fit(
        params=GammaGammaParams(p=p, q=q, gamma=gamma * scale),
        log_likelihood=(found.log_likelihood - float(np.log(scale))) * orders.size,
        customers=orders.size,
        evaluations=found.evaluations,
    )


def expected_spend(params: GammaGammaParams, x: ArrayLike, zbar: ArrayLike) -> FloatArray:
    """E[M | x, z̄] = p (γ + x·z̄) / (p·x + q - 1), spend per order, their eq. 5; for x = 0 the mean of all.

    Raises ValueError for q ≤ 1, where the mean over all customers does not exist.
    """
    if params.q <= 1:
        raise ValueError(f"the mean spend of all customers does not exist for q = {params.q:.4g} ≤ 1")
    orders = np.asarray(x, dtype=np.float64)
    total = orders * np.asarray(zbar, dtype=np.float64)
    return np.asarray(params.p * (params.gamma + total) / (params.p * orders + (params.q - 1.0)))


def _buyers(x: ArrayLike, zbar: ArrayLike) -> tuple[FloatArray, FloatArray]:
    orders, mean = np.asarray(x, dtype=np.float64), np.asarray(zbar, dtype=np.float64)
    keep = (orders > 0) & (mean > 0)
    return orders[keep], mean[keep]


def _grouped(orders: FloatArray) -> tuple[FloatArray, FloatArray]:
    levels, counts = np.unique(orders, return_counts=True)
    return levels, counts.astype(np.float64)


def _mean_log_likelihood(
    levels: FloatArray, counts: FloatArray, orders: FloatArray, mean: FloatArray, values: FloatArray
) -> tuple[float, FloatArray]:
    """Per customer, with its gradient by (p, q, γ). Only ln(γ + x·z̄) needs work per customer."""
    p, q, gamma = values.tolist()
    total = orders * mean
    above = gamma + total
    log_above = np.log(above)
    log_total = _constant(orders, mean)
    shape = p * levels
    by_orders = float(np.dot(orders, log_above))
    level = (
        np.dot(counts, gammaln(shape + q) - gammaln(shape) - gammaln(q))
        + orders.size * q * np.log(gamma)
        + p * log_total
        - np.sum(np.log(mean))
        - p * by_orders
        - q * np.sum(log_above)
    )
    together = digamma(shape + q)
    slope = np.array(
        [
            np.dot(counts * levels, together - digamma(shape)) + log_total - by_orders,
            np.dot(counts, together - digamma(q)) + orders.size * np.log(gamma) - np.sum(log_above),
            orders.size * q / gamma - np.sum((p * orders + q) / above),
        ]
    )
    return float(level) / orders.size, slope / orders.size


def _constant(orders: FloatArray, mean: FloatArray) -> float:
    """Σ x·ln(x·z̄), which no parameter changes."""
    return float(np.dot(orders, np.log(orders * mean)))
