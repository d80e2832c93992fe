"""Whole days: against brute force, adding up to one, against customers played out by the moment, and at the ends."""

from math import comb

import mpmath as mp
import numpy as np
import pytest
from scipy.special import polygamma

from analytics.clv import mbgnbd, order_days
from analytics.clv.order_days import Values
from analytics.clv.params import BgNbdParams, MbgNbdParams
from tests.analytics import day_reference

CDNOW = (0.243, 30.9, 0.793, 2.426)
HEAVY = (1.0, 10.0, 0.5, 5.0)
DAILY = (2.0, 5.0, 0.8, 8.0)
SHOPS = pytest.mark.parametrize("shop", [CDNOW, HEAVY, DAILY], ids=["cdnow", "heavy", "daily"])
MODELS = pytest.mark.parametrize("m", [0, 1], ids=["bg", "mbg"])
BG_HEAVY = BgNbdParams(*HEAVY)
MBG_HEAVY = MbgNbdParams(*HEAVY)
PLAYED = 300_000


@MODELS
@SHOPS
@pytest.mark.parametrize(("x", "T", "error"), [(0, 100, 2e-5), (1, 31, 2e-5), (10, 100, 2e-5), (40, 190, 5e-5)])
def test_alive_is_the_double_integral(shop, m, x, T, error):
    logs = np.log(shop)

    found = order_days.alive(Values(*shop, m), [x], [T])

    assert found.log[0] == pytest.approx(day_reference.log_alive(logs, m, x, T), abs=error)
    expected = day_reference.slope(lambda at: day_reference.log_alive(at, m, x, T), logs)
    assert found.slope[0] == pytest.approx(expected, abs=2e-4)


@MODELS
@SHOPS
@pytest.mark.parametrize(("x", "t_x", "error"), [(1, 1, 3e-4), (1, 31, 2e-5), (10, 50, 1e-4), (61, 91, 2e-3)])
def test_left_is_the_double_integral(shop, m, x, t_x, error):
    logs = np.log(shop)

    found = order_days.left(Values(*shop, m), [x], [t_x])

    assert found.log[0] == pytest.approx(day_reference.log_left(logs, m, x, t_x), abs=error)
    expected = day_reference.slope(lambda at: day_reference.log_left(at, m, x, t_x), logs)
    assert found.slope[0] == pytest.approx(expected, abs=10 * error)


@MODELS
@SHOPS
def test_an_order_on_every_day_is_close_too(shop, m):
    found = order_days.alive(Values(*shop, m), [100], [100])

    assert found.log[0] == pytest.approx(day_reference.log_alive(np.log(shop), m, 100, 100), abs=5e-3)


@MODELS
@SHOPS
def test_left_at_once_is_what_the_first_day_does_not_keep(shop, m):
    gone, slope = order_days.left_at_once(Values(*shop, m))

    kept = day_reference.log_alive(np.log(shop), m, 0, 0)
    assert np.exp(gone) == pytest.approx(-np.expm1(kept), rel=1e-6)
    expected = day_reference.slope(lambda at: np.log(-np.expm1(day_reference.log_alive(at, m, 0, 0))), np.log(shop))
    assert slope == pytest.approx(expected, abs=1e-4)


@MODELS
@SHOPS
def test_all_that_can_happen_in_a_week_adds_up_to_one(shop, m):
    T = 6
    values = Values(*shop, m)
    x, t_x = (
        np.array(column) for column in zip(*[(n, t) for n in range(1, T + 1) for t in range(n, T + 1)], strict=True)
    )
    ways = np.array([comb(t - 1, n - 1) for n, t in zip(x, t_x, strict=True)])

    again = np.exp(order_days.alive(values, x, np.full(x.size, T)).log) + np.exp(order_days.left(values, x, t_x).log)
    never = np.exp(order_days.alive(values, [0], [T]).log[0]) + np.exp(order_days.left_at_once(values)[0])

    assert float(ways @ again + never) == pytest.approx(1, abs=2e-4)


