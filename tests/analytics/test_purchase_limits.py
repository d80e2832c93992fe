"""Where the purchase models meet, and what each must do whatever its parameters: more time, more orders, and so on."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import nbinom

from analytics.clv import beta_geometric, purchase
from analytics.clv.params import BgNbdParams, MbgCnbdKParams, MbgNbdParams, ParetoNbdParams

NOBODY_LEAVES = (
    BgNbdParams(r=0.7, alpha=9.0, a=1e-12, b=2.0),
    MbgNbdParams(r=0.7, alpha=9.0, a=1e-12, b=2.0),
    ParetoNbdParams(r=0.7, alpha=9.0, s=1e-12, beta=20.0),
    MbgCnbdKParams(k=1, r=0.7, alpha=9.0, a=1e-12, b=2.0),
)
SHOPS = (
    BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426),
    BgNbdParams(r=0.11, alpha=2.24, a=0.31, b=0.5),
    MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614),
    MbgNbdParams(r=0.525, alpha=6.183, a=1.0, b=1.614),
    ParetoNbdParams(r=0.553, alpha=10.578, s=0.606, beta=11.669),
    ParetoNbdParams(r=3.0, alpha=40.0, s=1.0, beta=2.0),
    MbgCnbdKParams(k=2, r=0.9, alpha=2.5, a=0.6, b=1.9),
    MbgCnbdKParams(k=7, r=2.0, alpha=1.5, a=0.2, b=0.4),
)
NAMED = pytest.mark.parametrize("params", SHOPS, ids=lambda params: f"{type(params).__name__}-{params.r}")
FOREVER = pytest.mark.parametrize("params", NOBODY_LEAVES, ids=lambda params: type(params).__name__)
T = 40.0


def slower(params, factor):
    """The same shop in a unit of time that is `factor` times as short."""
    times = {"alpha": params.alpha * factor}
    if isinstance(params, ParetoNbdParams):
        times["beta"] = params.beta * factor
    return dataclasses.replace(params, **times)


# Where nobody leaves all are the negative binomial model


@FOREVER
def test_everyone_is_alive(params):
    x, t_x = np.array([0, 1, 5]), np.array([0.0, 30.0, 39.0])

    assert purchase.model_of(params).p_alive(params, x, t_x, T) == pytest.approx(1.0, abs=1e-9)


@FOREVER
@pytest.mark.parametrize("x", [0, 1, 30])
def test_orders_are_her_pace_times_the_time(params, x):
    value = float(purchase.model_of(params).expected_purchases(params, 52.0, x, 39.9 if x else 0.0, T))

    assert value == pytest.approx((0.7 + x) / 49.0 * 52.0, rel=1e-7)


@FOREVER
@pytest.mark.parametrize("x", [0, 1, 30])
def test_silence_is_that_of_her_pace(params, x):
    value = float(purchase.model_of(params).p_silent(params, 52.0, x, 39.9 if x else 0.0, T))

    assert value == pytest.approx((49.0 / 101.0) ** (0.7 + x), rel=1e-6, abs=1e-11)


@FOREVER
def test_new_customers_are_negative_binomial(params):
    x = np.arange(60)

    value = purchase.model_of(params).pmf(params, x, 39.0)

    assert value == pytest.approx(nbinom.pmf(x, 0.7, 9.0 / 48.0), rel=1e-7, abs=1e-10)


@FOREVER
def test_the_likelihood_is_that_of_the_pace(params):
    """Γ(r+x)/Γ(r) · α^r / (α+T)^(r+x) with x = 2, and with x = 0."""
    columns = purchase.Columns(
        x=np.array([2, 0]), t_x=np.array([270, 0]), T=np.array([280, 280]), log_gaps=np.array([9.0, 0.0])
    )

    value = purchase.model_of(params).log_likelihood(params, columns)

    twice = np.log(0.7 * 1.7) + 0.7 * np.log(9.0) - 2.7 * np.log(49.0)
    assert value == pytest.approx(twice + 0.7 * np.log(9.0 / 49.0), rel=1e-9)


# Where all are alike


@pytest.mark.parametrize("x", [0, 4])
def test_equal_customers_of_pareto_nbd_leave_at_a_fixed_rate(x):
    """r, s → ∞ with r/α = 0.2 and s/β = 0.05: orders λ·(1 - e^-μt)/μ, none with (μ + λ·e^-(λ+μ)t)/(λ+μ)."""
    params = ParetoNbdParams(r=2e8, alpha=1e9, s=5e7, beta=1e9)
    model = purchase.MODELS["Pareto/NBD"]

    orders = float(model.expected_purchases_alive(params, 30.0, x, T))
    silent = float(model.p_silent_alive(params, 30.0, x, T))

    assert orders == pytest.approx(0.2 * (1 - np.exp(-1.5)) / 0.05, rel=1e-5)
    assert silent == pytest.approx((0.05 + 0.2 * np.exp(-7.5)) / 0.25, rel=1e-5)


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD"])
def test_equal_customers_of_the_bg_family_leave_with_a_fixed_chance(name):
    """Orders come at λ = 0.2 until the one after which she leaves, p = 0.25: (1 - e^-pλt)/p."""
    model = purchase.MODELS[name]
    params = model.params(r=2e6, alpha=1e7, a=2.5e6, b=7.5e6)

    orders = float(model.expected_purchases_alive(params, 30.0, 3, T))

    assert orders == pytest.approx((1 - np.exp(-0.25 * 0.2 * 30.0)) / 0.25, rel=1e-4)


# What each must do


@NAMED
def test_unit_of_time_does_not_matter(params):
    model, days = purchase.model_of(params), slower(params, 7.0)
    x, t_x, ages = np.array([0, 1, 9]), np.array([0.0, 12.0, 39.0]), np.array([40.0, 40.0, 41.0])

    assert model.p_alive(days, x, 7 * t_x, 7 * ages) == pytest.approx(model.p_alive(params, x, t_x, ages), rel=1e-12)
    for name in ("expected_purchases", "p_silent"):
        one, other = getattr(model, name), getattr(model, name)
        assert one(days, 91.0, x, 7 * t_x, 7 * ages) == pytest.approx(other(params, 13.0, x, t_x, ages), rel=1e-11)
    assert model.p_silent_alive(days, 91.0, x, 7 * ages) == pytest.approx(
        model.p_silent_alive(params, 13.0, x, ages), rel=1e-11
    )


@NAMED
@pytest.mark.parametrize("x", [1, 4, 25])
def test_the_longer_she_is_silent_the_less_she_is_there(params, x):
    alive = purchase.model_of(params).p_alive(params, x, 30.0, 30.0 + np.linspace(0.0, 100.0, 200))

    assert np.all(np.diff(alive) < 0)


@NAMED
@pytest.mark.parametrize("x", [0, 4, 25])
def test_more_time_more_orders_and_less_silence(params, x):
    model, t = purchase.model_of(params), np.linspace(0.1, 300.0, 200)

    orders = model.expected_purchases(params, t, x, 30.0 if x else 0.0, T)
    silent = model.p_silent(params, t, x, 30.0 if x else 0.0, T)

    assert np.all(np.diff(orders) > 0)
    assert np.all(np.diff(silent) <= 0)


@NAMED
def test_orders_begin_as_the_chance_of_one(params):
    """For t → 0 nobody orders twice: E[orders] = P(some order)."""
    model = purchase.model_of(params)

    orders = float(model.expected_purchases_alive(params, 1e-4, 3, T))
    some = 1.0 - float(model.p_silent_alive(params, 1e-4, 3, T))

    assert orders == pytest.approx(some, rel=1e-3)


@NAMED
def test_two_parts_of_a_year_make_the_year(params):
    """What a new customer orders within 52 weeks: the first 20, and then as many as the pmf after 20 lets expect."""
    model, x = purchase.model_of(params), np.arange(1500)
    early, whole = (float(model.unconditional_expected_purchases(params, t)) for t in (20.0, 52.0))

    later = np.sum(x * (model.pmf(params, x, 52.0) - model.pmf(params, x, 20.0)))

    assert later == pytest.approx(whole - early, rel=1e-7)


# Draws


def test_poisson_of_any_mean_is_a_whole_number():
    drawn = beta_geometric.poisson(np.array([0.0, 1e-300, 1e14, 1e30, 1e300]), np.random.default_rng(1))

    assert drawn[:2].tolist() == [0, 0]
    assert drawn[2] == pytest.approx(1e14, rel=1e-5)
    assert drawn[3:] == pytest.approx(1e15, rel=1e-5)


def test_last_order_is_the_first_where_everyone_leaves_and_far_where_nobody_does():
    chance = np.random.default_rng(1)

    at_once = beta_geometric.last_order(np.full(100, 1e9), np.full(100, 1e-9), chance)
    hardly_ever = beta_geometric.last_order(np.full(100, 1e-6), np.full(100, 1e9), chance)

    assert np.all(at_once == 1)
    assert np.median(hardly_ever) > 1e15


def test_last_order_is_beta_geometric():
    """P(the n-th) = B(a+1, β+n-1)/B(a, β); the first with a/(a+β)."""
    drawn = beta_geometric.last_order(np.full(200_000, 0.9), np.full(200_000, 2.6), np.random.default_rng(2))

    for n, p in ((1, 0.9 / 3.5), (2, 0.9 / 3.5 * 2.6 / 4.5)):
        assert np.mean(drawn == n) == pytest.approx(p, abs=4.5 * np.sqrt(p * (1 - p) / 200_000))
