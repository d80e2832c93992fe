"""The fallback of small shops: the level is right, and nothing that a shop can be breaks it."""

import numpy as np
import pytest

from analytics.clv import averages, mbgnbd


def expected(params, ages, customers):
    return float(np.dot(customers, mbgnbd.unconditional_expected_purchases(params, np.asarray(ages))))


def test_pace_reproduces_the_shop_s_repeat_orders():
    ages, customers = np.array([10.0, 40.0, 90.0]), np.array([30, 30, 40])

    params = averages.pace(ages, customers, orders=55)

    imaginary = expected(params, [averages.YEAR], [1])
    assert expected(params, ages, customers) + imaginary == pytest.approx(56, rel=1e-9)


def test_pace_keeps_the_published_shapes():
    params = averages.pace([10.0], [5], orders=3)

    assert (params.r, params.a, params.b) == (0.525, 0.891, 1.614)


def test_more_orders_mean_a_faster_pace():
    alphas = [averages.pace([50.0], [100], orders=orders).alpha for orders in (0, 1, 10, 50, 200)]

    assert alphas == sorted(alphas, reverse=True)


def test_no_customers_order_once_in_their_first_year():
    params = averages.pace([], [], orders=0)

    assert expected(params, [averages.YEAR], [1]) == pytest.approx(1, rel=1e-9)


def test_customers_of_today_only_leave_the_imaginary_one():
    assert averages.pace([0.0], [50], orders=0) == averages.pace([], [], orders=0)


def test_without_any_repeat_order_the_pace_is_slow_but_finite():
    params = averages.pace([100.0], [500], orders=0)

    assert 1000 < params.alpha < 1e6


def test_more_orders_than_any_pace_explains_is_the_fastest_pace():
    params = averages.pace([1.0], [1], orders=1e9)

    assert params.alpha == pytest.approx(averages.FASTEST, rel=1e-9)


# Spend


def test_mean_is_weighted_by_orders():
    assert averages.capped_mean([10.0, 40.0], [3, 1]) == pytest.approx(17.5)


def test_one_order_of_ten_million_counts_as_ten_medians():
    means = np.append(np.full(99, 50.0), 1e7)

    assert averages.capped_mean(means, np.ones(100)) == pytest.approx((99 * 50 + 500) / 100)


def test_money_taken_back_counts_as_none():
    assert averages.capped_mean([-30.0, 0.0, 60.0], [1, 1, 1]) == pytest.approx(20.0)


@pytest.mark.parametrize("means", [[], [0.0, 0.0], [-5.0]])
def test_no_money_is_zero(means):
    assert averages.capped_mean(means, np.ones(len(means))) == 0.0


def test_spend_starts_at_the_shop_s_mean_and_comes_to_her_own():
    x = np.array([0, 1, 3, 999])

    spend = averages.shrunken_spend(50.0, x, 20.0 * x)

    assert spend == pytest.approx([50.0, 35.0, 27.5, 20.03])