@MODELS
def test_slow_buyers_have_the_ordinary_integral_with_half_a_day_less_per_order_day(m):
    """First order in λ: T - x·q/2 + p/2 at the middle of q, and the powers that the orders themselves give."""
    r, alpha, a, b = shop = (0.5, 40_000.0, 0.9, 2.4)
    x, T = np.array([0.0, 1, 3]), np.array([300.0, 200, 400])
    p = a / (a + b + x + m)

    found = order_days.alive(Values(*shop, m), x, T)

    shape, scale = found.R, found.A
    assert scale == pytest.approx(alpha + T - x * (1 - p) / 2 + p / 2, rel=1e-9)
    assert shape == pytest.approx(r + x, rel=1e-6)
    assert found.b == pytest.approx(b + x + m + (x + 1) / 2 * (r + x) / alpha, rel=2e-5)


def test_slow_buyers_are_alive_as_the_ordinary_model_says():
    params = MbgNbdParams(r=0.5, alpha=9_000.0, a=0.9, b=2.4)
    x, t_x, T = np.array([0, 1, 4]), np.array([0, 200, 900]), np.array([700, 700, 1400])

    assert order_days.p_alive(params, x, t_x, T, days=7.0) == pytest.approx(
        mbgnbd.p_alive(params, x, t_x / 7, T / 7), abs=1e-4
    )


def test_unit_of_time_does_not_matter():
    x, t_x, T = np.array([0, 1, 9]), np.array([0, 20, 90]), np.array([70, 70, 140])
    weekly = MbgNbdParams(1.0, 10 / 7, 0.5, 5.0)

    assert order_days.p_alive(weekly, x, t_x, T, days=7.0) == pytest.approx(
        order_days.p_alive(MBG_HEAVY, x, t_x, T, days=1.0), rel=1e-12
    )


def test_trigamma_is_that_of_scipy():
    y = np.geomspace(1e-4, 1e5, 400)

    assert order_days._trigamma(y) == pytest.approx(polygamma(1, y), rel=1e-8)


# Customers played out by the moment


def play(params, T, further, *, seed=5):
    """Order days until day T and whether she is there at its end; order days and silence in the `further` days."""
    chance = np.random.default_rng(seed)
    rate, leaves = chance.gamma(params.r, 1 / params.alpha, PLAYED).clip(1e-12), chance.beta(params.a, params.b, PLAYED)
    clock = chance.random(PLAYED)
    x, last, ahead, seen = (np.zeros(PLAYED, dtype=int) for _ in range(4))
    there = np.ones(PLAYED, dtype=bool)
    here = chance.random(PLAYED) >= leaves if isinstance(params, MbgNbdParams) else there.copy()
    there &= here
    active = np.flatnonzero(here)
    while active.size:
        clock[active] += chance.exponential(1 / rate[active])
        active = active[clock[active] < T + 1 + further]
        today = clock[active].astype(int)
        fresh, past = today > seen[active], today <= T
        x[active] += fresh & past
        ahead[active] += fresh & ~past
        last[active] = np.where(past, today, last[active])
        seen[active] = today
        stays = chance.random(active.size) >= leaves[active]
        there[active] &= stays | ~past
        active = active[stays]
    return x, last, there, ahead


@pytest.fixture(scope="module")
def played():
    return {type(params): play(params, 60, 90) for params in (BG_HEAVY, MBG_HEAVY)}


KINDS = pytest.mark.parametrize("params", [BG_HEAVY, MBG_HEAVY], ids=["bg", "mbg"])
GROUPS = pytest.mark.parametrize(("fewest", "most"), [(0, 0), (1, 1), (2, 5), (6, 15), (16, 60)])


@KINDS
@GROUPS
def test_p_alive_is_that_of_played_customers(params, played, fewest, most):
    x, last, there, _ = played[type(params)]
    like_her = (x >= fewest) & (x <= most)

    expected = order_days.p_alive(params, x[like_her], last[like_her], np.full(like_her.sum(), 60), days=1.0)

    error = 4.5 * np.sqrt(np.sum(expected * (1 - expected))) + 1
    assert there[like_her].sum() == pytest.approx(expected.sum(), abs=error)


@KINDS
@GROUPS
def test_order_days_to_come_are_those_of_played_customers(params, played, fewest, most):
    x, _, there, ahead = played[type(params)]
    like_her = there & (x >= fewest) & (x <= most)

    expected = order_days.expected_order_days_alive(params, 90.0, x[like_her], np.full(like_her.sum(), 60), days=1.0)

    error = 4.5 * np.std(ahead[like_her] - expected) / np.sqrt(expected.size)
    assert ahead[like_her].mean() == pytest.approx(expected.mean(), abs=error)


