"""BG/NBD and MBG/NBD seen through whole days: orders of one day are one, times are counted in days.

The first order falls at any moment of its day. With λ orders a day, p the chance to leave after an order and
q = 1 - p, exactly (m = 0 BG/NBD, m = 1 MBG/NBD):

    still there after the first day      s₀ = q^m (1 - e^(-λp)) / (λp)
    a day without orders                 e^(-λ)
    a day with orders, still there after it   s = e^(-λp) - e^(-λ)
    a day with orders, gone after it          d = 1 - e^(-λp)

    alive after x order days in T      A = ∫∫ s₀ · s^x · e^(-λ(T - x))
    left on the x-th, day t_x          D = ∫∫ s₀ · s^(x-1) · d · e^(-λ(t_x - x)),   L = A + D

over λ ~ Gamma(r, α) and p ~ Beta(a, b); whoever bought once has left with D = 1 - A at T = 0. To first order
in λ these are the ordinary integrals with T - x·q/2 + p/2 in place of T and t_x - (x+1)/2 + (x+1)·p/2 in place
of t_x: each order day hides half a day of exposure and λq/2 chances to leave. Here every integrand is
replaced by the gamma × beta density that has its slope and curvature (in ln λ and in p) at its peak, so that it
stays right for someone who orders nearly every day, where expansions in λ fail. Each pair (x, T) and
(x, t_x) is integrated once. Times are whole days; `days` is the parameters' unit of time in days.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, digamma, expit, gammaln

from analytics.clv import hypergeometric
from analytics.clv.params import BgNbdParams, FloatArray, MbgNbdParams

BLOCK = 8_192  # pairs worked on at once: their columns stay in the second-level cache
PEAK_STEPS = 4  # each squares the distance to the peak, and an error in it counts in third order only
SMALL = 1e-2  # below it the functions of a day are summed as series
LARGE = 700.0  # beyond it they are at their ends, and e^y leaves the range of a float
SLOPE_STEP = 1e-4  # in ln(values), for the one term without a closed slope
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True, slots=True)
class Values:
    """r, α (days), a, b and the model: m = 0 for BG/NBD, 1 for MBG/NBD."""

    r: float
    alpha: float
    a: float
    b: float
    m: int

    @classmethod
    def of(cls, params: BgNbdParams | MbgNbdParams, days: float) -> "Values":
        return cls(params.r, params.alpha * days, params.a, params.b, int(isinstance(params, MbgNbdParams)))


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is known of λ ~ Gamma(R, A) per day and p ~ Beta(a, b) given the order days, and the integral itself."""

    R: FloatArray
    A: FloatArray
    a: FloatArray
    b: FloatArray
    log: FloatArray  # ln of the integral
    slope: FloatArray  # of it by ln(r, α, a, b): rows × 4


def alive(values: Values, x: ArrayLike, T: ArrayLike) -> Posterior:
    """A, of someone with x repeat order days in T days who is still there; columns of one length."""
    return _blocks(values, np.asarray(x, dtype=np.float64), np.asarray(T, dtype=np.float64), 0)


def left(values: Values, x: ArrayLike, t_x: ArrayLike) -> Posterior:
    """D, of someone who left on her x-th repeat order day, day t_x; x ≥ 1."""
    return _blocks(values, np.asarray(x, dtype=np.float64), np.asarray(t_x, dtype=np.float64), 1)


def left_at_once(values: Values) -> tuple[float, FloatArray]:
    """ln D of those who left on their first day, and its slope by ln(r, α, a, b).

    D = ∫₀¹ du E[1 - q^m (1 + p·u/α)^-r], in which `expected_events` knows the expectation.
    """
    logs = np.log([values.r, values.alpha, values.a, values.b])
    around = logs + SLOPE_STEP * np.vstack([np.zeros(4), np.eye(4), -np.eye(4)])
    r, alpha, a, b = np.exp(around.T)[:, :, np.newaxis]
    events = hypergeometric.expected_events(R=r, y=(NODES + 1.0) / 2.0 / alpha, a=a + 1.0, beta=b + values.m)
    within = events @ WEIGHTS / 2.0
    leaves = (a / (a + b))[:, 0]
    stays = (b / (a + b + 1.0))[:, 0]
    found = np.log(leaves * (1.0 + stays * within) if values.m else leaves * within)
    return float(found[0]), (found[1:5] - found[5:]) / (2.0 * SLOPE_STEP)


def p_alive(
    params: BgNbdParams | MbgNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, days: float
) -> FloatArray:
    """P(has not left by the end of day T | x, t_x, T) = A / (A + D); columns of one length, whole days."""
    values = Values.of(params, days)
    frequency = np.asarray(x, dtype=np.float64)
    gone = np.full(frequency.shape, left_at_once(values)[0])
    again = frequency > 0
    gone[again] = left(values, frequency[again], np.asarray(t_x)[again]).log
    return np.asarray(expit(alive(values, frequency, T).log - gone))


