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


def test_a_search_that_ends_on_a_slope_goes_on_once(monkeypatch):
    """Rounding on a long ridge ends it early; from there, without what it remembers, it arrives."""
    descend, searches = fitting._descend, []

    def early(downhill, start, edges):
        searches.append(start)
        with monkeypatch.context() as few:
            few.setattr(fitting, "EVALUATIONS", 2 if len(searches) == 1 else 400)
            return descend(downhill, start, edges)

    monkeypatch.setattr(fitting, "_descend", early)
    found = climb(hill((2.0, 0.5)))
    assert found.values == pytest.approx((2.0, 0.5), rel=1e-4)
    assert len(searches) == 2
    assert found.evaluations > 2


def tilted(top, along=(4.0, 1.0)):
    """A hill in ln(values), steeper one way than the other and twisted, with a slope that is no straight line."""
    bend = np.array([[along[0], 0.8], [0.8, along[1]]])

    def level(values):
        distance = np.log(values) - np.log(top)
        pull = bend @ distance
        return -float(distance @ pull) - float(np.sum(distance**4)), -(2 * pull + 4 * distance**3) / values

    return level


def from_part(log_likelihood, part, *, start=(1.0, 1.0), low=(1e-3, 1e-3), high=(1e3, 1e3)):
    return fitting.maximise_from_part(log_likelihood, part, names=("first", "second"), start=start, low=low, high=high)


def test_part_shows_the_way_to_the_top():
    whole, part = tilted((2.0, 30.0)), tilted((2.1, 28.0), along=(4.1, 1.1))

    found = from_part(whole, part)

    assert found.values == pytest.approx((2.0, 30.0), rel=1e-6)
    assert found.evaluations < climb(whole).evaluations


def test_newtons_steps_that_arrive_are_not_checked_again(monkeypatch):
    searches, climbs = [], fitting.maximise

    def seen(level, **given):
        searches.append(level)
        return climbs(level, **given)

    monkeypatch.setattr(fitting, "maximise", seen)
    whole, part = tilted((2.0, 30.0)), tilted((2.1, 28.0), along=(4.1, 1.1))

    found = from_part(whole, part)

    assert searches == [part]
    level, slope = whole(np.array(found.values))
    assert found.log_likelihood == level
    assert np.max(np.abs(slope * found.values)) <= fitting.GRADIENT


def test_curvature_learns_from_a_move():
    """Of a parabola it learns all in as many moves as there are directions."""
    bend, curvature = np.array([[4.0, 0.8], [0.8, 1.0]]), np.diag([9.0, 3.0])
    first = np.array([1.0, 0.5])
    across = np.array([-(bend @ first)[1], (bend @ first)[0]])

    for move in (first, across):
        curvature = fitting._learned(curvature, move, bend @ move)
        assert curvature @ move == pytest.approx(bend @ move)
    assert curvature == pytest.approx(bend)


def test_curvature_does_not_learn_from_a_slope_that_bends_upward():
    curvature = np.diag([9.0, 3.0])

    assert np.array_equal(fitting._learned(curvature, np.array([1.0, 0.0]), np.array([-1.0, 0.0])), curvature)


@pytest.mark.parametrize("top", [(200.0, 0.01), (2.0, 30.0)])
def test_part_that_is_far_off_does_not_matter(top):
    found = from_part(tilted(top), tilted((0.1, 5.0), along=(9.0, 3.0)))

    assert found.values == pytest.approx(top, rel=1e-5)


def test_part_without_curvature_does_not_matter():
    def flat(values):
        return 0.0, np.zeros(2)

    assert from_part(tilted((2.0, 30.0)), flat).values == pytest.approx((2.0, 30.0), rel=1e-6)


def test_part_without_a_top_does_not_matter():
    def broken(values):
        return float("nan"), np.full(2, np.nan)

    assert from_part(tilted((2.0, 30.0)), broken).values == pytest.approx((2.0, 30.0), rel=1e-6)


def test_from_a_part_a_top_beyond_the_edge_is_the_edge():
    found = from_part(hill(np.array([2.0, 1e9])), hill(np.array([2.1, 9e8])))

    assert found.values == pytest.approx((2.0, 1e3), rel=1e-6)


def test_whole_that_is_not_finite_raises():
    def broken(values):
        return float("nan"), np.full(2, np.nan)

    with pytest.raises(fitting.DidNotConverge, match="not finite"):
        from_part(broken, tilted((2.0, 30.0)))
