"""Discounting inside the table: against fine steps, its stated error, and the limits."""

import numpy as np
import pytest

from analytics.clv import discount, mbgnbd
from analytics.clv.params import MbgNbdParams

MBG = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)
YEAR = 365 / 7
TEN_PERCENT = np.log(1.1) / YEAR


def day_by_day(params, horizon, rate, x, T, steps=20_000):
    """Orders between two moments, each discounted from the middle between them."""
    t = np.linspace(0, horizon, steps + 1)
    orders = np.diff(mbgnbd.expected_purchases_alive(params, t, x, T))
    return float(np.sum(orders * np.exp(-rate * (t[1:] + t[:-1]) / 2)))


@pytest.mark.parametrize(("x", "T"), [(0, 1.0), (0, 40.0), (3, 10.0), (25, 60.0), (300, 100.0)])
def test_day_by_day_agrees(x, T):
    _, discounted = discount.discounted_purchases_alive(MBG, YEAR, TEN_PERCENT, x, T)

    assert float(discounted) == pytest.approx(day_by_day(MBG, YEAR, TEN_PERCENT, x, T), rel=1e-5)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 6.183, 100.0])
@pytest.mark.parametrize("x", [0, 1, 10])
def test_stated_error_holds_for_someone_who_bought_today(alpha, x, monkeypatch):
    params = MbgNbdParams(r=0.525, alpha=alpha, a=0.891, b=1.614)
    _, four_points = discount.discounted_purchases_alive(params, YEAR, TEN_PERCENT, x, 0.0)

    nodes, weights = np.polynomial.legendre.leggauss(60)
    monkeypatch.setattr(discount, "NODES", nodes)
    monkeypatch.setattr(discount, "WEIGHTS", weights)
    _, many_points = discount.discounted_purchases_alive(params, YEAR, TEN_PERCENT, x, 0.0)

    assert float(four_points) == pytest.approx(float(many_points), rel=1e-5)


def test_no_discount_leaves_the_orders():
    plain, discounted = discount.discounted_purchases_alive(MBG, YEAR, 0.0, np.arange(5), 30.0)

    assert np.array_equal(plain, discounted)


def test_plain_orders_are_the_model_s():
    plain, _ = discount.discounted_purchases_alive(MBG, YEAR, TEN_PERCENT, np.arange(5), 30.0)

    assert np.array_equal(plain, mbgnbd.expected_purchases_alive(MBG, YEAR, np.arange(5), 30.0))


def test_discounted_lies_between_first_and_last_day():
    x, T = np.meshgrid(np.arange(0, 200, 7), np.linspace(0, 150, 30))

    plain, discounted = discount.discounted_purchases_alive(MBG, YEAR, TEN_PERCENT, x, T)

    assert np.all(discounted < plain)
    assert np.all(discounted > plain / 1.1)


def test_no_horizon_no_value():
    plain, discounted = discount.discounted_purchases_alive(MBG, 0.0, TEN_PERCENT, 3, 30.0)

    assert float(plain) == float(discounted) == 0.0
