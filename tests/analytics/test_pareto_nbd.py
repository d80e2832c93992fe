"""Pareto/NBD: the likelihood as printed, its gradient and its fit; forecasts beside played-out customers."""

import numpy as np
import pytest
from scipy.special import expit

from analytics.clv import fitting, pareto_likelihood, pareto_nbd, triples
from analytics.clv.params import ParetoNbdParams
from tests.analytics import cdnow, reference_pareto

CDNOW = ParetoNbdParams(r=0.553, alpha=10.578, s=0.606, beta=11.669)
PLAYED = 400_000
CUSTOMERS = (
    (0, 0.0, 0.3),
    (0, 0.0, 38.86),
    (1, 1.71, 38.86),
    (2, 30.43, 38.86),
    (7, 12.0, 12.0),
    (30, 20.0, 90.0),
    (400, 200.0, 260.0),
)
SHOPS = (
    (0.553, 10.578, 0.606, 11.669),
    (3.0, 0.5, 1.0, 40.0),
    (0.05, 80.0, 4.0, 0.9),
    (1.5, 7.0, 0.2, 7.0),  # α = β
)


def play(params, t, seed=11):
    """Repeat orders, time of the last, whether she is there at t, her pace and rate of leaving."""
    chance = np.random.default_rng(seed)
    pace = chance.gamma(params.r, 1 / params.alpha, PLAYED).clip(1e-12)
    leaving = chance.gamma(params.s, 1 / params.beta, PLAYED).clip(1e-12)
    stay = chance.exponential(1 / leaving)
    count, last, clock = np.zeros(PLAYED, dtype=int), np.zeros(PLAYED), np.zeros(PLAYED)
    active = np.arange(PLAYED)
    while active.size:
        clock[active] += chance.exponential(1 / pace[active])
        active = active[clock[active] <= np.minimum(stay[active], t)]
        count[active] += 1
        last[active] = clock[active]
    return count, last, stay > t, pace, leaving


@pytest.fixture(scope="module")
def played():
    return play(CDNOW, 40.0)


@pytest.fixture(scope="module")
def data():
    x, t_x, T, _ = cdnow.summary()
    return triples.of(x=x, t_x=t_x, T=T)


# The likelihood


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_likelihood_is_the_printed_one(shop, customer):
    x, t_x, T = customer

    value = pareto_nbd.log_likelihood(ParetoNbdParams(*shop), [x], [t_x], [T])

    assert value == pytest.approx(float(reference_pareto.log_likelihood(*shop, *customer)), rel=1e-11)


def test_likelihood_adds_up_over_customers():
    x, t_x, T = (np.array(column, dtype=float) for column in zip(*CUSTOMERS, strict=True))

    whole = pareto_nbd.log_likelihood(CDNOW, x, t_x, T)
    alone = [pareto_nbd.log_likelihood(CDNOW, [x], [t_x], [T]) for x, t_x, T in CUSTOMERS]

    assert whole == pytest.approx(sum(alone), rel=1e-13)


@pytest.mark.parametrize(
    "values", [(0.3, 0.2, 0.7, 1.3), (2.0, 3.0, 0.05, 8.0), (0.01, 0.01, 5.0, 0.3), (1.0, 0.4, 1.0, 0.4)]
)
@pytest.mark.parametrize("step", [0.25, 0.35])
def test_gradient_is_that_of_the_likelihood(data, values, step):
    histories, at = pareto_likelihood.paired(data), np.array(values)

    _, slope = pareto_likelihood.log_likelihood(histories, at, step=step)

    for place in range(4):
        aside = np.zeros(4)
        aside[place] = 1e-5 * at[place]
        above, _ = pareto_likelihood.log_likelihood(histories, at + aside, step=step)
        below, _ = pareto_likelihood.log_likelihood(histories, at - aside, step=step)
        assert slope[place] == pytest.approx((above - below) / (2 * aside[place]), rel=1e-5, abs=1e-7)


def test_blocks_do_not_change_the_likelihood(data, monkeypatch):
    histories, at = pareto_likelihood.paired(data), np.array([0.5, 0.3, 0.6, 0.4])
    whole, slope = pareto_likelihood.log_likelihood(histories, at, step=0.25)

    monkeypatch.setattr(pareto_likelihood, "BLOCK", 7)

    again, same_slope = pareto_likelihood.log_likelihood(histories, at, step=0.25)
    assert again == pytest.approx(whole, rel=1e-13)
    assert same_slope == pytest.approx(slope, rel=1e-11)


def test_someone_who_surely_leaves_before_she_orders_has_a_likelihood():
    """s·f is 1 to the last bit: nothing is lost in 1 - s·f."""
    params = ParetoNbdParams(r=1e-4, alpha=1e6, s=1e4, beta=1e-3)

    value = pareto_nbd.log_likelihood(params, [0, 1], [0.0, 1.0], [5.0, 1.0])

    assert np.isfinite(value)


# The fit


