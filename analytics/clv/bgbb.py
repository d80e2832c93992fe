"""BG/BB: Fader, Hardie & Shang (2010), Customer-base analysis in a discrete-time noncontractual setting,
Marketing Science 29(6).

There are n opportunities to buy, such as one a year. While she is there she takes each with a chance p ~ Beta(α, β),
and before each she may have left for good, with a chance θ ~ Beta(γ, δ). x opportunities were taken, the last of
them was the t_x-th; x = t_x = 0 for nobody who ever did.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, logsumexp

from analytics.clv import fitting, staying
from analytics.clv.params import BgBbParams, Fit, FloatArray

NAMES: Final = ("alpha", "beta", "gamma", "delta")
LOW: Final = (1e-3,) * 4
HIGH: Final = (1e4,) * 4
START: Final = (1.0, 1.0, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The distinct histories, and how the customers spread over them. Rows by histories, columns by when she left."""

    x: FloatArray  # (rows, 1)
    n: FloatArray  # (rows, 1)
    lived: FloatArray  # (rows, columns): opportunities that she was there for, from t_x to n
    is_possible: NDArray[np.bool_]
    counts: FloatArray

    @property
    def stays(self) -> NDArray[np.bool_]:
        return np.asarray(self.lived == self.n)


def log_likelihood(params: BgBbParams, x: ArrayLike, t_x: ArrayLike, n: ArrayLike, counts: ArrayLike = 1) -> float:
    """Summed over customers, `counts` of them at each (x, t_x, n); their eq. 4."""
    found, _place = _patterns(x, t_x, n, counts)
    return float(np.dot(found.counts, logsumexp(_terms(found, params), axis=1)))


def fit(x: ArrayLike, t_x: ArrayLike, n: ArrayLike, counts: ArrayLike = 1) -> Fit[BgBbParams]:
    """Maximum likelihood. Raises fitting.DidNotConverge, also where nobody or everybody took every opportunity."""
    found, _place = _patterns(x, t_x, n, counts)
    size = float(np.sum(found.counts))
    weighted = np.array([found.counts @ found.x[:, 0], found.counts @ found.n[:, 0]]) if size else np.zeros(2)
    if not 0 < weighted[0] < weighted[1]:
        raise fitting.DidNotConverge("the opportunities were all taken, or none of them was")
    best = fitting.maximise(
        lambda values: _mean_log_likelihood(found, BgBbParams(*values.tolist())),
        names=NAMES,
        start=START,
        low=LOW,
        high=HIGH,
    )
    return Fit(
        params=BgBbParams(*best.values),
        log_likelihood=best.log_likelihood * size,
        customers=round(size),
        evaluations=best.evaluations,
    )


def p_alive(params: BgBbParams, x: ArrayLike, t_x: ArrayLike, n: ArrayLike) -> FloatArray:
    """The chance that she is there for opportunity n + 1; their eq. 11."""
    found, place = _patterns(x, t_x, n)
    return _of_living(params, found, _stays_once(params, found.n), 0.0)[place]


def expected_transactions(params: BgBbParams, ahead: int, x: ArrayLike, t_x: ArrayLike, n: ArrayLike) -> FloatArray:
    """Opportunities that she takes of the next `ahead` (≥ 0); their eq. 13 as the sum that it closes.

    The closed form is 0/0 at γ = 1; the sum of positive terms is not.
    """
    found, place = _patterns(x, t_x, n)
    steps = np.arange(1, ahead + 1)
    there = np.exp(betaln(params.gamma, params.delta + found.n + steps) - betaln(params.gamma, params.delta + found.n))
    return _of_living(params, found, np.sum(there, axis=1, keepdims=True), 1.0)[place]


def dert(params: BgBbParams, d: float, x: ArrayLike, t_x: ArrayLike, n: ArrayLike) -> FloatArray:
    """Discounted expected residual transactions, `d` > 0 the discount rate for one opportunity; their eq. 14."""
    if d <= 0:
        raise ValueError(f"the discount rate of an opportunity must be above zero, not {d!r}")
    found, place = _patterns(x, t_x, n)
    discounted = staying.discounted_stay(params.gamma, params.delta + found.n + 1.0, 1.0 / (1.0 + d)) / (1.0 + d)
    return _of_living(params, found, _stays_once(params, found.n) * discounted, 1.0)[place]