def p_silent_alive(
    params: BgNbdParams | MbgNbdParams, t: float, x: ArrayLike, T: ArrayLike, *, days: float
) -> FloatArray:
    """P(no order in the t days after T) of someone who is there at T: (A / (A + t))^R."""
    pace = alive(Values.of(params, days), x, T)
    return np.asarray(np.exp(-pace.R * np.log1p(t / pace.A)))


def expected_order_days_alive(
    params: BgNbdParams | MbgNbdParams, t: float, x: ArrayLike, T: ArrayLike, *, days: float
) -> FloatArray:
    """Order days (not orders) in the t days after T of someone who is there at T.

    Given λ and p they are (1 - e^(-λ)) (1 - e^(-λpt)) / (1 - e^(-λp)): the orders, (1 - e^(-λpt)) / p, times a
    factor below one, which again becomes λ^k e^(-Eλ) with its slope and curvature at the middle of λ.
    """
    pace = alive(Values.of(params, days), x, T)
    rate, chance = pace.R / pace.A, pace.a / (pace.a + pace.b)
    day, spread = _day(rate), _day(rate * chance)
    k = np.maximum(spread.w - day.w, -0.9 * pace.R)
    E = (day.u - day.w - spread.u + spread.w) / rate
    level = _log_some(rate) - _log_some(rate * chance) + np.log(chance) - k * np.log(rate) + E * rate
    R, A = pace.R + k, pace.A + E
    merged = np.exp(level + gammaln(R) - gammaln(pace.R) + pace.R * np.log(pace.A) - R * np.log(A))
    return np.asarray(merged * hypergeometric.expected_events(R=R, y=t / A, a=pace.a, beta=pace.b))


@dataclass(frozen=True, slots=True)
class _Day:
    """u = 1 - τ and w = 1 - σ: τ = y/(e^y - 1) is the slope of ln(1 - e^-y) by ln y, τ - σ its curvature."""

    u: FloatArray
    w: FloatArray


def _day(y: FloatArray) -> _Day:
    large = np.clip(y, SMALL, LARGE)
    tau = large / np.expm1(large)
    square = y * y
    small = y < SMALL
    return _Day(
        u=np.where(small, y / 2 - square / 12 + square * square / 720, 1.0 - tau),
        w=np.where(small, square / 12 - square * square / 240, 1.0 - tau * (tau + large)),
    )


def _log_some(y: FloatArray) -> FloatArray:
    """ln(1 - e^-y)."""
    return np.asarray(np.log(-np.expm1(-y)))


def _blocks(values: Values, x: FloatArray, t: FloatArray, gone: int) -> Posterior:
    parts = [
        _posterior(values, x[rows] - gone, (t - x)[rows], gone)
        for rows in (slice(start, start + BLOCK) for start in range(0, max(x.size, 1), BLOCK))
    ]
    return Posterior(*(np.concatenate([getattr(part, name) for part in parts]) for name in Posterior.__slots__))


@dataclass(frozen=True, slots=True)
class _Peak:
    """Where the integrand is largest, and the gamma × beta density that fits it there."""

    rate: FloatArray
    p: FloatArray
    q: FloatArray
    R: FloatArray
    A: FloatArray
    fall: FloatArray  # -slope by p of the integrand without the powers of p and q that the order days give
    first: _Day  # at λp
    second: _Day  # at λq


def _peak(values: Values, n: FloatArray, silent: FloatArray, gone: int) -> _Peak:
    """Newton's steps in ln λ and the like in p from where the ordinary model has the middle."""
    a, b, ends = values.a + gone, values.b + n + values.m, 1.0 + gone
    rate = (values.r + n + gone) / (values.alpha + silent + 0.5 * (n + ends))
    p: FloatArray = a / (a + b)
    for step in range(PEAK_STEPS):
        q = 1.0 - p
        first, second = _day(rate * p), _day(rate * q)
        k = n + gone - ends * first.w - n * second.w
        R = values.r + np.maximum(k, -0.9 * values.r)
        A = values.alpha + silent + n * p + (ends * (first.u - first.w) + n * (second.u - second.w)) / rate
        fall = ends * first.u / p + n * (rate - second.u / q)
        if step < PEAK_STEPS - 1:
            rate, p = R / A, a / (a + b + fall * q)
    return _Peak(rate=rate, p=p, q=q, R=R, A=A, fall=fall, first=first, second=second)


