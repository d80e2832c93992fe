"""What BG/NBD and MBG/NBD share: orders at a gamma pace, a beta chance to leave at each of m + x orders.

m = 0 is BG/NBD (Fader, Hardie & Lee 2005: the first order is no chance to leave), m = 1 is MBG/NBD
(Batislam, Denizel & Filiztekin 2007: it is one). With Λ = ln((α + T) / (α + t_x)) both likelihoods are

    Γ(r+x)/Γ(r) · α^r (α+T)^-(r+x) · B(a, b+x+m)/B(a, b) · (1 + e^z),   z = ln(a/(b+x+m-1)) + (r+x)·Λ,

where the bracket is 1 for BG/NBD at x = 0, and P(alive) = 1 / (1 + e^z). Only the bracket needs work per
customer; the rest are sums over the distinct values of x and of T.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, digamma, expit, gammaln, xlogy

from analytics.clv import fitting
from analytics.clv.params import FloatArray

BLOCK = 16_384  # customers worked on at once: the columns stay in the second-level cache
NAMES = ("r", "alpha", "a", "b")
LOW = (1e-4, 1e-6, 1e-4, 1e-4)  # alpha in mean ages
HIGH = (1e4, 1e6, 1e4, 1e4)
START = (0.5, 0.25, 0.9, 2.0)
PART = 25_000  # repeat buyers who find the start for many more
MANY = 4 * PART
MOST_ORDERS = 1e15
SMALLEST_CHANCE = 1e-300  # to leave; below it a float holds none
MOST_LEAVE = 0.99  # of those who stay after an order, where the chance to leave is scaled


@dataclass(frozen=True, slots=True)
class Tally:
    """Histories in the shape that the likelihood needs.

    `x`, `T` and `t_x` are the distinct values (times in `scale`s); `x_count`, `T_count`, `T_orders` count the
    customers per value and their repeat orders. `rows_*` index them for the customers whose bracket matters:
    repeat buyers, and behind them, for MBG/NBD, one row per distinct T of those who bought once.
    """

    customers: int
    repeat: int
    scale: float
    x: FloatArray
    T: FloatArray
    t_x: FloatArray
    x_count: FloatArray
    T_count: FloatArray
    T_orders: FloatArray
    rows_x: NDArray[np.intp]
    rows_age: NDArray[np.intp]
    rows_t_x: NDArray[np.intp]
    once_age: FloatArray
    once_count: FloatArray


def tally(*, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Tally:
    """Group histories by value; repeat orders x, their last t_x and the age T, equal length, one unit of time.

    Raises ValueError for what cannot be a history: x < 0, t_x > T, t_x ≤ 0 with x > 0, not finite.
    """
    frequency, recency, age = (np.asarray(v, dtype=np.float64) for v in (x, t_x, T))
    check(frequency, recency, age)
    scale = _scale(age)
    x_values, x_index = np.unique(frequency, return_inverse=True)
    T_values, T_index = np.unique(age, return_inverse=True)
    rows = np.flatnonzero(frequency > 0)
    t_x_values, t_x_rows = np.unique(recency[rows], return_inverse=True)
    return _counted(
        scale=scale,
        x=x_values,
        T=T_values / scale,
        t_x=t_x_values / scale,
        x_index=x_index,
        T_index=T_index,
        rows=rows,
        rows_t_x=t_x_rows,
    )


def tally_days(
    *,
    x: NDArray[np.integer[Any]],
    t_x: NDArray[np.integer[Any]],
    T: NDArray[np.integer[Any]],
    days: float,
) -> Tally:
    """As `tally` for times in whole days, `days` to the unit of time: no sorting, so fit for millions."""
    check(x, t_x, T)
    unit = days * (float(np.mean(T)) / days or 1.0)
    rows = np.flatnonzero(x > 0)
    recency = t_x[rows]
    return _counted(
        scale=unit / days,
        x=np.arange(int(np.max(x)) + 1, dtype=np.float64),
        T=np.arange(int(np.max(T)) + 1) / unit,
        t_x=np.arange(int(np.max(recency, initial=0)) + 1) / unit,
        x_index=x.astype(np.intp),
        T_index=T.astype(np.intp),
        rows=rows,
        rows_t_x=recency.astype(np.intp),
    )


def _scale(T: FloatArray) -> float:
    """The mean age, so that α is near 1 whatever the unit of time."""
    return float(np.mean(T)) or 1.0


def _counted(
    *,
    scale: float,
    x: FloatArray,
    T: FloatArray,
    t_x: FloatArray,
    x_index: NDArray[np.intp],
    T_index: NDArray[np.intp],
    rows: NDArray[np.intp],
    rows_t_x: NDArray[np.intp],
) -> Tally:
    """The tally of customers given by their places in the lists of distinct values; `rows` are repeat buyers."""
    T_count = np.bincount(T_index, minlength=T.size).astype(np.float64)
    repeat_T = np.bincount(T_index[rows], minlength=T.size)
    once = T_count - repeat_T
    return Tally(
        customers=x_index.size,
        repeat=rows.size,
        scale=scale,
        x=x,
        T=T,
        t_x=t_x,
        x_count=np.bincount(x_index, minlength=x.size).astype(np.float64),
        T_count=T_count,
        T_orders=np.bincount(T_index[rows], weights=x[x_index[rows]], minlength=T.size).astype(np.float64),
        rows_x=x_index[rows],
        rows_age=T_index[rows],
        rows_t_x=rows_t_x,
        once_age=T[once > 0],
        once_count=once[once > 0],
    )


def check(x: NDArray[Any], t_x: NDArray[Any], T: NDArray[Any]) -> None:
    if not x.shape == t_x.shape == T.shape or x.ndim != 1 or x.size == 0:
        raise ValueError("x, t_x and T must be columns of one length, with at least one customer")
    if not all(np.all(np.isfinite(column)) for column in (x, t_x, T)):
        raise ValueError("x, t_x and T must be finite")
    if np.any(x < 0) or np.any(t_x < 0) or np.any(t_x > T) or np.any((x > 0) & (t_x <= 0)):
        raise ValueError("a history needs x ≥ 0, 0 ≤ t_x ≤ T, and t_x > 0 when x > 0")


def log_likelihood(data: Tally, values: FloatArray, *, m: int) -> tuple[float, FloatArray]:
    """Mean log-likelihood per customer and its gradient by (r, alpha, a, b); alpha in data.scale."""
    r, alpha, a, b = values.tolist()
    level, slope = _by_value(data, r, alpha, a, b, m)
    for part, gradient in _brackets(data, r, alpha, a, b, m):
        level += part
        slope += gradient
    return level / data.customers, slope / data.customers


def _by_value(data: Tally, r: float, alpha: float, a: float, b: float, m: int) -> tuple[float, FloatArray]:
    """All but the bracket, from the histograms."""
    x, n = data.x, data.x_count
    age = alpha + data.T
    shape = r * data.T_count + data.T_orders
    level = (
        np.sum(n * (gammaln(r + x) - gammaln(r) + betaln(a, b + x + m) - betaln(a, b)))
        + data.customers * r * np.log(alpha)
        - np.sum(shape * np.log(age))
    )
    together = digamma(a + b + x + m) - digamma(a + b)
    slope = np.array(
        [
            np.sum(n * (digamma(r + x) - digamma(r))) - np.sum(data.T_count * np.log(age / alpha)),
            data.customers * r / alpha - np.sum(shape / age),
            -np.sum(n * together),
            np.sum(n * (digamma(b + x + m) - digamma(b) - together)),
        ]
    )
    return float(level), slope


def _brackets(data: Tally, r: float, alpha: float, a: float, b: float, m: int) -> list[tuple[float, FloatArray]]:
    """Sum of ln(1 + e^z) and its gradient, block by block."""
    chances = b + np.maximum(data.x, 1.0) + (m - 1.0)  # x = 0 appears among the rows of MBG/NBD only
    log_odds = np.log(a) - np.log(chances)
    log_T, log_t_x = np.log(alpha + data.T), np.log(alpha + data.t_x)
    inverse_T, inverse_t_x = 1.0 / (alpha + data.T), 1.0 / (alpha + data.t_x)
    parts = []
    for start in range(0, data.rows_x.size, BLOCK):
        rows = slice(start, start + BLOCK)
        in_x, in_T, in_t_x = data.rows_x[rows], data.rows_age[rows], data.rows_t_x[rows]
        parts.append(
            _bracket(
                shape=(r + data.x)[in_x],
                silence=log_T[in_T] - log_t_x[in_t_x],
                fading=inverse_T[in_T] - inverse_t_x[in_t_x],
                log_odds=log_odds[in_x],
                chances=chances[in_x],
                a=a,
            )
        )
    if m and data.once_age.size:
        parts.append(_bracket_once(data, r, alpha, a, b))
    return parts


def _bracket(
    *,
    shape: FloatArray,
    silence: FloatArray,
    fading: FloatArray,
    log_odds: FloatArray,
    chances: FloatArray,
    a: float,
) -> tuple[float, FloatArray]:
    z = shape * silence + log_odds
    decay = np.exp(-np.abs(z))
    level = np.sum(np.maximum(z, 0.0)) + np.sum(np.log1p(decay))
    gone = np.where(z > 0, 1.0, decay) / (1.0 + decay)
    slope = [np.dot(gone, silence), np.dot(gone, shape * fading), np.sum(gone) / a, -np.sum(gone / chances)]
    return float(level), np.array(slope)


def _bracket_once(data: Tally, r: float, alpha: float, a: float, b: float) -> tuple[float, FloatArray]:
    """MBG/NBD at x = 0: z = ln(a/b) + r·ln((α+T)/α), one row per distinct T."""
    silence = np.log1p(data.once_age / alpha)
    z = r * silence + np.log(a / b)
    gone = data.once_count * expit(z)
    fading = 1.0 / (alpha + data.once_age) - 1.0 / alpha
    level = np.sum(data.once_count * np.logaddexp(0.0, z))
    slope = [np.sum(gone * silence), np.sum(gone * r * fading), np.sum(gone) / a, -np.sum(gone) / b]
    return float(level), np.array(slope)


def fit(data: Tally, *, m: int, start: tuple[float, ...] = START) -> fitting.Maximum:
    """Maximum likelihood; values (r, alpha, a, b) and the total log-likelihood in the tally's unit of time.

    `start` has alpha in mean ages. Raises fitting.DidNotConverge.
    """
    if data.repeat == 0:
        raise fitting.DidNotConverge("nobody has bought twice, so that nothing tells a pace from leaving")
    found = _climb(data, m, start)
    r, alpha, a, b = found.values
    orders = float(np.sum(data.x * data.x_count))
    return fitting.Maximum(
        values=(r, alpha * data.scale, a, b),
        log_likelihood=found.log_likelihood * data.customers - orders * float(np.log(data.scale)),
        evaluations=found.evaluations,
    )


def _climb(data: Tally, m: int, start: tuple[float, ...]) -> fitting.Maximum:
    def level(values: FloatArray) -> tuple[float, FloatArray]:
        return log_likelihood(data, values, m=m)

    if data.repeat < MANY:
        return fitting.maximise(level, names=NAMES, start=start, low=LOW, high=HIGH)
    some = _part(data)
    return fitting.maximise_from_part(
        level,
        lambda values: log_likelihood(some, values, m=m),
        names=NAMES,
        start=start,
        low=LOW,
        high=HIGH,
    )


def _part(data: Tally) -> Tally:
    """About PART repeat buyers, evenly spread, and as large a share of those who bought once."""
    stride = data.repeat // PART
    rows_x, rows_age, rows_t_x = (rows[::stride] for rows in (data.rows_x, data.rows_age, data.rows_t_x))
    again = np.bincount(data.rows_age, minlength=data.T.size)
    bought_once = (data.customers - data.repeat) // stride
    share = bought_once / max(data.customers - data.repeat, 1)
    x_count = np.bincount(rows_x, minlength=data.x.size).astype(np.float64)
    x_count[data.x == 0.0] = bought_once
    T_count = share * (data.T_count - again) + np.bincount(rows_age, minlength=data.T.size)
    return replace(
        data,
        customers=rows_x.size + bought_once,
        repeat=rows_x.size,
        x_count=x_count,
        T_count=T_count,
        T_orders=np.bincount(rows_age, weights=data.x[rows_x], minlength=data.T.size).astype(np.float64),
        rows_x=rows_x,
        rows_age=rows_age,
        rows_t_x=rows_t_x,
        once_count=share * data.once_count,
    )


def log_odds_gone(
    *, r: float, alpha: float, a: float, b: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, m: int
) -> FloatArray:
    """z, the log odds that she has left; -inf where she cannot have (BG/NBD at x = 0)."""
    frequency, recency, age = (np.asarray(v, dtype=np.float64) for v in (x, t_x, T))
    chances = b + frequency + (m - 1.0)
    can = frequency + m > 0
    silence = np.log1p((age - recency) / (alpha + recency))
    z: FloatArray = np.log(a) - np.log(np.where(can, chances, 1.0)) + (r + frequency) * silence
    return np.where(can, z, -np.inf)


def pmf(*, r: float, alpha: float, a: float, b: float, x: ArrayLike, t: ArrayLike, m: int) -> FloatArray:
    """P(X(t) = x) of a new customer: x orders and still there, or x reached and left right then."""
    n, busy = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(t) / (alpha + np.asarray(t)))
    pace = gammaln(r + n) - gammaln(r) - gammaln(n + 1) + r * np.log1p(-busy) + xlogy(n, busy)
    alive = np.exp(betaln(a, b + n + m) - betaln(a, b) + pace)
    can = n + m > 0
    left = np.exp(betaln(a + 1, np.where(can, b + n + m - 1, 1.0)) - betaln(a, b))
    reached = np.where(n > 0, betainc(np.maximum(n, 1.0), r, busy), 1.0)
    return np.asarray(alive + np.where(can, left * reached, 0.0))


def draw_orders(
    *, R: ArrayLike, y: ArrayLike, a: ArrayLike, beta: ArrayLike, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Orders of living customers within t, one draw each; arguments as in hypergeometric.expected_events.

    Her pace gives Poisson(λt) orders with λt ~ Gamma(R)·y, and she leaves at the Geometric(p)-th, p ~ Beta(a, β).
    """
    arrays = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (R, y, a, beta)))
    return np.minimum(poisson(rng.standard_gamma(arrays[0]) * arrays[1], rng), last_order(arrays[2], arrays[3], rng))


def poisson(mean: FloatArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """Poisson numbers; a mean beyond 10^15 counts as that, where the generator would refuse."""
    return np.asarray(rng.poisson(np.minimum(mean, MOST_ORDERS)), dtype=np.int64)


def last_order(a: FloatArray, beta: FloatArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """At which of her next orders she leaves, her chance p at each ~ Beta(a, β)."""
    return np.asarray(rng.geometric(np.clip(rng.beta(a, beta), SMALLEST_CHANCE, 1.0)), dtype=np.int64)


def scaled_chance(a: float, b: float, factor: float) -> tuple[float, float]:
    """(a, b) with the mean chance to leave, a / (a + b), times `factor` > 0 and the same sum.

    Beta(a, b + x + m) of a customer with x repeat orders then has its mean times the same factor and its own sum. The
    new b is at least 1 - MOST_LEAVE of the old one: a larger factor counts as the one that leads there. 1 gives the
    same bits.
    """
    scaled = min(factor * a, a + MOST_LEAVE * b)
    return scaled, b + (a - scaled)
