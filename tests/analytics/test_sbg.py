"""Shifted beta-geometric: the published cohorts, the printed formulas, known truth, and what it refuses."""

import itertools

import mpmath as mp
import numpy as np
import pytest

from analytics.clv import fitting, sbg
from analytics.clv.params import SbgParams

REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
GRID = [(0.704, 1.182), (0.668, 3.806), (1.0, 1.0), (1e-3, 2.0), (0.05, 0.05), (40.0, 900.0), (5e4, 1e5)]


def printed_survival(alpha, beta, t):
    """Their eq. 5 and 6, by the recursion from S(0) = 1."""
    share = mp.mpf(1)
    for age in range(t):
        share *= (mp.mpf(beta) + age) / (mp.mpf(alpha) + beta + age)
    return share


def drawn(params, contracts, ages, *, seed=3):
    """Decisions of contracts that each have their own chance, cut off after so many."""
    chance = np.random.default_rng(seed)
    lived = chance.geometric(chance.beta(params.alpha, params.beta, contracts)) - 1
    return sbg.of_cohort([np.sum(lived >= age) for age in range(ages + 1)])


@pytest.mark.parametrize(
    ("name", "customers", "published"),
    [("Regular", REGULAR, (0.704, 1.182)), ("High End", HIGH_END, (0.668, 3.806))],
)
def test_fader_hardie_2007_table_of_two_cohorts(name, customers, published):
    found = sbg.fit(sbg.of_cohort(customers))

    assert found.params.alpha == pytest.approx(published[0], abs=5e-4)
    assert found.params.beta == pytest.approx(published[1], abs=5e-4)


def test_fader_hardie_2007_projection_stays_near_the_cohort():
    found = sbg.fit(sbg.of_cohort(HIGH_END))

    assert 1000 * sbg.survival(found.params, np.arange(8)) == pytest.approx(HIGH_END, abs=19)


def test_retention_rises_with_age():
    rates = sbg.p_renew(SbgParams(0.704, 1.182), np.arange(12))

    assert rates[0] == pytest.approx(1.182 / 1.886)
    assert np.all(np.diff(rates) > 0)
    assert rates[-1] < 1


@pytest.mark.parametrize(("alpha", "beta"), GRID)
def test_survival_is_the_printed_recursion(alpha, beta):
    found = sbg.survival(SbgParams(alpha, beta), [0, 1, 2, 7, 60])

    for t, share in zip([0, 1, 2, 7, 60], found, strict=True):
        assert share == pytest.approx(float(printed_survival(alpha, beta, t)), rel=1e-9)


@pytest.mark.parametrize(("alpha", "beta"), GRID)
def test_rates_multiply_to_survival(alpha, beta):
    params = SbgParams(alpha, beta)

    assert np.prod(sbg.p_renew(params, np.arange(20))) == pytest.approx(sbg.survival(params, 20), rel=1e-9)


@pytest.mark.parametrize(("alpha", "beta"), GRID)
@pytest.mark.parametrize("renewals", [0, 400])
@pytest.mark.parametrize("d", [1e-4, 0.1, 2.0])
def test_residual_lifetime_is_that_of_60_digits(alpha, beta, renewals, d):
    with mp.workdps(60):
        a, b, z = mp.mpf(alpha), mp.mpf(beta) + renewals, 1 / (1 + mp.mpf(d))
        truth = b / (a + b) * mp.hyp2f1(1, b + 1, a + b + 1, z)

    assert sbg.derl(SbgParams(alpha, beta), renewals, d) == pytest.approx(float(truth), rel=1e-9)


def test_residual_lifetime_adds_up_discounted_renewals():
    params, d = SbgParams(0.668, 3.806), 0.1
    further = np.arange(1, 2000)
    terms = sbg.survival(params, 2 + further) / sbg.survival(params, 2) / (1 + d) ** (further - 1)

    assert sbg.derl(params, 2, d) == pytest.approx(np.sum(terms), rel=1e-12)


def test_residual_lifetime_without_discount_is_the_mean():
    params = SbgParams(3.0, 5.0)
    further = np.arange(1, 400_000)

    assert sbg.derl(params, 1, 0.0) == pytest.approx(
        np.sum(sbg.survival(params, 1 + further) / sbg.survival(params, 1)), rel=1e-6
    )


@pytest.mark.parametrize(("alpha", "d"), [(0.9, 0.0), (1.0, 0.0), (3.0, -0.01)])
def test_an_infinite_lifetime_is_refused(alpha, d):
    with pytest.raises(ValueError, match="infinite"):
        sbg.derl(SbgParams(alpha, 2.0), 1, d)


@pytest.mark.parametrize("truth", [(0.7, 1.2), (2.0, 9.0), (0.2, 0.4)])
def test_true_parameters_are_found_again(truth):
    found = sbg.fit(drawn(SbgParams(*truth), 60_000, 9))

    assert found.params.alpha == pytest.approx(truth[0], rel=0.08)
    assert found.params.beta == pytest.approx(truth[1], rel=0.08)