@KINDS
def test_silence_is_that_of_played_customers(params, played):
    x, _, there, ahead = played[type(params)]

    expected = order_days.p_silent_alive(params, 90.0, x[there], np.full(there.sum(), 60), days=1.0)

    error = 4.5 * np.sqrt(np.sum(expected * (1 - expected)))
    assert (ahead[there] == 0).sum() == pytest.approx(expected.sum(), abs=error)


def test_orders_of_heavy_buyers_are_more_than_their_order_days():
    """The ordinary model's orders would count each order of a day: too many days for whoever orders often."""
    days = order_days.expected_order_days_alive(MBG_HEAVY, 90.0, [20], [60], days=1.0)
    orders = mbgnbd.expected_purchases_alive(MBG_HEAVY, 90.0, 24, 60)

    assert float(days[0]) < 0.9 * float(orders)


# Where expansions break


@KINDS
def test_there_are_never_more_order_days_than_days(params):
    x = np.array([0, 5, 50, 300, 3_000, 10_000])

    for t in (1.0, 30.0, 365.0):
        assert np.all(order_days.expected_order_days_alive(params, t, x, x, days=1.0) <= t)


@KINDS
def test_no_time_no_order_days(params):
    assert order_days.expected_order_days_alive(params, 0.0, [3], [40], days=1.0)[0] == 0.0
    assert order_days.p_silent_alive(params, 0.0, [3], [40], days=1.0)[0] == 1.0


@pytest.mark.parametrize("m", [0, 1])
@pytest.mark.parametrize(
    "shop", [(1e-4, 1e-4, 1e-4, 1e-4), (1e4, 1e-4, 1e4, 1e-4), (1e-4, 1e6, 1e-4, 1e4), (1e4, 1e6, 1e4, 1e4), DAILY]
)
def test_everything_stays_finite(shop, m):
    x = np.array([0, 0, 1, 1, 50, 10_000, 10_000])
    t_x = np.array([0, 0, 1, 4_000, 50, 10_000, 40_000])
    T = np.array([0, 5_000, 1, 5_000, 9_000, 10_000, 40_000])
    params = (BgNbdParams, MbgNbdParams)[m](*shop)

    alive = order_days.alive(Values(*shop, m), x, T)
    left = order_days.left(Values(*shop, m), x[2:], t_x[2:])
    there = order_days.p_alive(params, x, t_x, T, days=1.0)

    for found in (alive.log, alive.slope, left.log, left.slope, *order_days.left_at_once(Values(*shop, m))):
        assert np.all(np.isfinite(found))
    assert np.all((there >= 0) & (there <= 1))
    assert np.all(np.isfinite(order_days.expected_order_days_alive(params, 365.0, x, T, days=1.0)))


def test_longer_silence_is_a_smaller_chance_to_be_there():
    T = np.arange(40, 400)

    there = order_days.p_alive(MBG_HEAVY, np.full(T.size, 8), np.full(T.size, 40), T, days=1.0)

    assert np.all(np.diff(there) < 0)


def test_blocks_do_not_change_the_figures(monkeypatch):
    values, x, T = Values(*HEAVY, 1), np.arange(50), np.arange(50) * 3
    whole = order_days.alive(values, x, T)

    monkeypatch.setattr(order_days, "BLOCK", 7)

    assert np.array_equal(order_days.alive(values, x, T).log, whole.log)


def test_nobody_is_a_column_of_nobody():
    assert order_days.alive(Values(*HEAVY, 1), [], []).log.size == 0
    assert order_days.p_alive(MBG_HEAVY, [], [], [], days=7.0).size == 0


# What must hold whatever the customer


def all_customers():
    """x, t_x and T of every fifth day up to 120 and up to 40 order days."""
    rows = [(x, t, T) for T in range(0, 121, 5) for t in range(0, T + 1, 5) for x in (0, 1, 2, 7, 40) if x <= t]
    return (np.array(column) for column in zip(*[row for row in rows if (row[0] > 0) == (row[1] > 0)], strict=True))


@KINDS
def test_some_order_is_at_most_as_likely_as_order_days_are_many(params):
    """P(some order day) ≤ E[order days], Markov's inequality."""
    x, _, T = all_customers()

    some = 1 - order_days.p_silent_alive(params, 30.0, x, T, days=1.0)

    assert np.all(some <= order_days.expected_order_days_alive(params, 30.0, x, T, days=1.0) + 1e-4)