def _posterior(values: Values, n: FloatArray, silent: FloatArray, gone: int) -> Posterior:
    """n order days survived, silent days, and for gone = 1 one more order day that was the last.

    In p the integrand is p^(a-1) q^(b-1) times nearly e^(-fall·p). Of the densities p^(a-1) q^(b+hidden-1) the one
    that bounds the integral best from below (Jensen's inequality) is taken, and the bound for the integral.
    """
    peak = _peak(values, n, silent, gone)
    chance = _chance(values, peak, n, gone)
    level = (
        _at_peak(values, peak, n, silent, gone)
        - peak.fall * (chance.mean - peak.p)
        - chance.hidden * (digamma(chance.b) - digamma(chance.a + chance.b))
        + 0.5 * chance.variance * chance.curve
        + gammaln(peak.R)
        - gammaln(values.r)
        + values.r * np.log(values.alpha)
        - peak.R * np.log(peak.A)
        + betaln(chance.a, chance.b)
        - betaln(values.a, values.b)
    )
    return Posterior(peak.R, peak.A, chance.a, chance.b, level, _slope(values, peak, chance, n, gone))


@dataclass(frozen=True, slots=True)
class _Chance:
    """The beta density in p."""

    a: FloatArray
    b: FloatArray
    hidden: FloatArray  # chances to leave beside the one of each order day
    mean: FloatArray
    variance: FloatArray
    curve: FloatArray  # curvature that it lacks


def _chance(values: Values, peak: _Peak, n: FloatArray, gone: int) -> _Chance:
    a, before = np.full_like(n, values.a + gone), values.b + n + values.m
    hidden = _hidden(a, before, peak)
    b = before + hidden
    together = a + b
    return _Chance(
        a=a,
        b=b,
        hidden=hidden,
        mean=a / together,
        variance=a * b / (together * together * (together + 1.0)),
        curve=_curve(peak, n, 1.0 + gone),
    )


def _hidden(a: FloatArray, b: FloatArray, peak: _Peak) -> FloatArray:
    """Chances to leave beside the one of each order day: where the bound is highest."""
    near = b + peak.fall * peak.q
    mean_slope = a / (a + near) ** 2
    return np.asarray(peak.fall * mean_slope / (_trigamma(near) - _trigamma(a + near)))


def _at_peak(values: Values, peak: _Peak, n: FloatArray, silent: FloatArray, gone: int) -> FloatArray:
    """ln of integrand over fitted density, at the peak."""
    rate, p, log_q = peak.rate, peak.p, np.log(peak.q)
    return np.asarray(
        (gone + 1.0) * _log_some(rate * p)
        - (gone + 1.0) * np.log(p)
        + n * (_log_some(rate * peak.q) - log_q - rate * p)
        - rate * silent
        - (peak.R - values.r + 1.0) * np.log(rate)
        + (peak.A - values.alpha) * rate
    )


def _curve(peak: _Peak, n: FloatArray, ends: float) -> FloatArray:
    """Curvature in p that e^(-fall·p) does not have, and how p and ln λ go together."""
    return np.asarray(ends * peak.first.w / peak.p**2 + n * peak.second.w / peak.q**2 + peak.fall**2 / peak.R)


def _slope(values: Values, peak: _Peak, chance: _Chance, n: FloatArray, gone: int) -> FloatArray:
    """By ln(r, α, a, b): the mean slope of the prior's logarithm, with the middle of ln λ moved for skewness."""
    a, b, p, together = chance.a, chance.b, chance.mean, chance.a + chance.b
    skew = -(n * _skew(peak.second, peak.rate * peak.q) + (1.0 + gone) * _skew(peak.first, peak.rate * peak.p))
    moved = skew / (2.0 * peak.R * (peak.R + 1.0))
    common = digamma(together) - digamma(values.a + values.b)
    by_a = chance.hidden * _trigamma(together) - peak.fall * b / together**2
    lean = 0.5 * chance.curve * (1.0 - 2.0 * p) / (together + 1.0)
    narrow = 0.5 * chance.curve * chance.variance / (together + 1.0)
    return np.column_stack(
        [
            values.r * (digamma(peak.R) - digamma(values.r) + np.log(values.alpha / peak.A) + moved),
            values.r - values.alpha * peak.R / peak.A * (1.0 + moved),
            values.a * (digamma(a) - digamma(values.a) - common + by_a + lean * (1.0 - p) / together - narrow),
            values.b * (digamma(b) - digamma(values.b) - common - lean * p / together - narrow),
        ]
    )


def _skew(day: _Day, y: FloatArray) -> FloatArray:
    """Third derivative of ln(1 - e^-y) by ln y beyond that of the fitted gamma density; y²/6 for small y, with sign."""
    tau = 1.0 - day.u
    return np.asarray(y * tau - (day.u - day.w) * (2.0 * tau + y))


def _trigamma(y: FloatArray) -> FloatArray:
    """ψ'(y), y > 0, to 3e-9: six steps up, then Stirling's series. scipy's zeta function is slower."""
    steps = sum(1.0 / ((y + k) * (y + k)) for k in range(6))
    z = 1.0 / (y + 6.0)
    square = z * z
    return np.asarray(steps + z * (1.0 + z / 2.0 + square * (1.0 / 6.0 - square * (1.0 / 30.0 - square / 42.0))))