def test_contracts_of_all_ages_and_from_the_middle_are_pooled():
    """Half are seen for two renewals only; others are known from their third on. Nothing is biased by it."""
    truth = SbgParams(0.7, 1.2)
    young, old = drawn(truth, 40_000, 2, seed=5), drawn(truth, 40_000, 9, seed=6)
    late = sbg.Decisions(np.where(np.arange(9) < 2, 0, old.renewed), np.where(np.arange(9) < 2, 0, old.cancelled))

    found = sbg.fit(young + late)

    assert found.params.alpha == pytest.approx(0.7, rel=0.1)
    assert found.params.beta == pytest.approx(1.2, rel=0.1)


def test_nowhere_near_is_more_likely():
    decisions = sbg.of_cohort(REGULAR)
    found = sbg.fit(decisions)

    for name in ("alpha", "beta"):
        for factor in (0.95, 1.05):
            moved = SbgParams(**(found.params.as_dict() | {name: getattr(found.params, name) * factor}))
            assert sbg.log_likelihood(moved, decisions) < found.log_likelihood


@pytest.mark.parametrize("values", [(0.7, 1.2), (4.0, 0.3)])
def test_gradient_is_that_of_the_likelihood(values):
    decisions = sbg.of_cohort(HIGH_END)

    _, slope = sbg._mean_log_likelihood(decisions, *values)

    for place in range(2):
        step = 1e-6 * values[place]
        above, below = ([v + sign * step * (k == place) for k, v in enumerate(values)] for sign in (1, -1))
        rise = sbg._mean_log_likelihood(decisions, *above)[0] - sbg._mean_log_likelihood(decisions, *below)[0]
        assert slope[place] == pytest.approx(rise / (2 * step), rel=1e-5, abs=1e-8)


def test_likelihood_of_a_cohort_is_that_of_its_histories():
    """A customer's chance is B(α + 1, β + t - 1)/B(α, β) for leaving at t, S(7) for staying."""
    params = SbgParams(0.704, 1.182)
    with mp.workdps(30):
        whole = mp.beta(params.alpha, params.beta)
        left = [
            (before - after) * mp.log(mp.beta(params.alpha + 1, params.beta + t) / whole)
            for t, (before, after) in enumerate(itertools.pairwise(REGULAR))
        ]
        truth = sum(left) + REGULAR[-1] * mp.log(mp.beta(params.alpha, params.beta + 7) / whole)

    assert sbg.log_likelihood(params, sbg.of_cohort(REGULAR)) == pytest.approx(float(truth), rel=1e-12)


def test_single_decisions_are_counted_by_age():
    found = sbg.of_pairs([0, 0, 2, 0], [True, False, True, True])

    assert found.renewed.tolist() == [2, 0, 1]
    assert found.cancelled.tolist() == [1, 0, 0]
    assert found.total == 4


def test_no_decision_at_all_is_counted_as_none():
    assert sbg.of_pairs([], []).total == 0


def test_counts_of_different_lengths_add_up():
    both = sbg.of_pairs([0], [True]) + sbg.of_pairs([0, 3], [False, True])

    assert both.renewed.tolist() == [1, 0, 0, 1]
    assert both.cancelled.tolist() == [1, 0, 0, 0]


def test_a_prior_as_data_is_fitted_again():
    params = SbgParams(1.5, 6.0)

    found = sbg.fit(sbg.as_if(params, contracts=100, ages=8))

    assert found.params.alpha == pytest.approx(1.5, rel=1e-3)
    assert found.params.beta == pytest.approx(6.0, rel=1e-3)


@pytest.mark.parametrize(
    ("customers", "reason"),
    [
        ([40], "no contract has come to a renewal"),
        ([0, 0, 0], "no contract has come to a renewal"),
        ([40, 40, 40], "no contract was cancelled"),
        ([40, 0], "no contract was renewed"),
        ([40, 30], "all decisions were taken at one age"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_reason(customers, reason):
    with pytest.raises(fitting.DidNotConverge, match=reason):
        sbg.fit(sbg.of_cohort(customers))


def test_equal_chances_for_all_are_a_limit_and_no_failure():
    """A constant rate of 80 %: α and β grow together, and what is said of the rate holds."""
    found = sbg.fit(sbg.of_cohort(10_000 * 0.8 ** np.arange(6)))

    assert sbg.p_renew(found.params, [0, 5, 40]) == pytest.approx([0.8, 0.8, 0.8], abs=1e-3)


def test_counts_below_zero_are_refused():
    with pytest.raises(ValueError, match="not below zero"):
        sbg.of_cohort([10, 12])


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        sbg.Decisions(np.ones(2), np.ones(3))
