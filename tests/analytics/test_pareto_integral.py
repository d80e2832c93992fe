"""The integral behind Pareto/NBD: against the printed form, adaptive integration and dice; and what it cannot be."""

import itertools

import mpmath as mp
import numpy as np
import pytest

from analytics.clv import pareto_integral
from tests.analytics import reference_pareto

R = (1e-4, 0.05, 0.6, 2.5, 17.0, 250.0, 10_000.5)
S = (1e-4, 0.3, 1.0, 4.0, 60.0)
SCALES = ((10.0, 10.0), (1e-3, 40.0), (40.0, 1e-3), (10.578, 11.669), (1.0, 1e4), (3.0, 3.0 + 1e-9))


def printed(R, s, A, B):
    """2F1(·) / (R+s) in the form that adds positive terms."""
    with mp.workdps(30):
        R, s, A, B = (mp.mpf(float(v)) for v in (R, s, A, B))
        if A >= B:
            return mp.hyp2f1(R, 1, R + s + 1, (A - B) / A) / (R + s)
        return A / B / (R + s) * mp.hyp2f1(s + 1, 1, R + s + 1, (B - A) / B)


@pytest.mark.parametrize("s", S)
def test_printed_form_agrees(s):
    for shape, (A, B) in itertools.product(R, SCALES):
        value = float(pareto_integral.chance_to_leave_first(shape, s, A, B))

        assert value == pytest.approx(float(printed(shape, s, A, B)), rel=5e-14), (shape, s, A, B)


@pytest.mark.parametrize(
    ("shape", "s", "A", "B"), [(0.6, 0.6, 10.0, 12.0), (2.5, 1.0, 3.0, 40.0), (17.0, 4.0, 40.0, 3.0)]
)
def test_adaptive_integration_agrees(shape, s, A, B):
    value = float(pareto_integral.chance_to_leave_first(shape, s, A, B))

    assert value == pytest.approx(float(reference_pareto.leaves_first(shape, s, A, B)), rel=1e-9)


def test_dice_agree():
    """Who comes first, her next order or her leaving, played out."""
    chance, n = np.random.default_rng(4), 400_000
    order = chance.standard_exponential(n) / (chance.standard_gamma(1.4, n) / 3.0)
    leaving = chance.standard_exponential(n) / (chance.standard_gamma(0.9, n) / 8.0)

    p = 0.9 * float(pareto_integral.chance_to_leave_first(1.4, 0.9, 3.0, 8.0))

    assert np.mean(leaving < order) == pytest.approx(p, abs=4.5 * np.sqrt(p * (1 - p) / n))


def test_equal_scales_are_a_ratio_of_shapes():
    """A = B: she leaves first with s / (R + s)."""
    shape = np.array(R)

    value = pareto_integral.chance_to_leave_first(shape, 0.6, 7.0, 7.0)

    assert value == pytest.approx(1.0 / (shape + 0.6), rel=1e-14)


def test_leaving_first_and_ordering_first_are_all_there_is():
    """The two are the same integral with pace and leaving exchanged."""
    for shape, s, (A, B) in itertools.product(R[1:], S[1:], SCALES):
        leaves = s * float(pareto_integral.chance_to_leave_first(shape, s, A, B))
        orders = shape * float(pareto_integral.chance_to_leave_first(s, shape, B, A))

        assert leaves + orders == pytest.approx(1.0, rel=1e-13), (shape, s, A, B)


def test_nothing_but_the_ratio_of_the_scales_matters():
    one = pareto_integral.chance_to_leave_first(np.array(R), 0.6, 3.0, 8.0)
    other = pareto_integral.chance_to_leave_first(np.array(R), 0.6, 3.0e6, 8.0e6)

    assert one == pytest.approx(other, rel=1e-13)


def test_faster_pace_leaves_less_room():
    value = pareto_integral.chance_to_leave_first(np.geomspace(1e-4, 1e4, 300), 0.6, 3.0, 8.0)

    assert np.all(np.diff(value) < 0)


def test_each_row_is_its_own_to_the_last_bit():
    shape, A, B = (np.ravel(v) for v in np.meshgrid(R, (0.1, 3.0, 50.0), (0.2, 3.0, 900.0)))
    together = pareto_integral.chance_to_leave_first(shape, 0.6, A, B)

    chance = np.random.default_rng(3)
    for size in (1, 2, 5, 30):
        rows = chance.choice(together.size, size, replace=False)
        apart = pareto_integral.chance_to_leave_first(shape[rows], 0.6, A[rows], B[rows])
        assert apart.tobytes() == together[rows].tobytes()


def test_blocks_do_not_change_a_bit(monkeypatch):
    shape = np.linspace(0.1, 90.0, 700)
    whole = pareto_integral.chance_to_leave_first(shape, 0.6, 3.0, 8.0)

    monkeypatch.setattr(pareto_integral, "CELLS", 999)

    assert pareto_integral.chance_to_leave_first(shape, 0.6, 3.0, 8.0).tobytes() == whole.tobytes()


def test_moments_are_the_derivatives():
    """d ln f by R, A, s and B, from the weighted means, beside differences of f itself."""
    shape, A, B, s = np.array([0.7, 3.0, 40.0]), np.array([2.0, 9.0, 30.0]), np.array([5.0, 1.0, 60.0]), 0.8
    f, log_A, per_A, log_B, per_B = pareto_integral.moments(shape, s, A, B, pareto_integral.STEP)

    def slope(change):
        above, below = (pareto_integral.chance_to_leave_first(*change(step)) for step in (1e-6, -1e-6))
        return (above - below) / 2e-6 / f

    assert slope(lambda h: (shape + h, s, A, B)) == pytest.approx(-log_A, rel=1e-7)
    assert slope(lambda h: (shape, s + h, A, B)) == pytest.approx(-log_B, rel=1e-7)
    assert slope(lambda h: (shape, s, A + h, B)) == pytest.approx(shape * (1.0 / A - per_A), rel=1e-6)
    assert slope(lambda h: (shape, s, A, B + h)) == pytest.approx(s / B - (s + 1.0) * per_B, rel=1e-6)


def test_coarse_step_is_close_enough_for_a_fit():
    shape = np.repeat(np.arange(0.2, 60.0), 20)
    A, B = np.tile(np.geomspace(0.05, 20.0, 20), 60), np.tile(np.geomspace(3.0, 0.1, 20), 60)

    fine = pareto_integral.moments(shape, 0.6, A, B, pareto_integral.STEP)
    coarse = pareto_integral.moments(shape, 0.6, A, B, 0.35)

    assert np.max(np.abs(coarse[0] / fine[0] - 1.0)) < 1e-11
    assert np.max(np.abs(coarse / fine - 1.0)) < 1e-8  # of the slope


def test_empty_columns_give_an_empty_column():
    empty = np.empty(0)

    assert pareto_integral.chance_to_leave_first(empty, 0.6, empty, empty).shape == (0,)


def test_arguments_broadcast():
    value = pareto_integral.chance_to_leave_first(
        np.array([1.0, 2.0])[:, np.newaxis], 0.6, np.array([1.0, 2.0, 3.0]), 4.0
    )

    assert value.shape == (2, 3)
    assert value[1, 2] == pareto_integral.chance_to_leave_first(2.0, 0.6, 3.0, 4.0)
