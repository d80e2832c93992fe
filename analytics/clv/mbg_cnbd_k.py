"""MBG/CNBD-k: Platzer & Reutterer (2016), Ticking Away the Moments: Timing Regularity Helps to Better Predict Customer
Activity, Marketing Science 35(5); Reutterer, Platzer & Schröder (2021), IJRM 38(1).

As MBG/NBD, but a gap between orders is the sum of k exponential steps at rate λ ~ Gamma(r, α), so that k > 1 is a
regular buyer; k = 1 is MBG/NBD. x repeat orders, the last at t_x (0 without any), watched until T, counted from the
first order in the unit of time of the parameters. Arguments broadcast; results are arrays of float64.

Nothing is approximated. How far a living customer is on the way to her next order depends on the silence since t_x, so
that what a living customer will do depends on (x, t_x, T). The functions of someone alive at T take (x, T) and are the
exact mean over what t_x may be; given t_x as well, they are exact for her. The papers approximate the former.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, expit

from analytics.clv import beta_geometric, erlang, regular_likelihood, triples
from analytics.clv.params import Fit, FloatArray, MbgCnbdKParams


def log_likelihood(params: MbgCnbdKParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, log_gaps: ArrayLike) -> float:
    """Sum over customers of ln L(k, r, α, a, b | x, t_x, T, gaps); log_gaps is Σ ln of her gaps, 0 without any."""
    data = triples.of(x=x, t_x=t_x, T=T)
    values = np.array([params.r, params.alpha / data.scale, params.a, params.b])
    mean, _ = regular_likelihood.log_likelihood(data, values, k=params.k)
    return regular_likelihood.total(data, mean, k=params.k, log_gaps=float(np.sum(log_gaps)))


def fit(data: triples.Triples, *, log_gaps: float) -> Fit[MbgCnbdKParams]:
    """Maximum likelihood, the best k of 1 to 12; `log_gaps` over all customers in their unit of time.

    Raises fitting.DidNotConverge, also where the gaps are not known (NaN).
    """
    found, k = regular_likelihood.fit(data, log_gaps=log_gaps)
    r, alpha, a, b = found.values
    return Fit(
        params=MbgCnbdKParams(k=k, r=r, alpha=alpha * data.scale, a=a, b=b),
        log_likelihood=found.log_likelihood,
        customers=data.customers,
        evaluations=found.evaluations,
    )


def p_alive(params: MbgCnbdKParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(has not left by T | x, t_x, T)."""
    return np.asarray(expit(-_log_odds_gone(params, x, t_x, T)))


def p_silent(params: MbgCnbdKParams, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(no order in (T, T + t] | x, t_x, T): she has left, or is alive and silent."""
    z = _log_odds_gone(params, x, t_x, T)
    return np.minimum(expit(z) + expit(-z) * p_silent_alive(params, t, x, T, t_x), 1.0)


def p_silent_alive(
    params: MbgCnbdKParams, t: ArrayLike, x: ArrayLike, T: ArrayLike, t_x: ArrayLike | None = None
) -> FloatArray:
    """P(no order in (T, T + t]) of someone who is alive at T after x repeat orders, the last at t_x if given."""
    if t_x is not None:
        later = np.asarray(T) + np.asarray(t)
        longer = _log_quiet(params, x, t_x, later)
        return np.exp(np.minimum(longer - _log_quiet(params, x, t_x, T), 0.0))
    shape, age = params.r + params.k * np.asarray(x, dtype=np.float64), params.alpha + np.asarray(T)
    idle = age / (age + np.asarray(t))
    weights = _phases(params, x, T, None)
    silent = sum(w * betainc(shape + j, params.k - j, idle) for j, w in enumerate(weights))
    return np.minimum(silent, 1.0)


def p_pause(params: MbgCnbdKParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(no order since t_x) at the pace of the x orders until then, if she is still there."""
    return np.asarray(np.exp(_log_quiet(params, x, t_x, T)))


def expected_purchases(params: MbgCnbdKParams, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """E[Y(t) | x, t_x, T], orders in (T, T + t]."""
    return p_alive(params, x, t_x, T) * expected_purchases_alive(params, t, x, T, t_x)


def expected_purchases_alive(
    params: MbgCnbdKParams, t: ArrayLike, x: ArrayLike, T: ArrayLike, t_x: ArrayLike | None = None
) -> FloatArray:
    """Orders in (T, T + t] of someone who is alive at T after x repeat orders, the last at t_x if that is given.

    A mean over how many steps she is on the way to her next order; what follows each is computed once for each distinct
    (x, T).
    """
    x, T, t = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (x, T, t)))
    made, y, place = triples.pairs(x.ravel(), (t / (params.alpha + T)).ravel())
    shape, beta = params.r + params.k * made, params.b + made + 1.0
    total = np.zeros(())
    for j, weight in enumerate(_phases(params, x, T, t_x)):
        events = erlang.expected_events(R=shape + j, y=y, a=params.a, beta=beta, k=params.k, phase=j)
        total = total + weight * events[place].reshape(x.shape)
    return np.asarray(total)


