"""The baseline: her own pace goes on."""

import numpy as np
import pytest

from analytics.clv import naive


def test_pace_goes_on():
    assert float(naive.expected_purchases(39, 2, 13.0)) == 6.0


def test_columns_and_horizons_broadcast():
    value = naive.expected_purchases(np.array([[13.0], [26.0]]), np.array([0, 1, 2]), 13.0)

    assert value.tolist() == [[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]]


@pytest.mark.parametrize("x", [0, 3])
def test_nothing_is_known_on_the_first_day(x):
    assert naive.expected_purchases(52, [x, x], [0.0, 13.0]).tolist() == [0.0, 4.0 * x]


def test_unit_of_time_does_not_matter():
    days = naive.expected_purchases(273, np.arange(5), 100)

    assert days == pytest.approx(naive.expected_purchases(39, np.arange(5), 100 / 7), rel=1e-14)


def test_no_customers():
    assert naive.expected_purchases(52, np.empty(0), np.empty(0)).shape == (0,)
