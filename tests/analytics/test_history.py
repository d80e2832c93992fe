"""Histories: what a night can hand over, and parts of it."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import shop
from benchmarks import simulated
from tests.analytics import cdnow
from tests.analytics.histories import make_customer, make_history, of


def test_take_keeps_the_rows_in_the_order_asked_for():
    past = of(make_customer(value=1.0), make_customer(value=2.0), make_customer(value=3.0))

    assert past.take(np.array([2, 0])).value.tolist() == [3.0, 1.0]


def test_take_nothing():
    assert of(make_customer()).take(np.array([], dtype=np.intp)).order_days.shape == (0,)


def test_take_keeps_the_types():
    part = cdnow.history().take(np.arange(5))

    assert part.order_days.dtype == part.first_age.dtype == part.last_age.dtype == np.int32
    assert part.value.dtype == part.repeat_value.dtype == part.margin.dtype == np.float64


def test_empty_history_is_fine():
    assert make_history().order_days.shape == (0,)


def test_first_order_today_is_fine():
    assert of(make_customer(order_days=1, first_age=0, last_age=0)).last_age.tolist() == [0]


def test_second_order_today_is_fine():
    assert of(make_customer(order_days=2, first_age=1, last_age=0)).first_age.tolist() == [1]


def test_details_that_are_not_given_are_not_known():
    past = of(make_customer(times=2))

    assert np.isnan(past.log_gaps).all()
    assert past.paid_days.tolist() == [0, 0]
    assert past.prior_age.tolist() == [-1, -1]


def test_a_detail_of_another_length_is_refused():
    past = of(make_customer(times=2))

    with pytest.raises(ValueError, match="one length"):
        replace(past, log_gaps=np.zeros(1))


def test_matrix_is_refused():
    square = np.zeros((2, 2), dtype=np.int32)

    with pytest.raises(ValueError, match="one length"):
        shop.History(square, square, square, square * 1.0, square * 1.0, square * 1.0)


# The simulated shop, which tests and benchmarks lean on


def test_simulated_shop_is_the_same_for_the_same_seed():
    first, second = simulated.shop(500, seed=1), simulated.shop(500, seed=1)

    assert all(np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True) for name in first.__slots__)


def test_simulated_shop_differs_for_another_seed():
    assert not np.array_equal(simulated.shop(500, seed=1).value, simulated.shop(500, seed=2).value)


def test_simulated_shop_has_about_five_order_days_for_two_customers():
    past = simulated.shop(50_000)

    assert past.order_days.mean() == pytest.approx(2.5, abs=0.1)


def test_simulated_customers_of_one_order_have_no_repeat_money():
    past = simulated.shop(2000)
    once = past.order_days == 1

    assert np.all(past.repeat_value[once] == 0)
    assert np.all(past.repeat_value[~once] > 0)
    assert np.all(past.value > past.repeat_value)


def test_simulated_spend_has_the_mean_of_its_truth():
    past = simulated.shop(100_000)
    truth = simulated.SPEND.p * simulated.SPEND.gamma / (simulated.SPEND.q - 1)

    assert np.sum(past.value) / np.sum(past.order_days) == pytest.approx(truth, rel=0.02)