def unconditional_expected_purchases(params: MbgCnbdKParams, t: ArrayLike) -> FloatArray:
    """E[X(t)], repeat orders of a new customer within t: she stays after the first with b / (a + b)."""
    return params.b / (params.a + params.b) * expected_purchases_alive(params, t, 0.0, 0.0)


def pmf(params: MbgCnbdKParams, x: ArrayLike, t: ArrayLike) -> FloatArray:
    """P(X(t) = x), repeat orders of a new customer within t: alive after x, or left right after the x-th."""
    n, k = np.asarray(x, dtype=np.float64), params.k
    y = np.asarray(t, dtype=np.float64) / params.alpha
    reached = np.sum([np.exp(erlang.log_pmf(k * n + j, params.r, y)) for j in range(k)], axis=0)
    alive = np.exp(betaln(params.a, params.b + n + 1.0) - betaln(params.a, params.b)) * reached
    left = np.exp(betaln(params.a + 1.0, params.b + n) - betaln(params.a, params.b))
    return np.asarray(alive + left * erlang.tail(k * n, params.r, y))


def draw_orders(
    params: MbgCnbdKParams,
    t: ArrayLike,
    x: ArrayLike,
    T: ArrayLike,
    rng: np.random.Generator,
    t_x: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Orders in (T, T + t] of people who are alive at T after x repeat orders: one draw for each."""
    x, T, t = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (x, T, t)))
    upto = np.cumsum(_phases(params, x, T, t_x), axis=0)
    phase = np.sum(rng.random(x.shape) > upto[:-1], axis=0)
    pace = rng.standard_gamma(params.r + params.k * x + phase) / (params.alpha + T)
    orders = (beta_geometric.poisson(pace * t, rng) + phase) // params.k
    leaves = beta_geometric.last_order(np.full(x.shape, params.a), params.b + x + 1.0, rng)
    return np.asarray(np.minimum(orders, leaves))


def _log_odds_gone(params: MbgCnbdKParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """z = ln(a/(b+x)) - ln P(no order since t_x | alive)."""
    left = np.log(params.a) - np.log(params.b + np.asarray(x, dtype=np.float64))
    return np.asarray(left - _log_quiet(params, x, t_x, T))


def _log_quiet(params: MbgCnbdKParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """ln P(fewer than k steps since t_x) at the pace Gamma(r+kx, α+t_x): -(r+kx)·ln((α+T)/(α+t_x)) + ln S."""
    R, since = params.r + params.k * np.asarray(x, dtype=np.float64), np.asarray(T) - np.asarray(t_x)
    share = since / (params.alpha + np.asarray(T))
    several, _, _ = regular_likelihood.steps(
        R, np.broadcast_to(share, np.broadcast_shapes(R.shape, share.shape)), params.k
    )
    quiet: FloatArray = np.log(several) - R * np.log1p(since / (params.alpha + np.asarray(t_x)))
    return np.minimum(quiet, 0.0)


def _phases(params: MbgCnbdKParams, x: ArrayLike, T: ArrayLike, t_x: ArrayLike | None) -> list[FloatArray]:
    """P(she is j = 0 … k-1 steps on the way | alive, x, T and, if given, t_x).

    Without t_x the kx + j steps so far are Poisson(λT): the weights are Γ(r+kx+j)/(kx+j)! · (T/(α+T))^j. With it the j
    steps since t_x are: (r+kx)_j/j! · ((T-t_x)/(α+T))^j.
    """
    made = params.k * np.asarray(x, dtype=np.float64)
    age = np.asarray(T, dtype=np.float64)
    since, before = (age, made) if t_x is None else (age - np.asarray(t_x), np.zeros_like(made))
    share = since / (params.alpha + age)
    weights = [np.ones(np.broadcast_shapes(made.shape, share.shape))]
    for j in range(1, params.k):
        weights.append(weights[-1] * (params.r + made + (j - 1)) / (before + j) * share)
    total = sum(weights)
    return [weight / total for weight in weights]
