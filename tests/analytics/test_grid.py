"""The grid: as good as the function itself, whatever the shop, and each pair's figures its own."""

import numpy as np
import pytest

from analytics.clv import discount, grid, tables
from analytics.clv.history import Terms
from analytics.clv.params import BgNbdParams, MbgNbdParams, ParetoNbdParams

TERMS = Terms()
RATE = np.log1p(TERMS.discount_rate) * 7 / 365
HORIZONS = [days / 7 for days in TERMS.horizons]
SHOPS = [
    MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614),
    BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426),
    BgNbdParams(r=0.11, alpha=2.24, a=0.31, b=0.5),
    MbgNbdParams(r=0.92, alpha=3.58, a=0.65, b=4.17),
    BgNbdParams(r=0.5, alpha=0.01, a=1.0, b=2.0),
    MbgNbdParams(r=20.0, alpha=500.0, a=0.01, b=0.4),
]


def pairs(count=300, *, most=400, seed=1):
    chance = np.random.default_rng(seed)
    x = np.concatenate([[0, 0, 15, 16, 17, 64], chance.integers(0, 20, count), chance.integers(0, most, count)])
    T = np.concatenate([[0, 1, 0, 0, 7, 10_000], chance.integers(0, 1500, 2 * count)])
    return x, T / 7


def directly(params, x, T):
    return np.concatenate(discount.by_horizon(params, HORIZONS, RATE, x, T))


def from_grid(params, x, T):
    return np.concatenate(tables.by_horizon(params, HORIZONS, RATE, x, T))


@pytest.mark.parametrize("params", SHOPS)
def test_it_works(params):
    x, T = pairs()

    assert from_grid(params, x, T) == pytest.approx(directly(params, x, T), rel=1e-11)


@pytest.mark.parametrize("x", [5_000, 10_000, 99_999])
def test_heavy_buyers(x):
    x, T = np.full(20, x), np.linspace(1.0, 400.0, 20)

    assert from_grid(SHOPS[0], x, T) == pytest.approx(directly(SHOPS[0], x, T), rel=1e-9)


@pytest.mark.parametrize("params", [MbgNbdParams(r=1.0, alpha=10.0, a=50.0, b=500.0), BgNbdParams(200.0, 9e2, 5, 0.02)])
def test_customers_who_are_all_alike(params):
    x, T = pairs()

    assert from_grid(params, x, T) == pytest.approx(directly(params, x, T), rel=2e-9)


def test_fewer_nodes_are_not_enough(monkeypatch):
    x, T = pairs()
    monkeypatch.setattr(grid, "NODES", 5)

    assert np.max(np.abs(from_grid(SHOPS[0], x, T) / directly(SHOPS[0], x, T) - 1)) > 1e-7


@pytest.mark.parametrize("rows", [slice(0, 1), slice(3, 4), slice(None, None, 7), slice(None, None, -1)])
def test_each_pair_has_its_own_bits(rows):
    x, T = pairs()

    assert np.array_equal(from_grid(SHOPS[0], x[rows], T[rows]), from_grid(SHOPS[0], x, T)[:, rows])


def test_a_polynomial_is_met_to_the_last_digits():
    x, T = pairs(most=60)

    found = grid.interpolated(lambda x, T: np.array([np.log(T + 2.0) ** 3, x * 0 + 4.0]), x, T, 2.0)

    assert found[0] == pytest.approx(np.log(T + 2.0) ** 3, rel=1e-13)
    assert found[1] == pytest.approx(np.full(x.size, 4.0), rel=1e-14)


def test_the_function_is_asked_at_the_nodes_only():
    x, T = pairs(count=5_000)
    asked = []

    def function(x, T):
        asked.append(x.size)
        return np.array([x + T])

    grid.interpolated(function, x, T, 4.0)

    assert sum(asked) < x.size / 3


def test_models_of_short_sums_are_asked_directly():
    params = ParetoNbdParams(r=0.553, alpha=10.578, s=0.606, beta=11.669)
    x, T = pairs()

    assert np.array_equal(from_grid(params, x, T), directly(params, x, T))


@pytest.mark.parametrize("params", SHOPS[:1])
def test_nobody(params):
    found = tables.alive(params, np.zeros(0, np.int32), np.zeros(0, np.int32), TERMS)

    assert found.orders.shape == found.discounted.shape == (3, 0)
    assert found.next_order.shape == (0,)
