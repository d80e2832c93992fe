"""A grid of awkward customers of awkward shops: against 60 digits, and for NaN, infinity and negatives."""

import itertools

import numpy as np
import pytest

from analytics.clv import bgnbd, mbgnbd, shop
from analytics.clv.params import BgNbdParams, GammaGammaParams, MbgNbdParams
from tests.analytics import reference
from tests.analytics.histories import make_customer, of

CLOSE = 1e-9
POINTS = 120  # of the grid, drawn once: the reference takes some 10 ms each
R = (0.01, 0.11, 0.243, 1.0, 4.0, 30.0)
ALPHA = (0.05, 2.24, 4.414, 60.0, 900.0)
A = (0.01, 0.31, 0.793, 1 - 1e-9, 1.0, 1 + 1e-9, 1.5, 5.0)
B = (0.02, 0.5, 2.426, 40.0)
X = (0, 1, 2, 7, 60, 700, 10_000)
AGE = (0.2, 1.0, 38.86, 260.0, 1825.0)
RECENCY = (0.02, 0.5, 0.97, 1.0)  # of the age
HORIZON = (0.1, 30.0, 52.0, 365.0)
GRID = list(itertools.product(R, ALPHA, A, B, X, AGE, RECENCY, HORIZON))


def drawn(count, seed):
    chosen = np.random.default_rng(seed).choice(len(GRID), size=count, replace=False)
    for place in chosen.tolist():
        r, alpha, a, b, x, T, recency, t = GRID[place]
        yield r, alpha, a, b, x, T * recency if x else 0.0, T, t


def close(value, exact):
    """Equal to 1e-9 of the exact value, or both below what a float can hold."""
    return abs(float(value) - exact) <= CLOSE * abs(exact) + 1e-290


@pytest.mark.parametrize("seed", [0, 4, 6, 7])  # seeds whose reference settles within a second
def test_bg_nbd_agrees_with_60_digits(seed):
    for r, alpha, a, b, x, t_x, T, t in drawn(POINTS // 4, seed=seed):
        params = BgNbdParams(r=r, alpha=alpha, a=a, b=b)
        alive = reference.bg_p_alive(r, alpha, a, b, x, t_x, T)
        events = reference.expected_events(r + x, t / (alpha + T), a, b + x)
        point = (params, x, t_x, T, t)

        assert close(bgnbd.p_alive(params, x, t_x, T), alive), point
        assert close(bgnbd.expected_purchases(params, t, x, t_x, T), alive * events), point
        silent = reference.p_silent(alive, t, r, alpha, x, T)
        assert close(bgnbd.p_silent(params, t, x, t_x, T), silent), point


@pytest.mark.parametrize("seed", [10, 11, 12, 14])
def test_mbg_nbd_agrees_with_60_digits(seed):
    for r, alpha, a, b, x, t_x, T, t in drawn(POINTS // 4, seed=seed):
        params = MbgNbdParams(r=r, alpha=alpha, a=a, b=b)
        alive = reference.mbg_p_alive(r, alpha, a, b, x, t_x, T)
        events = reference.expected_events(r + x, t / (alpha + T), a, b + x + 1)
        point = (params, x, t_x, T, t)

        assert close(mbgnbd.p_alive(params, x, t_x, T), alive), point
        assert close(mbgnbd.expected_purchases(params, t, x, t_x, T), alive * events), point
        silent = reference.p_silent(alive, t, r, alpha, x, T)
        assert close(mbgnbd.p_silent(params, t, x, t_x, T), silent), point


def test_new_customers_agree_with_60_digits():
    for r, alpha, a, b, _, _, _, t in drawn(POINTS // 4, seed=20):
        bg = BgNbdParams(r=r, alpha=alpha, a=a, b=b)
        mbg = MbgNbdParams(r=r, alpha=alpha, a=a, b=b)
        bg_events = reference.expected_events(r, t / alpha, a, b)
        mbg_events = reference.expected_events(r, t / alpha, a, b + 1) * b / (a + b)

        assert close(bgnbd.unconditional_expected_purchases(bg, t), bg_events), (bg, t)
        assert close(mbgnbd.unconditional_expected_purchases(mbg, t), mbg_events), (mbg, t)


def test_pmf_agrees_with_60_digits():
    for r, alpha, a, b, x, _, _, t in drawn(POINTS, seed=30):
        if x > 60:  # the sum of the reference is as long as x
            continue
        bg = bgnbd.pmf(BgNbdParams(r=r, alpha=alpha, a=a, b=b), x, t)
        mbg = mbgnbd.pmf(MbgNbdParams(r=r, alpha=alpha, a=a, b=b), x, t)

        assert close(bg, reference.bg_pmf(r, alpha, a, b, x, t)), (r, alpha, a, b, x, t)
        assert close(mbg, reference.mbg_pmf(r, alpha, a, b, x, t)), (r, alpha, a, b, x, t)


@pytest.mark.parametrize("kind", [(bgnbd, BgNbdParams), (mbgnbd, MbgNbdParams)], ids=["bg", "mbg"])
@pytest.mark.parametrize("a", A)
def test_no_nan_no_infinity_no_negative_on_the_whole_grid(kind, a):
    model, params_of = kind
    x, age, recency, t = np.array(list(itertools.product(X, AGE, RECENCY, HORIZON))).T
    t_x = np.where(x > 0, age * recency, 0.0)
    for r, alpha, b in itertools.product(R[::2], ALPHA[::2], B[::2]):
        params = params_of(r=r, alpha=alpha, a=a, b=b)
        alive = model.p_alive(params, x, t_x, age)
        silent = model.p_silent(params, t, x, t_x, age)
        orders = model.expected_purchases(params, t, x, t_x, age)

        assert np.all((alive >= 0) & (alive <= 1)), params
        assert np.all((silent >= 0) & (silent <= 1)), params
        assert np.all(np.isfinite(orders) & (orders >= 0)), params


@pytest.mark.parametrize("q", [0.2, 0.9, 1.0])
def test_no_nan_no_infinity_no_negative_for_a_spend_without_a_mean(q):
    fitted = _with_spend(GammaGammaParams(p=2.0, q=q, gamma=10.0))
    past = of(make_customer(order_days=1, repeat_value=0.0, first_age=50, last_age=50), make_customer())

    found = shop.score(fitted, past, shop.Terms())

    assert fitted.spend.name == "Shrunken mean"
    assert np.all(np.isfinite(found.clv) & (found.clv >= 0))


def _with_spend(params):
    """A fitted shop whose customers spend as these parameters say."""
    chance = np.random.default_rng(5)
    rate = chance.gamma(params.q, 1 / params.gamma, 3000)
    spend = np.maximum(np.round(chance.gamma(2 * params.p) / rate, 2), 0.01)
    rows = [
        (3, 300 + place % 60, 10 + place % 90, 1.5 * value, value, 0.6 * value)
        for place, value in enumerate(np.minimum(spend, 1e9).tolist())
    ]
    table = np.array(rows)
    days = [table[:, column].astype(np.int32) for column in range(3)]
    return shop.fit(shop.History(*days, *(table[:, column].copy() for column in (3, 4, 5))), shop.Terms())
