"""BG/NBD: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2).

x repeat orders, the last at t_x, watched until T, all counted from the first order and in the unit of time
of the parameters. Arguments broadcast; results are arrays of float64. Impossible histories are not checked
here: `fit` does.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from analytics.clv import beta_geometric, hypergeometric
from analytics.clv.params import BgNbdParams, Fit, FloatArray


def log_likelihood(params: BgNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> float:
    """Sum over customers of ln L(r, α, a, b | x, t_x, T), their eq. 6."""
    data = beta_geometric.tally(x=x, t_x=t_x, T=T)
    values = np.array([params.r, params.alpha / data.scale, params.a, params.b])
    mean, _ = beta_geometric.log_likelihood(data, values, m=0)
    return mean * data.customers - float(np.sum(data.x * data.x_count)) * float(np.log(data.scale))


def fit(data: beta_geometric.Tally) -> Fit[BgNbdParams]:
    """Maximum likelihood (their section 5). Raises fitting.DidNotConverge."""
    found = beta_geometric.fit(data, m=0)
    return Fit(
        params=BgNbdParams(*found.values),
        log_likelihood=found.log_likelihood,
        customers=data.customers,
        evaluations=found.evaluations,
    )


def p_alive(params: BgNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(has not left by T | x, t_x, T): 1 for everyone with x = 0, as this model has it."""
    return np.asarray(expit(-_z(params, x, t_x, T)))


def p_silent(params: BgNbdParams, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(no order in (T, T + t] | x, t_x, T): she has left, or is alive and silent, ((α+T)/(α+T+t))^(r+x)."""
    z = _z(params, x, t_x, T)
    return np.minimum(expit(z) + expit(-z) * p_silent_alive(params, t, x, T), 1.0)


def p_silent_alive(params: BgNbdParams, t: ArrayLike, x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(no order in (T, T + t]) of someone who is alive at T: ((α+T)/(α+T+t))^(r+x), her pace alone."""
    shape, age = params.r + np.asarray(x), params.alpha + np.asarray(T)
    return np.asarray(np.exp(-shape * np.log1p(np.asarray(t) / age)))


def p_pause(params: BgNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """P(no order since t_x) at the pace of the x orders until then, if she is still there: ((α+t_x)/(α+T))^(r+x)."""
    return p_silent_alive(params, np.asarray(T) - np.asarray(t_x), x, t_x)


def expected_purchases(params: BgNbdParams, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    """E[Y(t) | x, t_x, T], orders in (T, T + t], their eq. 10."""
    return p_alive(params, x, t_x, T) * expected_purchases_alive(params, t, x, T)


def expected_purchases_alive(params: BgNbdParams, t: ArrayLike, x: ArrayLike, T: ArrayLike) -> FloatArray:
    """Orders in (T, T + t] of someone who is alive at T after x repeat orders: eq. 10 over P(alive)."""
    frequency = np.asarray(x, dtype=np.float64)
    return hypergeometric.expected_events(
        R=params.r + frequency, y=np.asarray(t) / (params.alpha + np.asarray(T)), a=params.a, beta=params.b + frequency
    )


def draw_orders(
    params: BgNbdParams, t: ArrayLike, x: ArrayLike, T: ArrayLike, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Orders in (T, T + t] of people who are alive at T after x repeat orders: one draw for each."""
    frequency = np.asarray(x, dtype=np.float64)
    return beta_geometric.draw_orders(
        R=params.r + frequency,
        y=np.asarray(t) / (params.alpha + np.asarray(T)),
        a=params.a,
        beta=params.b + frequency,
        rng=rng,
    )


def unconditional_expected_purchases(params: BgNbdParams, t: ArrayLike) -> FloatArray:
    """E[X(t)], repeat orders of a new customer within t, their eq. 9."""
    y = np.asarray(t, dtype=np.float64) / params.alpha
    return hypergeometric.expected_events(R=params.r, y=y, a=params.a, beta=params.b)


def pmf(params: BgNbdParams, x: ArrayLike, t: ArrayLike) -> FloatArray:
    """P(X(t) = x), repeat orders of a new customer within t, their eq. 8."""
    return beta_geometric.pmf(r=params.r, alpha=params.alpha, a=params.a, b=params.b, x=x, t=t, m=0)


def _z(params: BgNbdParams, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> FloatArray:
    return beta_geometric.log_odds_gone(r=params.r, alpha=params.alpha, a=params.a, b=params.b, x=x, t_x=t_x, T=T, m=0)