@KINDS
def test_a_day_has_an_order_day_as_often_as_it_is_not_silent(params):
    """Within one day there is one order day or none."""
    x, _, T = all_customers()

    days = order_days.expected_order_days_alive(params, 1.0, x, T, days=1.0)

    assert days == pytest.approx(1 - order_days.p_silent_alive(params, 1.0, x, T, days=1.0), rel=2e-2, abs=1e-6)


@KINDS
def test_order_days_grow_with_the_horizon_and_ever_more_slowly(params):
    x, _, T = all_customers()

    by_month = np.array(
        [order_days.expected_order_days_alive(params, t, x, T, days=1.0) for t in (0.0, 30.0, 60.0, 90.0, 120.0)]
    )

    growth = np.diff(by_month, axis=0)
    assert np.all(growth > 0)
    assert np.all(np.diff(growth, axis=0) <= 1e-9)


@KINDS
def test_chances_are_chances(params):
    x, t_x, T = all_customers()

    there = order_days.p_alive(params, x, t_x, T, days=1.0)
    silent = order_days.p_silent_alive(params, 45.0, x, T, days=1.0)

    for chance in (there, silent):
        assert np.all((chance > 0) & (chance <= 1))


@KINDS
def test_an_order_today_is_the_best_sign_of_life(params):
    """Given x and T, the later the last order day, the more likely she is there."""
    t_x = np.arange(5, 101)

    there = order_days.p_alive(params, np.full(t_x.size, 5), t_x, np.full(t_x.size, 100), days=1.0)

    assert np.all(np.diff(there) > 0)


@KINDS
def test_known_pace_narrows_with_order_days(params):
    """More order days in as many days: a quicker pace, known better, and a smaller chance to leave.

    Known better until nearly every day has one: how many orders a full day had is not seen.
    """
    x = np.arange(0, 60)

    found = order_days.alive(Values.of(params, 1.0), x, np.full(x.size, 60))

    assert np.all(np.diff(found.R / found.A) > 0)
    assert np.all(np.diff(1 / found.R[:50]) < 0)
    assert found.R[59] < found.R[55]
    assert np.all(np.diff(found.a / (found.a + found.b)) < 0)


@MODELS
def test_a_silent_day_more_is_less_likely(m):
    """L falls with every silent day that is added, for the alive and, through t_x, for those who left."""
    T = np.arange(20, 200)
    values = Values(*HEAVY, m)

    assert np.all(np.diff(order_days.alive(values, np.full(T.size, 6), T).log) < 0)
    assert np.all(np.diff(order_days.left(values, np.full(T.size, 6), T).log) < 0)


@MODELS
@SHOPS
def test_slope_is_that_of_the_figures_given(shop, m):
    """Not of the exact integral alone: Newton's method needs the two to belong together."""
    logs = np.log(shop)
    x, T = np.array([0, 1, 4, 12]), np.array([90, 40, 100, 90])

    def level(at):
        return order_days.alive(Values(*np.exp(at), m), x, T).log

    slope = order_days.alive(Values(*shop, m), x, T).slope

    for place, unit in enumerate(np.eye(4)):
        assert slope[:, place] == pytest.approx(
            (level(logs + 1e-4 * unit) - level(logs - 1e-4 * unit)) / 2e-4, abs=5e-4
        )


def test_values_take_alpha_to_days():
    values = Values.of(MbgNbdParams(1.0, 2.0, 3.0, 4.0), 7.0)

    assert (values.r, values.alpha, values.a, values.b, values.m) == (1.0, 14.0, 3.0, 4.0, 1)
    assert Values.of(BgNbdParams(1.0, 2.0, 3.0, 4.0), 7.0).m == 0


@pytest.mark.parametrize("y", [1e-9, 1e-5, 9e-3, 1.1e-2, 0.5, 3.0, 40.0, 699.0, 800.0])
def test_functions_of_a_day_are_what_they_are_printed_as(y):
    """τ = y/(e^y - 1) and σ = τ(τ + y), near both ends too."""
    found = order_days._day(np.array([y]))

    with mp.workdps(40):
        tau = mp.mpf(y) / mp.expm1(mp.mpf(y))
        sigma = tau * (tau + mp.mpf(y))
        assert found.u[0] == pytest.approx(float(1 - tau), rel=1e-9)
        assert found.w[0] == pytest.approx(float(1 - sigma), rel=1e-9)
