"""A correction of the level has to prove itself on origins whose outcome came later."""

from math import exp, log

import pytest

from analytics.clv import levels
from analytics.clv.levels import Seen


def origins(*off, step=100, horizon=100):
    return [Seen(place * step, place * step + horizon, one) for place, one in enumerate(off)]


def test_it_works():
    found = levels.learn(origins(0.2, 0.2, 0.2, 0.2))

    assert found.factor == pytest.approx(exp(0.8 / 5))
    assert found.tests == 3
    assert "1.17 times" in found.reason


def test_errors_to_both_sides_are_left_alone():
    found = levels.learn(origins(0.2, -0.2, 0.2, -0.2))

    assert found.factor == 1.0
    assert "did not help" in found.reason


def test_two_tests_are_needed():
    assert levels.learn(origins(0.2, 0.2)).factor == 1.0
    assert levels.learn(origins(0.2, 0.2, 0.2)).factor > 1.0
    assert "level at: 1; it takes 2" in levels.learn(origins(0.2, 0.2)).reason


def test_what_was_not_known_on_the_day_corrects_nothing():
    """Overlapping horizons: the outcome of the first three is known to the last alone."""
    assert levels.learn(origins(0.2, 0.2, 0.2, 0.2, step=30)).tests == 0


def test_a_later_origin_does_not_correct_an_earlier():
    """Only the last is off: nothing that was known before it helped."""
    assert levels.learn(origins(0.0, 0.0, 0.0, 0.5)).factor == 1.0


def test_a_correction_is_a_factor_of_two_at_most():
    assert levels.learn(origins(3.0, 3.0, 3.0, 3.0)).factor == pytest.approx(2.0)
    assert levels.learn(origins(-3.0, -3.0, -3.0, -3.0)).factor == pytest.approx(0.5)


def test_what_a_few_customers_may_do_is_no_reason():
    seen = [one._replace(noise=0.2) for one in origins(0.2, 0.2, 0.2, 0.2)]

    assert levels.learn(seen).factor == 1.0
    assert "a few customers" in levels.learn(seen).reason


def test_the_more_customers_may_do_by_chance_the_less_is_corrected():
    factors = [
        levels.learn([one._replace(noise=noise) for one in origins(0.2, 0.2, 0.2, 0.2)]).factor
        for noise in (0.0, 0.05, 0.1, 0.15)
    ]

    assert factors == sorted(factors, reverse=True)
    assert factors[1] == pytest.approx(exp(0.16 * (1 - 0.05**2 / 0.16**2)))


def test_no_origins_at_all():
    assert levels.learn([]).factor == levels.NONE.factor == 1.0


@pytest.mark.parametrize(
    ("plain", "corrected", "expected"),
    [
        ([log(1.2), log(1.2)], [0.0, 0.0], True),
        ([0.2, 0.2], [0.19, 0.19], False),  # less than a tenth
        ([0.5, 0.1, 0.1], [0.0, 0.2, 0.2], False),  # better on the whole, worse at most
        ([0.2, 0.2], [-0.2, -0.2], False),  # as far on the other side
    ],
)
def test_help_is_a_tenth_on_the_whole_and_at_most_origins(plain, corrected, expected):
    assert levels.helps(plain, corrected) is expected
