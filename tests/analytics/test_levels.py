"""What past days say of the level is believed as far as there is enough of it and more than chance."""

from math import exp, log

import numpy as np
import pytest

from analytics.clv import levels
from analytics.clv.levels import Seen


def origins(*off, step=100, horizon=100, noise=0.0):
    return [Seen(place * step, place * step + horizon, one, noise) for place, one in enumerate(off)]


def test_it_works():
    """Four periods that were 0.2 too low, and four that were right."""
    found = levels.learn(origins(0.2, 0.2, 0.2, 0.2))

    assert found.factor == pytest.approx(exp(0.8 / 8))
    assert found.tests == 4
    assert found.reason == "Earlier errors call for 1.11 times what is expected."


def test_the_more_past_days_say_the_same_the_more_they_are_believed():
    factors = [levels.learn(origins(*[0.2] * count)).factor for count in (1, 2, 4, 8, 100)]

    assert factors == sorted(factors)
    assert factors[0] == pytest.approx(exp(0.2 / 5))
    assert factors[-1] == pytest.approx(exp(0.2), rel=0.01)


def test_errors_to_both_sides_say_nothing():
    assert levels.learn(origins(0.2, -0.2, 0.2, -0.2)).factor == pytest.approx(1.0)


def test_too_much_is_corrected_as_too_little():
    low, high = (levels.learn(origins(off, off)).factor for off in (0.3, -0.3))

    assert low * high == pytest.approx(1.0)
    assert low > 1.0


def test_a_correction_is_a_factor_of_two_at_most():
    assert levels.learn(origins(3.0, 3.0, 3.0, 3.0)).factor == pytest.approx(2.0)
    assert levels.learn(origins(-3.0, -3.0, -3.0, -3.0)).factor == pytest.approx(0.5)


def test_horizons_that_overlap_are_believed_as_one_period():
    """Five origins within one horizon and a half, against as many that follow one upon the other."""
    apart, together = (levels.learn(origins(*[0.2] * 5, step=step)).factor for step in (100, 10))

    assert together == pytest.approx(exp(0.2 * 1.4 / 5.4))
    assert apart == pytest.approx(exp(0.2 * 5 / 9))


@pytest.mark.parametrize(
    ("step", "count", "expected"), [(100, 4, 4.0), (50, 4, 2.5), (0, 4, 1.0), (300, 3, 3.0), (100, 1, 1.0)]
)
def test_horizons_are_counted_that_fit_into_the_time_covered(step, count, expected):
    assert levels.independent(origins(*[0.0] * count, step=step)) == expected


def test_what_a_few_customers_may_do_is_believed_less():
    factors = [levels.learn(origins(*[0.2] * 4, noise=noise)).factor for noise in (0.0, 0.05, 0.1, 0.3)]

    assert factors == sorted(factors, reverse=True)
    assert factors[2] == pytest.approx(exp(0.2 * 4 / (4 + 4 * 2)))
    assert factors[3] < 1.02


def test_no_past_day_at_all():
    found = levels.learn([])

    assert (found.factor, found.tests) == (1.0, 0)
    assert found.reason == "No past day to learn the level from."
    assert levels.independent([]) == 0.0
    assert levels.NONE.factor == 1.0


def test_origins_of_one_day_stay_finite():
    assert levels.learn([Seen(0, 0, 0.2), Seen(0, 0, 0.2)]).factor == pytest.approx(exp(0.2 / 5))


# Shops whose errors are drawn: some of them last, the others are each period's own


def shops(lasting, own, *, periods, count=4000, seed=3):
    """The lasting error of each shop, and what was seen of it."""
    rng = np.random.default_rng(seed)
    lasts = lasting * rng.standard_normal(count)
    return lasts, lasts[:, np.newaxis] + own * rng.standard_normal((count, periods))


def left(lasting, own, *, periods, times=1.0):
    """The mean square of what is left of a lasting error, over that without a correction."""
    lasts, seen = shops(lasting, own, periods=periods)
    belief = times * np.array([log(levels.learn(origins(*row)).factor) for row in seen])
    return float(np.mean((lasts - belief) ** 2) / np.mean(lasts**2))


@pytest.mark.parametrize("periods", [1, 2, 5])
def test_shops_that_are_as_thought_are_corrected_best(periods):
    """Neither half of the correction nor twice as much does as well: it is the posterior mean."""
    own = levels.SPREAD * levels.PRIOR**0.5
    best = left(levels.SPREAD, own, periods=periods)

    assert best == pytest.approx(levels.PRIOR / (levels.PRIOR + periods), rel=0.05)
    assert best < left(levels.SPREAD, own, periods=periods, times=0.5)
    assert best < left(levels.SPREAD, own, periods=periods, times=2.0)


def test_shops_without_a_lasting_error_are_hardly_disturbed():
    """Periods wander by 0.1: what is added to the error of the next one is less than a tenth of its square."""
    _, seen = shops(0.0, 0.1, periods=2)
    added = np.array([log(levels.learn(origins(*row)).factor) for row in seen])

    assert np.mean(added**2) < 0.1 * 0.1**2