def expected_by(params: BgBbParams, n: ArrayLike) -> FloatArray:
    """E[X(n)]: opportunities that a new customer takes of the first n; their eq. 7."""
    last = np.asarray(n, dtype=np.int64)
    steps = np.arange(1, int(last.max(initial=0)) + 1)
    there = np.exp(betaln(params.gamma, params.delta + steps) - betaln(params.gamma, params.delta))
    return np.asarray(params.alpha / (params.alpha + params.beta) * np.concatenate([[0.0], np.cumsum(there)])[last])


def _patterns(x: ArrayLike, t_x: ArrayLike, n: ArrayLike, counts: ArrayLike = 1) -> tuple[_Patterns, NDArray[np.int64]]:
    """The distinct histories and each customer's place among them. Raises ValueError for one that cannot be."""
    columns = np.broadcast_arrays(*(np.asarray(one, dtype=np.int64) for one in (x, t_x, n)))
    shape = columns[0].shape
    rows, place = np.unique(np.stack([np.ravel(one) for one in columns], axis=1), axis=0, return_inverse=True)
    taken, last, chances = (rows[:, [k]].astype(np.float64) for k in range(3))
    if np.any((taken < 0) | (taken > last) | (last > chances) | ((taken == 0) != (last == 0))):
        raise ValueError("a history has 0 ≤ x ≤ t_x ≤ n, and x = 0 where t_x = 0")
    weights = np.ravel(np.broadcast_to(np.asarray(counts, dtype=np.float64), shape))
    lived = last + np.arange(int(np.max(chances - last, initial=0)) + 1)
    found = _Patterns(
        x=taken,
        n=chances,
        lived=np.minimum(lived, chances),
        is_possible=lived <= chances,
        counts=np.bincount(np.ravel(place), weights=weights, minlength=len(rows)).astype(np.float64),
    )
    return found, place.reshape(shape)


def _terms(found: _Patterns, params: BgBbParams) -> FloatArray:
    """ln of what each moment of leaving adds to the likelihood of a history, -inf where it cannot have been."""
    bought = betaln(params.alpha + found.x, params.beta + found.lived - found.x) - betaln(params.alpha, params.beta)
    left = betaln(params.gamma + ~found.stays, params.delta + found.lived) - betaln(params.gamma, params.delta)
    return np.where(found.is_possible, bought + left, -np.inf)


def _stays_once(params: BgBbParams, n: FloatArray) -> FloatArray:
    """B(γ, δ + n + 1) / B(γ, δ + n): who was there for n opportunities is there for the next."""
    return np.asarray((params.delta + n) / (params.gamma + params.delta + n))


def _of_living(params: BgBbParams, found: _Patterns, factor: FloatArray, taken: float) -> FloatArray:
    """factor · B(α + x + taken, β + n - x)/B(α, β) · B(γ, δ + n)/B(γ, δ) over the likelihood, row by row."""
    bought = betaln(params.alpha + found.x + taken, params.beta + found.n - found.x) - betaln(params.alpha, params.beta)
    there = betaln(params.gamma, params.delta + found.n) - betaln(params.gamma, params.delta)
    level = bought + there - logsumexp(_terms(found, params), axis=1, keepdims=True)
    return np.asarray(np.exp(level) * factor)[:, 0]


def _mean_log_likelihood(found: _Patterns, params: BgBbParams) -> tuple[float, FloatArray]:
    """Per customer, with its gradient by (α, β, γ, δ)."""
    terms = _terms(found, params)
    level = logsumexp(terms, axis=1, keepdims=True)
    shares = np.exp(terms - level)
    slopes: list[Any] = [
        *_beta_slopes(params.alpha, params.beta, found.x, found.lived - found.x),
        *_beta_slopes(params.gamma, params.delta, (~found.stays).astype(np.float64), found.lived),
    ]
    weights = found.counts / np.sum(found.counts)
    return float(weights @ level[:, 0]), np.array([weights @ np.sum(shares * slope, axis=1) for slope in slopes])


def _beta_slopes(a: float, b: float, more_a: FloatArray, more_b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The derivatives of ln [B(a + more_a, b + more_b) / B(a, b)] by a and b."""
    together = digamma(a + b + more_a + more_b) - digamma(a + b)
    return digamma(a + more_a) - digamma(a) - together, digamma(b + more_b) - digamma(b) - together
