"""Measures of predictions against small sums done by hand, and against what they are for."""

import numpy as np
import pytest

from analytics.clv import measures
from analytics.clv.measures import Group

PREDICTED = np.array([0.5, 2.0, 1.0, 0.0])
ACTUAL = np.array([0, 3, 1, 0])


def test_mean_absolute_error():
    assert measures.mean_absolute_error(PREDICTED, ACTUAL) == pytest.approx(1.5 / 4)


def test_brier():
    assert measures.brier(np.array([1.0, 0.5, 0.0]), np.array([True, True, True])) == pytest.approx(1.25 / 3)


def test_brier_of_one_half_for_everyone_is_a_quarter():
    assert measures.brier(np.full(7, 0.5), np.arange(7) < 3) == 0.25


@pytest.mark.parametrize(
    ("predicted", "actual", "expected"), [(2.0, 1.0, np.log(2)), (1.0, 2.0, -np.log(2)), (3.0, 3.0, 0.0), (0, 0, 0)]
)
def test_level(predicted, actual, expected):
    assert measures.level(predicted, actual) == pytest.approx(expected)


@pytest.mark.parametrize(("predicted", "actual"), [(0.0, 5.0), (5.0, 0.0), (5.0, -1.0), (-1.0, -1.0), (1e-300, 1e300)])
def test_level_is_never_infinite(predicted, actual):
    assert abs(measures.level(predicted, actual)) <= np.log(1e6) + 1e-9


def test_groups_stand_by_rising_prediction():
    found = measures.groups(PREDICTED, ACTUAL, 2)

    assert found == [Group(2, 0.25, 0.0), Group(2, 1.5, 2.0)]


def test_groups_are_no_more_than_customers():
    assert measures.groups(np.array([1.0]), np.array([2])) == [Group(1, 1.0, 2.0)]


def test_groups_hold_everyone():
    found = measures.groups(np.arange(23.0), np.arange(23))

    assert (len(found), sum(group.customers for group in found)) == (10, 23)


def test_gain_starts_with_the_best_predicted():
    assert measures.gain([Group(2, 0.25, 0.5), Group(2, 1.5, 1.5)]) == [0.75, 1.0]


def test_gain_of_nothing_is_none():
    assert measures.gain([Group(2, 0.25, 0.0)]) == []


def test_gini_of_the_right_order_is_one():
    assert measures.gini(np.array([0.0, 0.1, 0.5, 7.0]), np.array([0, 0, 1, 4])) == pytest.approx(1.0)


def test_gini_of_the_wrong_order_is_minus_one():
    assert measures.gini(np.array([3.0, 2.0, 1.0]), np.array([0, 1, 5])) == pytest.approx(-1.0, abs=0.35)
    assert measures.gini(np.array([3.0, 2.0, 1.0]), np.array([0, 1, 5])) < -0.5


def test_gini_of_one_prediction_for_all_is_none():
    assert measures.gini(np.full(5, 0.3), np.array([4, 0, 0, 1, 2])) == pytest.approx(0.0)


@pytest.mark.parametrize("actual", [[0, 0, 0], [2, 2, 2]])
def test_gini_is_none_when_all_did_the_same(actual):
    assert measures.gini(np.array([1.0, 2.0, 3.0]), np.array(actual)) == 0.0


# The score that models compete on


def test_log_score_by_hand():
    expected, none = np.array([0.5, 1.0]), np.array([0.8, 0.5])
    found = measures.log_score(expected, none, np.array([0, 2]))

    # the second orders with 0.5, then as often as a geometric number with the mean 1 / 0.5 = 2: P(2) = 1/2 · 1/2
    assert found == pytest.approx((np.log(0.8) + np.log(0.5 * 0.25)) / 2)


@pytest.mark.parametrize("wrong", [0.6, 0.8, 1.25, 1.7])
def test_log_score_is_best_for_the_true_mean(wrong):
    rng = np.random.default_rng(3)
    rate = rng.gamma(0.6, 2.0, 40_000)
    actual, none = rng.poisson(rate), np.exp(-rate)

    assert measures.log_score(rate, none, actual) > measures.log_score(rate * wrong, none, actual) + 1e-3


@pytest.mark.parametrize("wrong", [-0.2, -0.1, 0.1, 0.2])
def test_log_score_is_best_for_the_true_chance_of_none(wrong):
    rng = np.random.default_rng(4)
    none = rng.random(40_000) * 0.5 + 0.25
    actual = (rng.random(none.size) > none).astype(int)

    best, other = (measures.log_score(1.0 - chance, chance, actual) for chance in (none, none + wrong))
    assert best > other + 1e-3


@pytest.mark.parametrize("actual", [0, 1, 500])
@pytest.mark.parametrize(("expected", "none"), [(0.0, 1.0), (0.0, 0.0), (1e4, 0.0), (1e-12, 1.0)])
def test_log_score_is_never_infinite(actual, expected, none):
    found = measures.log_score(np.array([expected]), np.array([none]), np.array([actual]))

    assert np.isfinite(found)
    assert found <= 0


@pytest.mark.parametrize("seed", range(5))
def test_gini_is_that_of_all_pairs(seed):
    """Somers' D by counting: over pairs of customers weighted by how far apart they are in what they did."""
    rng = np.random.default_rng(seed)
    predicted, actual = rng.integers(0, 6, 40).astype(float), rng.poisson(1.5, 40)
    differs = actual[:, None] - actual[None, :]
    agrees = np.sign(predicted[:, None] - predicted[None, :]) * differs

    assert measures.gini(predicted, actual) == pytest.approx(np.sum(agrees) / np.sum(np.abs(differs)))


def test_gain_of_groups_is_that_of_their_customers():
    predicted, actual = np.arange(100.0), np.arange(100)
    found = measures.gain(measures.groups(predicted, actual))

    assert found[0] == pytest.approx(actual[-10:].sum() / actual.sum())
    assert found[-1] == pytest.approx(1.0)
