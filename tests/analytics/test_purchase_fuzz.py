"""A grid of awkward customers of awkward shops for Pareto/NBD and MBG/CNBD-k: against 60 digits, and for NaN,
infinity and negatives. BG/NBD and MBG/NBD: test_clv_fuzz.py."""

import itertools

import numpy as np
import pytest

from analytics.clv import mbg_cnbd_k, pareto_nbd
from analytics.clv.params import MbgCnbdKParams, ParetoNbdParams
from tests.analytics import reference_pareto, reference_regular

CLOSE = 1e-9
POINTS = 40  # of the grid
STEPS = 1_000  # of the reference's sum: longer ones take seconds
R = (0.01, 0.11, 0.553, 1.0, 4.0, 30.0)
ALPHA = (0.05, 2.24, 10.578, 60.0, 900.0)
S = (0.01, 0.31, 0.606, 1 - 1e-9, 1.0, 1 + 1e-9, 1.5, 5.0)
BETA = (0.05, 2.24, 10.578, 11.669, 900.0)  # α = β among them
K = (1, 2, 5, 12)
A = (0.01, 0.793, 1 - 1e-9, 1.0, 5.0)
B = (0.02, 2.426, 40.0)
X = (0, 1, 2, 7, 60, 700, 10_000)
AGE = (0.2, 1.0, 38.86, 260.0, 1825.0)
RECENCY = (0.02, 0.5, 0.97, 1 - 1e-9, 1.0)  # of the age
HORIZON = (0.1, 30.0, 52.0, 365.0)


def quick_point(point):
    """The reference of heavy buyers with α > β takes seconds: they are in worked_examples/test_hard_points.py."""
    (_, alpha, _, beta), x, *_ = point
    return x < 700 or alpha <= beta


def drawn(grid, count, seed):
    points = list(itertools.product(*grid))
    for place in np.random.default_rng(seed).choice(len(points), size=count, replace=False).tolist():
        *shop, x, T, recency, t = points[place]
        yield shop, x, T * recency if x else 0.0, T, t


def customers():
    x, age, recency, t = np.array(list(itertools.product(X, (0.0, *AGE), (1e-6, *RECENCY), (0.0, *HORIZON, 1e5)))).T
    possible = (age > 0) | (x == 0)
    x, age, recency, t = (column[possible] for column in (x, age, recency, t))
    return x, np.where(x > 0, age * recency, 0.0), age, t


def close(value, exact):
    """Equal to 1e-9 of the exact value, or both below what a float can hold."""
    return abs(float(value) - exact) <= CLOSE * abs(exact) + 1e-290


@pytest.mark.parametrize("seed", [2, 4])
def test_pareto_nbd_agrees_with_60_digits(seed):
    for shop, x, t_x, T, t in filter(quick_point, drawn((R, ALPHA, S, BETA, X, AGE, RECENCY, HORIZON), POINTS, seed)):
        params, point = ParetoNbdParams(*shop), (shop, x, t_x, T, t)
        alive = reference_pareto.p_alive(*shop, x, t_x, T)
        silent_alive = reference_pareto.p_silent_alive(t, *shop, x, T)
        gone = reference_pareto.p_gone(*shop, x, t_x, T)

        assert close(pareto_nbd.p_alive(params, x, t_x, T), alive), point
        assert close(pareto_nbd.p_silent_alive(params, t, x, T), silent_alive), point
        assert close(pareto_nbd.p_silent(params, t, x, t_x, T), gone + alive * silent_alive), point
        orders = alive * reference_pareto.expected_purchases_alive(t, *shop, x, T)
        assert close(pareto_nbd.expected_purchases(params, t, x, t_x, T), orders), point


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_likelihood_of_pareto_nbd_agrees_with_60_digits(seed):
    for shop, x, t_x, T, _ in filter(quick_point, drawn((R, ALPHA, S, BETA, X, AGE, RECENCY, HORIZON), POINTS, seed)):
        value = pareto_nbd.log_likelihood(ParetoNbdParams(*shop), [x], [t_x], [T])

        assert value == pytest.approx(float(reference_pareto.log_likelihood(*shop, x, t_x, T)), rel=CLOSE, abs=CLOSE)


@pytest.mark.parametrize("seed", [10, 11])
def test_mbg_cnbd_k_agrees_with_60_digits(seed):
    for shop, x, t_x, T, t in drawn((K, R, ALPHA, A, B, X, AGE, RECENCY, HORIZON), POINTS, seed):
        params, point = MbgCnbdKParams(*shop), (shop, x, t_x, T, t)
        alive = reference_regular.p_alive(*shop, x, t_x, T)
        silent_alive = reference_regular.p_silent_alive(t, *shop, x, t_x, T)

        assert close(mbg_cnbd_k.p_alive(params, x, t_x, T), alive), point
        assert close(mbg_cnbd_k.p_silent_alive(params, t, x, T, t_x), silent_alive), point
        assert close(mbg_cnbd_k.p_silent(params, t, x, t_x, T), 1 - alive * (1 - silent_alive)), point


@pytest.mark.parametrize("seed", [20, 21])
def test_orders_of_mbg_cnbd_k_agree_with_60_digits(seed):
    compared = 0
    for shop, x, t_x, T, t in drawn((K, R, ALPHA, A, B, X, AGE, RECENCY, HORIZON), POINTS, seed):
        k, r, alpha, *_ = shop
        if (r + k * (x + 1)) * t / (alpha + T) > STEPS or t / (alpha + T) > STEPS / 60:
            continue
        compared += 1

        value = mbg_cnbd_k.expected_purchases_alive(MbgCnbdKParams(*shop), t, x, T, t_x)

        assert close(value, reference_regular.expected_purchases_alive(*(t, *shop, x, t_x, T))), (shop, x, t_x, T, t)
    assert compared > POINTS / 3


@pytest.mark.parametrize("s", S)
def test_pareto_nbd_has_no_nan_no_infinity_no_negative(s):
    x, t_x, T, t = customers()
    for r, alpha, beta in itertools.product((1e-4, 0.553, 1e4), (1e-4, 10.578, 1e6), (1e-4, 2.24, 10.578, 1e6)):
        params = ParetoNbdParams(r=r, alpha=alpha, s=s, beta=beta)
        orders = pareto_nbd.expected_purchases(params, t, x, t_x, T)

        assert_chances(pareto_nbd.p_alive(params, x, t_x, T), params)
        assert_chances(pareto_nbd.p_silent(params, t, x, t_x, T), params)
        assert np.all(np.isfinite(orders) & (orders >= 0)), params


@pytest.mark.parametrize("k", K)
def test_mbg_cnbd_k_has_no_nan_no_infinity_no_negative(k):
    x, t_x, T, t = (column[::5] for column in customers())
    some = slice(None, None, 47)
    for r, alpha, a, b in itertools.product((1e-4, 0.553, 1e4), (1e-4, 2.24, 1e6), (1e-4, 1.0, 1e4), (1e-4, 2.4, 1e4)):
        params = MbgCnbdKParams(k=k, r=r, alpha=alpha, a=a, b=b)
        orders = mbg_cnbd_k.expected_purchases(params, t[some], x[some], t_x[some], T[some])

        assert_chances(mbg_cnbd_k.p_alive(params, x, t_x, T), params)
        assert_chances(mbg_cnbd_k.p_silent(params, t, x, t_x, T), params)
        assert_chances(mbg_cnbd_k.p_silent_alive(params, t, x, T), params)
        assert np.all(np.isfinite(orders) & (orders >= 0)), params


def assert_chances(values, params):
    assert np.all((values >= 0) & (values <= 1)), params
