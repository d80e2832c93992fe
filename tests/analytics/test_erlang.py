"""Orders at every k-th step: against the sum term by term, the case k = 1, dice, and between its two ways."""

import numpy as np
import pytest

from analytics.clv import erlang, hypergeometric
from tests.analytics import reference_regular

CASES = (
    (2, 0, 0.6, 0.4, 0.9, 1.7),
    (2, 1, 0.6, 0.4, 0.9, 1.7),
    (4, 3, 12.5, 3.0, 1.0, 4.0),
    (4, 0, 0.05, 8.0, 0.02, 0.3),
    (12, 0, 2.5, 1e-3, 2.0, 1.5),  # the next order is very far
    (12, 11, 2.5, 1e-3, 2.0, 1.5),
    (12, 5, 1200.5, 0.01, 0.8, 101.0),
    (7, 2, 3.3, 11.0, 30.0, 2.0),
)
LONG = (
    (2, 0, 0.3, 200.0, 0.9, 1.7),
    (12, 11, 0.02, 300.0, 0.05, 0.5),
    (12, 0, 70_000.5, 0.01, 0.8, 5_900.0),  # the shortest: they end 35 orders from now
    (5, 3, 8_000.0, 0.5, 1.0, 1_600.0),
    (3, 1, 2_500.0, 2.0, 6.0, 0.05),
    (4, 2, 1.5, 120.0, 12.0, 300.0),
)


def one(case):
    k, phase, R, y, a, beta = case
    return float(erlang.expected_events(R=R, y=y, a=a, beta=beta, k=k, phase=phase))


@pytest.mark.parametrize("case", CASES)
def test_short_sums_agree_term_by_term(case):
    assert one(case) == pytest.approx(float(reference_regular.expected_events(*case)), rel=1e-11)


@pytest.mark.parametrize("case", LONG)
def test_long_sums_agree_term_by_term(case):
    _, _, R, y, _, _ = case
    length, exponent = hypergeometric.series_length(np.array([R]), np.array([y]))
    assert length > erlang.LONGEST_SUM or exponent > hypergeometric.LARGEST_EXPONENT  # or the test tests nothing

    assert one(case) == pytest.approx(float(reference_regular.expected_events(*case)), rel=1e-9)


def test_both_ways_meet():
    chance, n = np.random.default_rng(6), 300
    R, y = chance.uniform(300.0, 430.0, n), chance.uniform(2.0, 3.0, n)
    a, beta = 10.0 ** chance.uniform(-2, 1, n), 10.0 ** chance.uniform(-1, 3, n)
    for k, phase in ((2, 0), (3, 2), (12, 0), (12, 7)):
        by_sum = erlang._sums(k, phase, R, y, a, beta)
        by_integral = erlang._integrals(k, phase, R, y, a, beta)

        far = R * y > 900.0  # what falls within the first terms is not for the integral
        assert np.count_nonzero(far) > 50
        assert np.max(np.abs(by_integral / by_sum - 1.0)[far]) < 1e-9


def test_one_step_is_the_function_of_mbg_nbd():
    R, y = np.geomspace(0.05, 900, 50), np.geomspace(1e-3, 30, 50)

    value = erlang.expected_events(R=R, y=y, a=0.9, beta=2.4, k=1, phase=0)

    assert value.tobytes() == hypergeometric.expected_events(R=R, y=y, a=0.9, beta=2.4).tobytes()


@pytest.mark.parametrize("case", CASES[:4])
def test_dice_agree(case):
    k, phase, R, y, a, beta = case
    chance, n = np.random.default_rng(1), 400_000
    orders = (chance.poisson(chance.gamma(R, y, n)) + phase) // k
    played = np.minimum(orders, chance.geometric(chance.beta(a, beta, n).clip(1e-12)))

    assert one(case) == pytest.approx(played.mean(), abs=4.5 * played.std() / np.sqrt(n))


def test_each_row_is_its_own_to_the_last_bit():
    R, y = (np.ravel(column) for column in np.meshgrid(np.geomspace(0.05, 3000, 12), np.geomspace(1e-3, 100, 12)))
    together = erlang.expected_events(R=R, y=y, a=0.9, beta=2.4, k=3, phase=1)

    chance = np.random.default_rng(3)
    for size in (1, 2, 7, 60):
        rows = chance.choice(R.size, size, replace=False)
        apart = erlang.expected_events(R=R[rows], y=y[rows], a=0.9, beta=2.4, k=3, phase=1)
        assert apart.tobytes() == together[rows].tobytes()


def test_further_on_the_way_means_more_orders():
    values = [one((6, phase, 3.0, 2.0, 0.8, 1.7)) for phase in range(6)]

    assert np.all(np.diff(values) > 0)


def test_no_time_no_orders():
    assert one((3, 2, 3.0, 0.0, 0.8, 1.7)) == 0.0


def test_tail_is_what_the_chances_leave():
    n = np.arange(400)

    chances = np.exp(erlang.log_pmf(n, 2.5, 3.0))

    assert np.sum(chances) == pytest.approx(1.0, rel=1e-12)
    assert erlang.tail(5, 2.5, 3.0) == pytest.approx(np.sum(chances[5:]), rel=1e-12)
    assert erlang.tail([0, -1], 2.5, 3.0).tolist() == [1.0, 1.0]