def test_nowhere_near_is_more_likely(data):
    x, t_x, T, _ = cdnow.summary()
    found = pareto_nbd.fit(data)

    for name in ("r", "alpha", "s", "beta"):
        for factor in (0.97, 1.03):
            moved = ParetoNbdParams(**(found.params.as_dict() | {name: getattr(found.params, name) * factor}))
            assert pareto_nbd.log_likelihood(moved, x, t_x, T) < found.log_likelihood


def test_fit_knows_its_own_likelihood(data):
    x, t_x, T, _ = cdnow.summary()
    found = pareto_nbd.fit(data)

    assert found.log_likelihood == pytest.approx(pareto_nbd.log_likelihood(found.params, x, t_x, T), rel=1e-12)
    assert found.customers == 2357


@pytest.mark.parametrize("unit", [1 / 7, 1.0, 52.0])
def test_unit_of_time_changes_the_times_only(unit):
    x, t_x, T, _ = cdnow.summary()

    found = pareto_nbd.fit(triples.of(x=x, t_x=t_x / unit, T=T / unit)).params

    assert (found.alpha * unit, found.beta * unit) == pytest.approx((10.578, 11.669), rel=1e-3)
    assert (found.r, found.s) == pytest.approx((0.5533, 0.6062), rel=1e-3)


def test_coarse_histories_lead_to_the_same_maximum(data, monkeypatch):
    histories = pareto_likelihood.paired(data)
    direct = pareto_likelihood.fit(histories)
    monkeypatch.setattr(pareto_likelihood, "MANY", 1)
    found = pareto_likelihood.fit(histories)

    assert found.values == pytest.approx(direct.values, rel=1e-4)
    assert found.log_likelihood == pytest.approx(direct.log_likelihood, abs=1e-9)
    assert found.evaluations < direct.evaluations


def test_true_parameters_are_found_again(played):
    """400,000 customers: within three standard errors, as the curvature of the likelihood has them."""
    count, last, _, _, _ = played

    found = pareto_nbd.fit(
        triples.of(x=count, t_x=last.round(2).clip(np.where(count > 0, 0.01, 0)), T=np.full(PLAYED, 40.0))
    )

    assert found.params.r == pytest.approx(CDNOW.r, rel=0.02)
    assert found.params.alpha == pytest.approx(CDNOW.alpha, rel=0.03)
    assert found.params.s == pytest.approx(CDNOW.s, rel=0.08)
    assert found.params.beta == pytest.approx(CDNOW.beta, rel=0.12)


def test_nobody_bought_twice_does_not_converge():
    with pytest.raises(fitting.DidNotConverge, match="nobody has bought twice"):
        pareto_nbd.fit(triples.of(x=[0, 0], t_x=[0, 0], T=[3, 9]))


# Forecasts


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_p_alive_is_the_printed_one(shop, customer):
    value = float(pareto_nbd.p_alive(ParetoNbdParams(*shop), *customer))

    assert value == pytest.approx(float(reference_pareto.p_alive(*shop, *customer)), rel=1e-11)


@pytest.mark.parametrize("since", [1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 0.1])
def test_a_short_silence_keeps_its_digits(since):
    """P(gone) just after an order is taken by itself, not as a difference of what is nearly equal."""
    z = pareto_nbd._log_odds_gone(CDNOW, 4, 30.0, 30.0 + since)

    exact = float(reference_pareto.p_gone(*CDNOW.as_dict().values(), 4, 30.0, 30.0 + since))
    assert float(expit(z)) == pytest.approx(exact, rel=1e-9)


def test_nobody_leaves_at_an_order():
    assert float(pareto_nbd.p_alive(CDNOW, 4, 30.0, 30.0)) == 1.0
    assert float(pareto_nbd.p_alive(CDNOW, 0, 0.0, 0.0)) == 1.0


@pytest.mark.parametrize(("x", "since", "until"), [(1, 5, 15), (2, 25, 35), (5, 30, 40), (0, 0, 1)])
def test_p_alive_is_that_of_played_customers(played, x, since, until):
    count, last, alive, _, _ = played
    like_her = (count == x) & (last >= since) & (last <= until)

    expected = pareto_nbd.p_alive(CDNOW, x, last[like_her], 40.0)

    chance = np.sqrt(np.sum(expected * (1 - expected)))
    assert np.sum(alive[like_her]) == pytest.approx(np.sum(expected), abs=4.5 * chance)


@pytest.mark.parametrize("x", [0, 1, 3])
def test_conditional_expectation_is_that_of_played_customers(played, x):
    count, last, alive, pace, leaving = played
    like_her = count == x
    next_year = alive[like_her] * pace[like_her] * -np.expm1(-leaving[like_her] * 52) / leaving[like_her]

    expected = pareto_nbd.expected_purchases(CDNOW, 52, x, last[like_her], 40.0)

    error = 4.5 * np.std(next_year - expected) / np.sqrt(next_year.size)
    assert next_year.mean() == pytest.approx(expected.mean(), abs=error)


