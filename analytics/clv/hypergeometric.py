"""The one special function of the BG/NBD family, as a sum of positive terms.

Fader, Hardie & Lee (2005, eq. 9 and 10) and Batislam, Denizel & Filiztekin (2007) write the expected
orders of a living customer as (a + β - 1)/(a - 1) · [1 - (A/(A+t))^R · 2F1(R, β; a + β - 1; t/(A+t))].
That form is 0/0 at a = 1, cancels near it and for small t, and breaks where 2F1 overflows. The same
quantity is the expectation over p ~ Beta(a, β) of (1 - (1 + p·t/A)^-R) / p, which has no singular point.
Two ways to take it, both without subtraction, meet to about 1e-13:

series      Σ_k E[(1-p)^k] · P(N > k) with N ~ negative binomial(R, t/(A+t)): the k-th next order
            happens when the pace allows for it and she has not left after any of those before.
quadrature  the trapezoidal rule in ln(p/(1-p)); the integrand is analytic in a strip around the line,
            so that the error falls exponentially. For long series: heavy buyers, far horizons.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.clv.params import FloatArray

LONGEST_SERIES = 1_500  # terms; for thousands of rows they are three times as fast as the quadrature, for one not
LARGEST_EXPONENT = 600.0  # beyond it (1 - w)^R leaves the range of a float
SERIES_BLOCK = 8_192  # rows worked on at once: five columns of them stay in the second-level cache
NODES = 384
QUADRATURE_BLOCK = 512
NEGLIGIBLE = 38.0  # -ln of what may be left out, 3e-17


def expected_events(*, R: ArrayLike, y: ArrayLike, a: ArrayLike, beta: ArrayLike) -> FloatArray:
    """Orders to expect of a living customer: E[(1 - (1 + p·y)^-R) / p] over p ~ Beta(a, beta).

    R is the shape of her pace given her history, y the horizon over its scale (t / A), a and beta the
    shapes of her chance to leave. All broadcast; R, a, beta > 0 and y ≥ 0. Each element depends on its own
    arguments alone, to the last bit, whatever stands beside it. Relative error below 1e-10.
    """
    arrays = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (R, y, a, beta)))
    columns = [np.ravel(column) for column in arrays]
    length, exponent = series_length(columns[0], columns[1])
    hard = (length > LONGEST_SERIES) | (exponent > LARGEST_EXPONENT)
    result = np.empty(columns[0].size)
    for rows, way in ((np.flatnonzero(~hard), _series_blocks), (np.flatnonzero(hard), _quadrature_blocks)):
        if rows.size:
            result[rows] = way(*(column[rows] for column in columns))
    return result.reshape(arrays[0].shape)


def series_length(R: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """After how many terms P(N > k) is negligible, and -ln P(N = 0)."""
    decay = np.full_like(y, np.inf)
    np.log1p(np.divide(1.0, y, out=decay, where=y > 1e-300), out=decay)
    mean = R * y
    length = mean + 8.0 * np.sqrt(mean * (1.0 + y)) + NEGLIGIBLE / decay + 4.0
    return length, R * np.log1p(y)


def _series_blocks(R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray) -> FloatArray:
    terms = series_length(R, y)[0].astype(np.int64)
    order = np.argsort(-terms, kind="stable")
    result = np.empty(R.size)
    for start in range(0, R.size, SERIES_BLOCK):
        rows = order[start : start + SERIES_BLOCK]
        result[rows] = _series(R[rows], y[rows], a[rows], beta[rows], terms[rows])
    return result


def _series(R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray, terms: NDArray[np.int64]) -> FloatArray:
    """Rows sorted by falling number of terms: each row stops at its own, so its bits are its own."""
    w = y / (1.0 + y)
    log_none = -R * np.log1p(y)
    pmf, tail, alive = np.exp(log_none), -np.expm1(log_none), np.ones_like(w)
    total = tail.copy()
    wR, spare, other = w * R, np.empty_like(w), np.empty_like(w)
    active = np.searchsorted(-terms, -np.arange(1, int(terms[0]) + 1), side="right")
    for k, n in enumerate(active.tolist(), start=1):
        factor, bottom = spare[:n], other[:n]
        np.multiply(w[:n], (k - 1) / k, out=factor)  # P(N = k) from P(N = k - 1)
        np.multiply(wR[:n], 1.0 / k, out=bottom)
        factor += bottom
        pmf[:n] *= factor
        tail[:n] -= pmf[:n]
        np.add(beta[:n], k - 1, out=factor)  # E[(1-p)^k] from E[(1-p)^(k-1)]
        np.add(factor, a[:n], out=bottom)
        factor /= bottom
        alive[:n] *= factor
        np.multiply(alive[:n], tail[:n], out=factor)
        total[:n] += factor
    return total


def _quadrature_blocks(R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray) -> FloatArray:
    result = np.empty(R.size)
    for start in range(0, R.size, QUADRATURE_BLOCK):
        rows = slice(start, start + QUADRATURE_BLOCK)
        result[rows] = _quadrature(*(column[rows, np.newaxis] for column in (R, y, a, beta)))
    return result


def _quadrature(R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray) -> FloatArray:
    """Ratio of two trapezoidal sums over the same nodes; columns in, one row of results out.

    Outside the nodes the integrand is a pure exponential, whose sum is a geometric series: it goes into
    the weights of the first and the last node.
    """
    low, high = _range(R, y, a, beta)
    step = (high - low) / (NODES - 1)
    u = low + step * np.arange(NODES)
    fade = np.exp(-np.abs(u))
    log_weight = _log_weight(u, a, beta)
    weight = np.exp(log_weight - np.max(log_weight, axis=1, keepdims=True))
    weight[:, :1] /= -np.expm1(-a * step)
    weight[:, -1:] /= -np.expm1(-beta * step)
    p = np.where(u > 0.0, 1.0, fade) / (1.0 + fade)
    value = -np.expm1(-R * np.log1p(p * y)) / p
    mean: FloatArray = np.sum(weight * value, axis=1) / np.sum(weight, axis=1)
    return mean


def _log_weight(u: FloatArray, a: FloatArray, beta: FloatArray) -> FloatArray:
    """ln of p^a (1-p)^beta at p = e^u / (1 + e^u)."""
    rest = np.log1p(np.exp(-np.abs(u)))
    return np.asarray(-a * (np.maximum(-u, 0.0) + rest) - beta * (np.maximum(u, 0.0) + rest))


def _range(R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where to start and stop: the weight is negligible beyond, or purely exponential."""
    peak = np.log(a) - np.log(beta)
    drop = NEGLIGIBLE + np.log1p(R * y)
    low_end = np.minimum(peak, 0.0) - np.log(np.maximum(np.maximum(beta, R * y), 1.0)) - NEGLIGIBLE
    high_end = np.maximum(peak, 0.0) + np.log(np.maximum(np.maximum(a, R * y), 1.0)) + NEGLIGIBLE
    floor = _log_weight(peak, a, beta) - drop
    return _crossing(low_end, peak, floor, a, beta), _crossing(high_end, peak, floor, a, beta)


def _crossing(
    outside: FloatArray, inside: FloatArray, floor: FloatArray, a: FloatArray, beta: FloatArray
) -> FloatArray:
    """Bisect for where the log weight, which has one peak, falls to the floor; `outside` if it never does."""
    settled = _log_weight(outside, a, beta) >= floor
    below, above = outside, inside
    for _ in range(30):
        middle = 0.5 * (below + above)
        low = _log_weight(middle, a, beta) < floor
        below, above = np.where(low, middle, below), np.where(low, above, middle)
    return np.where(settled, outside, below)
