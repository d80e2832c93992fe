"""BG/NBD and MBG/NBD as forecasts: they add up, agree with each other's limits and with played-out customers."""

import numpy as np
import pytest

from analytics.clv import bgnbd, mbgnbd
from analytics.clv.params import BgNbdParams, MbgNbdParams

BG = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426)
MBG = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)
BOTH = pytest.mark.parametrize(("model", "params"), [(bgnbd, BG), (mbgnbd, MBG)], ids=["bg", "mbg"])
PLAYED = 400_000


def play(params, t, *, m, seed=11):
    """Repeat orders and the time of the last of customers played out until t."""
    chance = np.random.default_rng(seed)
    rate = chance.gamma(params.r, 1 / params.alpha, PLAYED).clip(1e-12)
    leaves = chance.beta(params.a, params.b, PLAYED)
    count, last, clock = np.zeros(PLAYED, dtype=int), np.zeros(PLAYED), np.zeros(PLAYED)
    alive = np.ones(PLAYED, dtype=bool) if m == 0 else chance.random(PLAYED) >= leaves
    active = np.flatnonzero(alive)
    while active.size:
        clock[active] += chance.exponential(1 / rate[active])
        active = active[clock[active] <= t]
        count[active] += 1
        last[active] = clock[active]
        alive[active] = chance.random(active.size) >= leaves[active]
        active = active[alive[active]]
    return count, last, alive, rate, leaves


@pytest.fixture(scope="module")
def played():
    return {bgnbd: play(BG, 40, m=0), mbgnbd: play(MBG, 40, m=1)}


@BOTH
def test_pmf_sums_to_one(model, params):
    assert np.sum(model.pmf(params, np.arange(4000), 40.0)) == pytest.approx(1, rel=1e-12)


@BOTH
@pytest.mark.parametrize("t", [0.1, 1.0, 39.0, 120.0])
def test_mean_of_the_pmf_is_the_expectation(model, params, t):
    x = np.arange(20_000)

    mean = np.sum(x * model.pmf(params, x, t))

    assert mean == pytest.approx(float(model.unconditional_expected_purchases(params, t)), rel=1e-9)


@BOTH
def test_pmf_at_time_zero_is_none(model, params):
    assert model.pmf(params, [0, 1, 5], 0.0) == pytest.approx([1, 0, 0], abs=1e-15)


def test_bg_nbd_nobody_buys_with_the_pace_alone():
    """x = 0 says nothing about leaving: (α / (α + t))^r."""
    assert float(bgnbd.pmf(BG, 0, 39)) == pytest.approx((4.414 / 43.414) ** 0.243, rel=1e-13)


def test_mbg_nbd_nobody_buys_if_she_left_or_was_slow():
    left = MBG.a / (MBG.a + MBG.b)
    slow = (MBG.alpha / (MBG.alpha + 39)) ** MBG.r

    assert float(mbgnbd.pmf(MBG, 0, 39)) == pytest.approx(left + (1 - left) * slow, rel=1e-13)


@BOTH
def test_pmf_is_that_of_played_customers(model, params, played):
    count = played[model][0]
    for x in range(6):
        share = np.mean(count == x)
        p = float(model.pmf(params, x, 40.0))
        assert share == pytest.approx(p, abs=4.5 * np.sqrt(p / PLAYED))


@BOTH
def test_expected_purchases_are_those_of_played_customers(model, params, played):
    count = played[model][0]

    expected = float(model.unconditional_expected_purchases(params, 40.0))

    assert count.mean() == pytest.approx(expected, abs=4.5 * count.std() / np.sqrt(PLAYED))


@BOTH
@pytest.mark.parametrize(("x", "since", "until"), [(1, 5, 15), (2, 25, 35), (5, 30, 40), (0, 0, 1)])
def test_p_alive_is_that_of_played_customers(model, params, played, x, since, until):
    count, last, alive, _, _ = played[model]
    like_her = (count == x) & (last >= since) & (last <= until)

    expected = model.p_alive(params, x, last[like_her], 40.0)

    chance = np.sqrt(np.sum(expected * (1 - expected))) + 1e-9
    assert np.sum(alive[like_her]) == pytest.approx(np.sum(expected), abs=4.5 * chance)


@BOTH
@pytest.mark.parametrize("x", [0, 1, 3])
def test_conditional_expectation_is_that_of_played_customers(model, params, played, x):
    """Their next 52 weeks in expectation, given the pace and the chance to leave that each was dealt."""
    count, last, alive, rate, leaves = played[model]
    like_her = count == x
    p = leaves[like_her].clip(1e-12)
    next_year = alive[like_her] * -np.expm1(-rate[like_her] * p * 52) / p

    expected = model.expected_purchases(params, 52, x, last[like_her], 40.0)

    error = 4.5 * np.std(next_year - expected) / np.sqrt(next_year.size)
    assert next_year.mean() == pytest.approx(expected.mean(), abs=error)


@BOTH
@pytest.mark.parametrize("x", [0, 2])
def test_p_silent_is_that_of_played_customers(model, params, played, x):
    count, last, alive, rate, _ = played[model]
    like_her = count == x
    silent = np.where(alive[like_her], np.exp(-rate[like_her] * 13), 1.0)

    expected = model.p_silent(params, 13, x, last[like_her], 40.0)

    error = 4.5 * np.std(silent - expected) / np.sqrt(silent.size)
    assert silent.mean() == pytest.approx(expected.mean(), abs=error)


@BOTH
def test_two_halves_of_a_year_make_the_year(model, params):
    """E over the next t of E over what follows: unconditional orders to 52 are those to 26 and those after."""
    x = np.arange(3000)
    first = float(model.unconditional_expected_purchases(params, 26.0))
    whole = float(model.unconditional_expected_purchases(params, 52.0))

    assert 0 < whole - first < first
    assert np.sum(x * (model.pmf(params, x, 52.0) - model.pmf(params, x, 26.0))) == pytest.approx(whole - first)


@BOTH
def test_no_time_no_purchase(model, params):
    assert float(model.p_silent(params, 0, 3, 20, 30)) == pytest.approx(1, abs=1e-15)
    assert float(model.expected_purchases(params, 0, 3, 20, 30)) == 0.0


@BOTH
def test_p_silent_falls_to_p_gone(model, params):
    t = np.geomspace(0.01, 1e300, 200)

    silent = model.p_silent(params, t, 3, 20, 30)

    assert np.all(np.diff(silent) <= 0)
    assert silent[-1] == pytest.approx(1 - float(model.p_alive(params, 3, 20, 30)), rel=1e-12)


@BOTH
def test_at_least_as_likely_as_not_having_ordered_at_all(model, params):
    """P(some order) ≤ E[orders], Markov's inequality, for any history."""
    x, share = np.meshgrid(np.arange(1, 60), np.linspace(0.05, 1, 20))

    some = 1 - model.p_silent(params, 26, x, 52 * share, 52)

    assert np.all(some <= model.expected_purchases(params, 26, x, 52 * share, 52) + 1e-12)


@BOTH
def test_scalars_and_columns_agree(model, params):
    column = model.expected_purchases(params, 52, np.array([1, 4]), np.array([3.0, 20.0]), np.array([9.0, 30.0]))

    assert column[0] == model.expected_purchases(params, 52, 1, 3.0, 9.0)
    assert column[1] == model.expected_purchases(params, 52, 4, 20.0, 30.0)


@BOTH
@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["r", "alpha", "a", "b"])
def test_parameters_must_be_finite_and_above_zero(model, params, bad, name):
    with pytest.raises(ValueError, match=name):
        type(params)(**(params.as_dict() | {name: bad}))
