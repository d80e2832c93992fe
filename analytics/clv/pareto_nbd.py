"""Pareto/NBD: Schmittlein, Morrison & Colombo (1987), Counting Your Customers: Who Are They and What Will They Do
Next?, Management Science 33(1); the formulas as in Fader & Hardie (2005), A Note on Deriving the Pareto/NBD Model.

Orders come at rate λ ~ Gamma(r, α) until she leaves, unseen, at rate μ ~ Gamma(s, β). x repeat orders, the last at t_x
(0 without any), watched until T, counted from the first order in the unit of time of the parameters. Arguments
broadcast; results are arrays of float64. Impossible histories are not checked here: `fit` does.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, gammaln, xlogy

from analytics.clv import beta_geometric, fitting, pareto_integral, pareto_likelihood, triples
from analytics.clv.params import Fit, FloatArray, ParetoNbdParams

CLOSE = 1e-5  # of the integral to the right of T: a shorter one is taken by itself, not as a difference
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
PMF_NODES = np.linspace(-45.0, 45.0, 1201)  # of ln(τ / (t - τ))
MOST_STEPS = 50  # of Newton's method; three to eight are usual
SHORTEST = 1e-6  # the last of them, relative to the wait
LARGEST = 300.0  # whose exponential times an age is a number
LEAST = 1e-100  # a slope below it is none
LONGEST = 1e-300  # a rate of leaving below it is none


def log_likelihood(params: ParetoNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> float:
    """Sum over customers of ln L(r, α, s, β | x, t_x, T), Fader & Hardie (2005), eq. 15 and 16 in one."""
    data = triples.of(x=x, t_x=t_x, T=T)
    values = np.array([params.r, params.alpha / data.scale, params.s, params.beta / data.scale])
    mean, _ = pareto_likelihood.log_likelihood(pareto_likelihood.paired(data), values, step=pareto_integral.STEP)
    return mean * data.customers - data.orders * float(np.log(data.scale))


def fit(data: triples.Triples) -> Fit[ParetoNbdParams]:
    """Maximum likelihood. Raises fitting.DidNotConverge."""
    if data.repeat == 0:
        raise fitting.DidNotConverge("nobody has bought twice, so that nothing tells a pace from leaving")
    found = pareto_likelihood.fit(pareto_likelihood.paired(data))
    r, alpha, s, beta = found.values
    return Fit(
        params=ParetoNbdParams(r=r, alpha=alpha * data.scale, s=s, beta=beta * data.scale),
        log_likelihood=found.log_likelihood * data.customers - data.orders * float(np.log(data.scale)),
        customers=data.customers,
        evaluations=found.evaluations,
    )


def p_alive(params: ParetoNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(has not left by T | x, t_x, T)."""
    return np.asarray(expit(-_log_odds_gone(params, x, t_x, T)))


def p_silent(params: ParetoNbdParams, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(no order in (T, T + t] | x, t_x, T): she has left, or is alive and silent or leaves before she orders."""
    z = _log_odds_gone(params, x, t_x, T)
    return np.minimum(expit(z) + expit(-z) * p_silent_alive(params, t, x, T), 1.0)


def p_silent_alive(params: ParetoNbdParams, t: ArrayLike, x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(no order in (T, T + t]) of someone who is alive at T: silent all the time, or until she leaves."""
    x, T, t = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (x, T, t)))
    stays = np.exp(-_decay(params, t, x, T))
    return np.minimum(_leaves_first(params, x, T) + stays * (1.0 - _leaves_first(params, x, T + t)), 1.0)


