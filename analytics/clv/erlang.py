"""Orders to expect when every k-th step of her pace is an order: regular buyers.

Steps come at random at her pace; after her last order she is `phase` steps on the way to the next one. With N steps
within t, negative binomial(R, t/(A+t)), and the chance p to leave at each order, p ~ Beta(a, β), that is

    Σ_n E[(1-p)^(n-1)] · P(N ≥ n·k - phase)   over n = 1, 2, …

in positive terms. k = 1 and phase 0 is the sum in hypergeometric.py. Short sums are added up; of long ones (heavy
buyers, far horizons) the first HEAD terms, and the rest as an integral with Gregory's correction for the step of one.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, gammaln, xlogy

from analytics.clv import hypergeometric
from analytics.clv.params import FloatArray

LONGEST_SUM = 3_000  # steps
HEAD = 24  # terms before the integral; even the shortest long sum falls after them
DEVIATIONS = 8.5  # of N around its mean that matter
FEW, MANY = np.polynomial.legendre.leggauss(24), np.polynomial.legendre.leggauss(64)
ROWS = 256  # worked on at once


def expected_events(*, R: ArrayLike, y: ArrayLike, a: ArrayLike, beta: ArrayLike, k: int, phase: int) -> FloatArray:
    """Orders to expect of a living customer; R, y, a, beta as in hypergeometric.expected_events, 0 ≤ phase < k.

    All but k and phase broadcast. Relative error below 1e-9.
    """
    if k == 1:
        return hypergeometric.expected_events(R=R, y=y, a=a, beta=beta)
    arrays = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (R, y, a, beta)))
    columns = [np.ravel(column) for column in arrays]
    length, exponent = hypergeometric.series_length(columns[0], columns[1])
    long = (length > LONGEST_SUM) | (exponent > hypergeometric.LARGEST_EXPONENT)
    result = np.empty(long.size)
    for rows, way in ((np.flatnonzero(~long), _sums), (np.flatnonzero(long), _integrals)):
        if rows.size:
            result[rows] = way(k, phase, *(column[rows] for column in columns))
    return result.reshape(arrays[0].shape)


def tail(m: ArrayLike, R: ArrayLike, y: ArrayLike) -> FloatArray:
    """P(N ≥ m), N steps; 1 for m ≤ 0."""
    steps, shape, horizon = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (m, R, y)))
    reached = betainc(np.maximum(steps, 1e-9), shape, horizon / (1.0 + horizon))
    return np.where(steps > 0.0, reached, 1.0)


def log_pmf(n: ArrayLike, R: ArrayLike, y: ArrayLike) -> FloatArray:
    """ln P(N = n)."""
    steps, shape, horizon = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (n, R, y)))
    ways = gammaln(shape + steps) - gammaln(shape) - gammaln(steps + 1.0)
    return np.asarray(ways - shape * np.log1p(horizon) + xlogy(steps, horizon / (1.0 + horizon)))


def _sums(k: int, phase: int, R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray) -> FloatArray:
    steps = hypergeometric.series_length(R, y)[0].astype(np.int64) + k
    order = np.argsort(-steps, kind="stable")
    result = np.empty(R.size)
    for start in range(0, R.size, hypergeometric.SERIES_BLOCK):
        rows = order[start : start + hypergeometric.SERIES_BLOCK]
        result[rows] = _sum(k, phase, R[rows], y[rows], a[rows], beta[rows], steps[rows])
    return result


def _sum(
    k: int, phase: int, R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray, steps: NDArray[np.int64]
) -> FloatArray:
    """Rows sorted by falling number of steps: each row stops at its own, so its bits are its own."""
    first = k - phase
    w = y / (1.0 + y)
    pmf, left, alive = np.exp(log_pmf(first - 1, R, y)), tail(first, R, y), np.ones_like(w)
    total = left.copy()
    active = np.searchsorted(-steps, -np.arange(first, int(steps[0]) + 1), side="right")
    for n, rows in enumerate(active.tolist(), start=first):
        pmf[:rows] *= w[:rows] * (R[:rows] + (n - 1)) / n  # P(N = n) from P(N = n - 1)
        left[:rows] -= pmf[:rows]
        if (n + 1 + phase) % k == 0:
            order = (n + 1 + phase) // k
            alive[:rows] *= (beta[:rows] + (order - 2)) / (beta[:rows] + a[:rows] + (order - 2))
            total[:rows] += alive[:rows] * left[:rows]
    return total


def _integrals(k: int, phase: int, R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray) -> FloatArray:
    result = np.empty(R.size)
    for start in range(0, R.size, ROWS):
        rows = slice(start, start + ROWS)
        result[rows] = _integral(k, phase, *(column[rows, np.newaxis] for column in (R, y, a, beta)))
    return result


def _integral(k: int, phase: int, R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray) -> FloatArray:
    """Σ to HEAD + ∫ from HEAD + 1/2 + δ/24 - 17·δ³/5760, columns in, one row of results out."""

    def term(n: FloatArray) -> FloatArray:
        alive = np.exp(betaln(a, beta + n - 1.0) - betaln(a, beta))
        return np.asarray(alive * tail(n * k - phase, R, y))

    head = term(np.arange(1.0, HEAD + 3.0)[np.newaxis])
    before, last, after, next_one = (head[:, HEAD + place] for place in (-2, -1, 0, 1))
    steps = after - last, next_one - 3.0 * after + 3.0 * last - before
    total = np.sum(head[:, :HEAD], axis=1) + steps[0] / 24.0 - 17.0 / 5760.0 * steps[1]
    edges = _edges(k, phase, R, y, a, beta)
    for low, high, (nodes, weights) in ((edges[0], edges[1], FEW), (edges[1], edges[2], MANY)):
        half = (high - low) / 2.0
        above = np.exp(low + half * (1.0 + nodes))  # n + β, in whose logarithm a term is smooth
        total += np.sum(weights * half * above * term(above - beta), axis=1)
    return np.asarray(total)


def _edges(
    k: int, phase: int, R: FloatArray, y: FloatArray, a: FloatArray, beta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """ln(n + β) where the integral begins, where P(N ≥ nk) begins to fall, and where nothing is left."""
    mean, spread = R * y, np.sqrt(R * y * (1.0 + y))
    begin = np.log(HEAD + 0.5 + beta)
    falls = (mean - DEVIATIONS * spread + phase) / k
    ends = (hypergeometric.series_length(R, y)[0] + phase) / k
    end = np.minimum(np.log(np.maximum(ends, HEAD + 0.5) + beta), begin + hypergeometric.NEGLIGIBLE / a)
    return begin, np.clip(np.log(np.maximum(falls, HEAD + 0.5) + beta), begin, end), end
