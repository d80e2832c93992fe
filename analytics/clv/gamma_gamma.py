"""Gamma-Gamma: Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value, note 025.

x repeat orders with the mean spend z̄; spend per order does not depend on how often she orders.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from analytics.clv import fitting
from analytics.clv.params import Fit, FloatArray, GammaGammaParams

BLOCK = 16_384  # customers worked on at once: the columns stay in the second-level cache
NAMES = ("p", "q", "gamma")
LOW = (1e-3, 1e-3, 1e-6)  # gamma in mean spends
HIGH = (1e4, 1e4, 1e6)
START = (2.0, 3.0, 1.0)
PART = 25_000  # customers who find the start for many more
MANY = 4 * PART


@dataclass(frozen=True, slots=True)
class _Spends:
    """The customers with x > 0 and z̄ > 0, and the sums over them that no parameter changes."""

    orders: FloatArray
    total: FloatArray  # x·z̄
    levels: FloatArray  # distinct x
    counts: FloatArray  # customers with each
    log_total: float  # Σ x·ln(x·z̄)
    log_mean: float  # Σ ln z̄


def log_likelihood(params: GammaGammaParams, x: ArrayLike, zbar: ArrayLike) -> float:
    """Sum over customers with x > 0 and z̄ > 0 of ln f(z̄ | p, q, γ; x), their eq. 1a."""
    spends = _spends(*_buyers(x, zbar))
    return _mean_log_likelihood(spends, params.p, params.q, params.gamma)[0] * spends.orders.size


def fit(x: ArrayLike, zbar: ArrayLike, *, start: GammaGammaParams | None = None) -> Fit[GammaGammaParams]:
    """Maximum likelihood over the customers with x > 0 and z̄ > 0, columns of one length.

    Who knows the maximum already may start there, for one evaluation. Raises fitting.DidNotConverge, also for no such
    customer and where all spend the same.
    """
    orders, mean = _buyers(x, zbar)
    if orders.size == 0:
        raise fitting.DidNotConverge("nobody has a repeat order with money in it")
    if np.ptp(mean) <= 1e-9 * np.max(mean):
        raise fitting.DidNotConverge("every customer spends the same, so that nothing tells p from q")
    scale = float(np.median(mean))  # so that γ is near 1, and one huge order does not set the scale
    found = _climb(orders, mean / scale, (start.p, start.q, start.gamma / scale) if start else None)
    p, q, gamma = found.values
    return Fit(
        params=GammaGammaParams(p=p, q=q, gamma=gamma * scale),
        log_likelihood=(found.log_likelihood - float(np.log(scale))) * orders.size,
        customers=orders.size,
        evaluations=found.evaluations,
    )


def _climb(orders: FloatArray, mean: FloatArray, start: tuple[float, ...] | None) -> fitting.Maximum:
    level = _objective(_spends(orders, mean))
    if start or orders.size < MANY:
        return fitting.maximise(level, names=NAMES, start=start or START, low=LOW, high=HIGH)
    some = slice(None, None, orders.size // PART)
    part = _objective(_spends(orders[some], mean[some]))
    return fitting.maximise_from_part(level, part, names=NAMES, start=START, low=LOW, high=HIGH)


def _objective(spends: _Spends) -> fitting.Objective:
    return lambda values: _mean_log_likelihood(spends, *values.tolist())


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
    orders, mean = np.asarray(x), np.asarray(zbar, dtype=np.float64)
    keep = np.flatnonzero((orders > 0) & (mean > 0))
    return orders[keep].astype(np.float64), mean[keep]


def _spends(orders: FloatArray, mean: FloatArray) -> _Spends:
    total = orders * mean
    levels, counts = np.unique(orders, return_counts=True)
    return _Spends(
        orders=orders,
        total=total,
        levels=levels,
        counts=counts.astype(np.float64),
        log_total=float(np.sum(orders * np.log(total))),
        log_mean=float(np.sum(np.log(mean))),
    )


def _mean_log_likelihood(data: _Spends, p: float, q: float, gamma: float) -> tuple[float, FloatArray]:
    """Per customer, with its gradient by (p, q, γ). Only ln(γ + x·z̄) needs work per customer."""
    n, shape = data.orders.size, p * data.levels
    log_above, log_above_orders, fading = _sums(data, p, q, gamma)
    level = (
        np.dot(data.counts, gammaln(shape + q) - gammaln(shape) - gammaln(q))
        + n * q * np.log(gamma)
        + p * data.log_total
        - data.log_mean
        - p * log_above_orders
        - q * log_above
    )
    together = digamma(shape + q)
    slope = np.array(
        [
            np.dot(data.counts * data.levels, together - digamma(shape)) + data.log_total - log_above_orders,
            np.dot(data.counts, together - digamma(q)) + n * np.log(gamma) - log_above,
            n * q / gamma - fading,
        ]
    )
    return float(level) / n, slope / n


def _sums(data: _Spends, p: float, q: float, gamma: float) -> tuple[float, float, float]:
    """Σ ln(γ + x·z̄), Σ x·ln(γ + x·z̄) and Σ (p·x + q) / (γ + x·z̄), block by block."""
    sums = np.zeros(3)
    for start in range(0, data.orders.size, BLOCK):
        orders = data.orders[start : start + BLOCK]
        above = gamma + data.total[start : start + BLOCK]
        logs = np.log(above)
        sums += (np.sum(logs), np.dot(orders, logs), np.sum((p * orders + q) / above))
    plain, by_orders, fading = sums.tolist()
    return plain, by_orders, fading
