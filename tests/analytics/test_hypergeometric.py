"""The special function: two ways that must meet, a third by brute force, and what it cannot be."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betaln

from analytics.clv import hypergeometric
from tests.analytics import reference

R = np.array([0.05, 0.6, 2.5, 17.0, 250.0])
Y = np.array([1e-8, 0.01, 0.4, 3.0, 11.0])
A = np.array([0.02, 0.4, 1.0, 2.2, 30.0])
BETA = np.array([0.05, 1.0, 3.7, 80.0])


def grid():
    return [np.ravel(column) for column in np.meshgrid(R, Y, A, BETA, indexing="ij")]


def brute_force(R, y, a, beta):
    """The expectation over p by adaptive integration in p = e^u."""

    def weighted(u):
        p = np.exp(u)
        weight = np.exp(a * u + (beta - 1) * np.log1p(-p) - betaln(a, beta))
        return weight * -np.expm1(-R * np.log1p(p * y)) / p

    return quad(weighted, -700 / max(a, 1), -1e-12, limit=500, epsabs=0, epsrel=1e-10, points=[-20, -5, -1])[0]


def test_both_ways_meet():
    columns = grid()
    easy = hypergeometric.series_length(columns[0], columns[1])[0] < 2000
    columns = [column[easy] for column in columns]

    by_series = hypergeometric._series_blocks(*columns)
    by_quadrature = hypergeometric._quadrature_blocks(*columns)

    assert np.count_nonzero(easy) > 400
    assert np.max(np.abs(by_series / by_quadrature - 1)) < 1e-11


@pytest.mark.parametrize(
    ("R", "y", "a", "beta"),
    [(0.6, 0.4, 0.4, 1.0), (2.5, 3.0, 2.2, 3.7), (17.0, 0.01, 1.0, 1.5), (3.0, 1.0, 1.0, 2.0)],
)
def test_adaptive_integration_agrees(R, y, a, beta):
    value = float(hypergeometric.expected_events(R=R, y=y, a=a, beta=beta))

    assert value == pytest.approx(brute_force(R, y, a, beta), rel=1e-7)


@pytest.mark.parametrize(
    ("R", "y", "a", "beta"),
    [
        (0.001, 1e4, 1e-3, 1e-3),
        (1e4, 1e-5, 1e3, 1e-3),
        (1e4, 1e4, 0.5, 1e4),
        (2.0, 1e4, 1.0, 2.0),
        (10_000.243, 0.03, 0.793, 10_002.426),
        (700.5, 40.0, 1 - 1e-9, 702.0),
    ],
)
def test_hard_rows_agree_with_high_precision(R, y, a, beta):
    value = float(hypergeometric.expected_events(R=R, y=y, a=a, beta=beta))

    assert value == pytest.approx(float(reference.expected_events(R, y, a, beta)), rel=1e-10)


def test_where_even_60_digits_of_the_printed_form_are_lost():
    """60 and 150 digits give -7e291 here; the figure was computed with 400."""
    value = float(hypergeometric.expected_events(R=1500.0, y=14.0, a=3.74, beta=9130.0))

    assert value == pytest.approx(3206.37089161092, rel=1e-12)


def test_monte_carlo_agrees():
    """Her next orders played out: a pace, a chance to leave, and the dice."""
    chance = np.random.default_rng(1)
    R, y, a, beta, n = 1.4, 2.0, 0.9, 2.6, 400_000
    events = chance.poisson(chance.gamma(R, y, n))
    lasts = chance.geometric(chance.beta(a, beta, n).clip(1e-12))  # she leaves at this order
    played = np.minimum(events, lasts)

    value = float(hypergeometric.expected_events(R=R, y=y, a=a, beta=beta))

    assert value == pytest.approx(played.mean(), abs=4 * played.std() / np.sqrt(n))


def test_arguments_broadcast():
    value = hypergeometric.expected_events(R=R[:, None], y=Y, a=0.9, beta=2.0)

    assert value.shape == (5, 5)
    assert value[2, 3] == hypergeometric.expected_events(R=R[2], y=Y[3], a=0.9, beta=2.0)


def test_empty_columns_give_an_empty_column():
    empty = np.empty(0)

    assert hypergeometric.expected_events(R=empty, y=empty, a=0.9, beta=empty).shape == (0,)


def test_each_row_is_its_own_to_the_last_bit():
    columns = grid()
    together = hypergeometric.expected_events(**dict(zip(("R", "y", "a", "beta"), columns, strict=True)))

    chance = np.random.default_rng(3)
    for size in (1, 2, 3, 7, 100):
        rows = chance.choice(together.size, size, replace=False)
        apart = hypergeometric.expected_events(
            R=columns[0][rows], y=columns[1][rows], a=columns[2][rows], beta=columns[3][rows]
        )
        assert apart.tobytes() == together[rows].tobytes()


def test_more_time_means_more_orders():
    y = np.geomspace(1e-6, 1e5, 400)

    value = hypergeometric.expected_events(R=2.0, y=y, a=0.8, beta=1.7)

    assert np.all(np.diff(value) > 0)


def test_more_pace_means_more_orders():
    value = hypergeometric.expected_events(R=np.geomspace(1e-3, 1e4, 400), y=0.7, a=0.8, beta=1.7)

    assert np.all(np.diff(value) > 0)


def test_more_leaving_means_fewer_orders():
    value = hypergeometric.expected_events(R=2.0, y=0.7, a=np.geomspace(1e-3, 1e4, 400), beta=1.7)

    assert np.all(np.diff(value) < 0)


def test_more_staying_means_more_orders():
    value = hypergeometric.expected_events(R=2.0, y=0.7, a=1.1, beta=np.geomspace(1e-3, 1e4, 400))

    assert np.all(np.diff(value) > 0)


def test_never_more_than_the_pace_allows():
    columns = grid()

    value = hypergeometric.expected_events(**dict(zip(("R", "y", "a", "beta"), columns, strict=True)))

    assert np.all(value <= columns[0] * columns[1] * (1 + 1e-12))


def test_never_less_than_the_chance_of_one():
    columns = grid()

    value = hypergeometric.expected_events(**dict(zip(("R", "y", "a", "beta"), columns, strict=True)))

    assert np.all(value >= -np.expm1(-columns[0] * np.log1p(columns[1])) * (1 - 1e-12))