def p_pause(params: ParetoNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(no order since t_x) at the pace of the x orders until then, if she is still there: ((α+t_x)/(α+T))^(r+x)."""
    shape, start = params.r + np.asarray(x), params.alpha + np.asarray(t_x)
    return np.asarray(np.exp(-shape * np.log1p((np.asarray(T) - np.asarray(t_x)) / start)))


def median_wait(params: ParetoNbdParams, x: FloatArray, T: FloatArray, *, longest: float) -> FloatArray:
    """The t for which p_silent_alive is one half; NaN where it is beyond `longest`. Distinct (x, T), one axis.

    Newton's method. The slope is -P(neither an order nor leaving within t) · (r+x)/(α+T+t), and rises: from the wait of
    someone who cannot leave, which is too short, the steps go up and never too far.
    """
    shape, pace = params.r + x, params.alpha + T
    leaves = _leave_first(params, x, T)
    t = pace * np.expm1(np.minimum(np.log(2.0) / shape, LARGEST))
    rows = np.arange(t.size)
    for _ in range(MOST_STEPS):
        waited = t[rows]
        rows, waited = rows[waited <= longest], waited[waited <= longest]
        stays = np.exp(-_decay(params, waited, x[rows], T[rows]))
        silent = leaves[rows] + stays * (1.0 - _leave_first(params, x[rows], T[rows] + waited))
        slope = stays * shape[rows] / (pace[rows] + waited)
        step = np.divide(silent - 0.5, slope, out=np.full(slope.shape, np.inf), where=slope > LEAST)
        t[rows] = waited + step
        rows = rows[step > SHORTEST * waited]
        if not rows.size:
            break
    return np.where(t <= longest, t, np.nan)


def expected_purchases(params: ParetoNbdParams, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """E[Y(t) | x, t_x, T], orders in (T, T + t], Fader & Hardie (2005), eq. 41."""
    return p_alive(params, x, t_x, T) * expected_purchases_alive(params, t, x, T)


def expected_purchases_alive(params: ParetoNbdParams, t: ArrayLike, x: ArrayLike, T: ArrayLike) -> FloatArray:
    """Orders in (T, T + t] of someone who is alive at T after x repeat orders: her pace times the time she stays.

    (r+x)/(α+T) · (β+T)/(s-1) · [1 - ((β+T)/(β+T+t))^(s-1)], which is 0/0 at s = 1; here with u = ln(1 + t/(β+T)) as
    (r+x)/(α+T) · (β+T) · u · (1 - e^-(s-1)u) / ((s-1)u).
    """
    age = np.asarray(T, dtype=np.float64)
    pace = (params.r + np.asarray(x)) / (params.alpha + age)
    u = np.log1p(np.asarray(t) / (params.beta + age))
    fall = (params.s - 1.0) * u
    share = np.divide(-np.expm1(-fall), fall, out=np.ones_like(fall), where=fall != 0.0)
    return np.asarray(pace * (params.beta + age) * u * share)


def unconditional_expected_purchases(params: ParetoNbdParams, t: ArrayLike) -> FloatArray:
    """E[X(t)], repeat orders of a new customer within t, Schmittlein, Morrison & Colombo (1987), eq. 17."""
    return expected_purchases_alive(params, t, 0.0, 0.0)


def pmf(params: ParetoNbdParams, x: ArrayLike, t: ArrayLike) -> FloatArray:
    """P(X(t) = x), repeat orders of a new customer within t: alive after x, or left at τ < t after x.

    The integral over τ is taken by the trapezoidal rule in ln(τ/(t-τ)).
    """
    orders, horizon = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64)[..., np.newaxis] for v in (x, t)))
    share, rest = expit(PMF_NODES), expit(-PMF_NODES)
    tau = horizon * share
    log_density = np.log(params.s) - (params.s + 1.0) * np.log1p(tau / params.beta) - np.log(params.beta)
    step = PMF_NODES[1] - PMF_NODES[0]
    left = np.sum(np.exp(_log_nbd(params, orders, tau) + log_density) * tau * rest, axis=-1) * step
    stays = np.exp(_log_nbd(params, orders, horizon) - params.s * np.log1p(horizon / params.beta))[..., 0]
    return np.asarray(stays + left)


def draw_orders(
    params: ParetoNbdParams, t: ArrayLike, x: ArrayLike, T: ArrayLike, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Orders in (T, T + t] of people who are alive at T after x repeat orders: one draw for each."""
    x, T, t = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (x, T, t)))
    pace = rng.standard_gamma(params.r + x) / (params.alpha + T)
    leaving = rng.standard_gamma(params.s, size=x.shape) / (params.beta + T)
    stay = np.minimum(rng.standard_exponential(x.shape) / np.maximum(leaving, LONGEST), t)
    return beta_geometric.poisson(pace * stay, rng)


def _log_nbd(params: ParetoNbdParams, x: FloatArray, t: FloatArray) -> FloatArray:
    """ln P(x orders within t) of someone who stays."""
    r, alpha = params.r, params.alpha
    pace = gammaln(r + x) - gammaln(r) - gammaln(x + 1.0) - r * np.log1p(t / alpha)
    return np.asarray(pace + xlogy(x, t / (alpha + t)))


def _decay(params: ParetoNbdParams, t: ArrayLike, x: ArrayLike, T: ArrayLike) -> FloatArray:
    """-ln P(neither an order nor leaving in (T, T + t]) of someone alive at T: (r+x)·ln(..) + s·ln(..)."""
    orders = (params.r + np.asarray(x)) * np.log1p(np.asarray(t) / (params.alpha + np.asarray(T)))
    return np.asarray(orders + params.s * np.log1p(np.asarray(t) / (params.beta + np.asarray(T))))


def _leaves_first(params: ParetoNbdParams, x: FloatArray, T: FloatArray) -> FloatArray:
    """P(she leaves before her next order), computed once for each distinct (x, T)."""
    orders, age, place = triples.pairs(x.ravel(), T.ravel())
    return _leave_first(params, orders, age)[place].reshape(x.shape)


def _leave_first(params: ParetoNbdParams, x: FloatArray, T: FloatArray) -> FloatArray:
    f = pareto_integral.chance_to_leave_first(params.r + x, params.s, params.alpha + T, params.beta + T)
    return np.asarray(np.minimum(params.s * f, 1.0))


def _log_odds_gone(params: ParetoNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """z, the log odds that she has left by T: s·∫ of the silence until τ over τ from t_x to T.

    It is the integral from t_x on less that from T on, each given by a distinct (x, t). Where little is left of the
    difference, the integrand hardly changes, and eight Gauss points between t_x and T give it.
    """
    x, t_x, T = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (x, t_x, T)))
    decay = _decay(params, T - t_x, x, t_x)
    since, after = _leaves_first(params, x, t_x), _leaves_first(params, x, T)
    rest = np.exp(-decay) * after / since
    short = np.asarray(1.0 - rest < CLOSE)
    z = np.array(decay + np.log(since) + np.log1p(-np.where(short, 0.0, rest)))
    if np.any(short):
        z[short] = _short(params, x[short], t_x[short], T[short])
    return z


def _short(params: ParetoNbdParams, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
    """z for T close to t_x; -inf where they are equal."""
    half = (T - t_x)[:, np.newaxis] / 2.0
    y = half * (1.0 + NODES)
    A, B = params.alpha + t_x[:, np.newaxis], params.beta + t_x[:, np.newaxis]
    silent = (params.r + x[:, np.newaxis]) * np.log1p(y / A) + (params.s + 1.0) * np.log1p(y / B)
    total = params.s * np.sum(WEIGHTS * half / B * np.exp(-silent), axis=1)
    log_total = np.log(total, out=np.full(total.shape, -np.inf), where=total > 0.0)
    return np.asarray(_decay(params, T - t_x, x, t_x) + log_total)