@pytest.mark.parametrize("x", [0, 2])
def test_p_silent_is_that_of_played_customers(played, x):
    """Given her pace and her rate of leaving: leaves first, or keeps silent for 13 weeks."""
    count, last, alive, pace, leaving = played
    like_her = count == x
    both = pace[like_her] + leaving[like_her]
    order = pace[like_her] / both * -np.expm1(-both * 13)
    silent = 1.0 - alive[like_her] * order

    expected = pareto_nbd.p_silent(CDNOW, 13, x, last[like_her], 40.0)

    error = 4.5 * np.std(silent - expected) / np.sqrt(silent.size)
    assert silent.mean() == pytest.approx(expected.mean(), abs=error)


WAITING = [(x, T) for x in (0, 1, 3, 20, 400, 10_000) for T in (0.0, 0.3, 20.0, 150.0, 2000.0)]


@pytest.mark.parametrize("shop", [*SHOPS, (0.7, 3.6, 95.0, 6800.0), (1e-4, 1e4, 1e-4, 1e-4), (1e4, 1e-4, 1e4, 1e-4)])
def test_half_of_the_living_have_ordered_after_the_median_wait(shop):
    params = ParetoNbdParams(*shop)
    x, T = np.array(WAITING).T
    wait = pareto_nbd.median_wait(params, x, T, longest=150.0)
    known = np.isfinite(wait)

    silent = pareto_nbd.p_silent_alive(params, wait[known], x[known], T[known])
    assert silent == pytest.approx(np.full(silent.shape, 0.5), abs=1e-9)
    assert np.all(wait[known] <= 150.0)
    assert np.all(pareto_nbd.p_silent_alive(params, 150.0, x[~known], T[~known]) > 0.5)


def test_a_median_wait_does_not_depend_on_who_stands_beside_it():
    params = ParetoNbdParams(*SHOPS[0])
    x, T = np.array(WAITING).T
    alone = [pareto_nbd.median_wait(params, x[[row]], T[[row]], longest=150.0)[0] for row in range(x.size)]

    assert np.array_equal(alone, pareto_nbd.median_wait(params, x, T, longest=150.0), equal_nan=True)


def test_pause_is_the_pace_alone():
    assert float(pareto_nbd.p_pause(CDNOW, 3, 20.0, 30.0)) == pytest.approx((30.578 / 40.578) ** 3.553, rel=1e-13)


@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("sign", [-1, 1])
def test_nothing_happens_near_s_equal_to_one(step, sign):
    there, near = (ParetoNbdParams(0.553, 10.578, s, 11.669) for s in (1.0, 1.0 + sign * step))

    value = float(pareto_nbd.expected_purchases(near, 52, 3, 20, 30))

    assert value == pytest.approx(float(pareto_nbd.expected_purchases(there, 52, 3, 20, 30)), rel=2 * step + 1e-13)


@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("sign", [-1, 1])
def test_nothing_happens_near_alpha_equal_to_beta(step, sign):
    there, near = (ParetoNbdParams(0.553, 10.578, 0.606, 10.578 * factor) for factor in (1.0, 1.0 + sign * step))

    for function, args in ((pareto_nbd.p_alive, (3, 20, 30)), (pareto_nbd.p_silent, (52, 3, 20, 30))):
        assert float(function(near, *args)) == pytest.approx(float(function(there, *args)), rel=2 * step + 1e-13)


def test_nobody_leaves_in_the_limit_of_small_s():
    """s → 0: orders are those of the negative binomial, (r+x)/(α+T)·t."""
    params = ParetoNbdParams(r=0.553, alpha=10.578, s=1e-9, beta=11.669)

    assert float(pareto_nbd.expected_purchases(params, 52, 3, 20, 30)) == pytest.approx(3.553 / 40.578 * 52, rel=1e-7)


def test_pmf_is_the_integral_over_when_she_leaves():
    for x, t in ((0, 39.0), (1, 0.5), (7, 39.0)):
        value = float(pareto_nbd.pmf(CDNOW, x, t))

        assert value == pytest.approx(float(reference_pareto.pmf(*(*CDNOW.as_dict().values(), x, t))), rel=1e-9)


def test_pmf_of_no_order_is_p_silent_of_a_new_customer():
    assert float(pareto_nbd.pmf(CDNOW, 0, 39.0)) == pytest.approx(
        float(pareto_nbd.p_silent(CDNOW, 39.0, 0, 0, 0)), rel=1e-12
    )


# What it refuses


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["r", "alpha", "s", "beta"])
def test_parameters_must_be_finite_and_above_zero(bad, name):
    with pytest.raises(ValueError, match=name):
        ParetoNbdParams(**(CDNOW.as_dict() | {name: bad}))


def test_impossible_histories_are_refused():
    with pytest.raises(ValueError, match="t_x ≤ T"):
        pareto_nbd.log_likelihood(CDNOW, [1], [9.0], [8.0])
