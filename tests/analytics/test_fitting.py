"""The climb itself: it finds a top, an edge counts as one, and everything else raises with the reason."""

import numpy as np
import pytest

from analytics.clv import fitting


def hill(top):
    """A smooth hill in ln(values) with its top at `top`."""

    def level(values):
        distance = np.log(values) - np.log(top)
        return -float(distance @ distance), -2 * distance / values

    return level


def climb(log_likelihood, *, start=(1.0, 1.0), low=(1e-3, 1e-3), high=(1e3, 1e3)):
    return fitting.maximise(log_likelihood, names=("first", "second"), start=start, low=low, high=high)


def test_top_is_found():
    found = climb(hill(np.array([2.0, 30.0])))

    assert found.values == pytest.approx((2.0, 30.0), rel=1e-6)
    assert found.log_likelihood == pytest.approx(0, abs=1e-10)
    assert found.evaluations > 1


def test_top_beyond_the_edge_is_the_edge():
    found = climb(hill(np.array([2.0, 1e9])))

    assert found.values == pytest.approx((2.0, 1e3), rel=1e-6)


def test_start_outside_is_brought_inside():
    assert climb(hill(np.array([2.0, 3.0])), start=(1e9, 1e-9)).values == pytest.approx((2.0, 3.0), rel=1e-6)


def test_not_a_number_raises_and_names_the_place():
    def broken(values):
        return float("nan"), np.zeros(2)

    with pytest.raises(fitting.DidNotConverge, match="not finite at first = 1, second = 1"):
        climb(broken)


def test_infinite_slope_raises():
    def broken(values):
        return 0.0, np.array([np.inf, 0.0])

    with pytest.raises(fitting.DidNotConverge, match="not finite"):
        climb(broken)


def test_slope_that_lies_raises_and_says_how_steep_it_was():
    def lying(values):
        level, slope = hill(np.array([2.0, 30.0]))(values)
        return level, slope + 1.0

    with pytest.raises(fitting.DidNotConverge, match="slope of"):
        climb(lying)


def test_too_few_evaluations_raise(monkeypatch):
    monkeypatch.setattr(fitting, "EVALUATIONS", 1)

    with pytest.raises(fitting.DidNotConverge, match="stopped after"):
        climb(hill(np.array([2e-3, 900.0])))
