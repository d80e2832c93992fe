"""The table of what may happen, against brute force: customers drawn one by one for the very row."""

import numpy as np
import pytest

from analytics.clv import outcomes, purchase, spend
from analytics.clv.params import LogNormalParams, MbgNbdParams, ParetoNbdParams

MBG = MbgNbdParams(r=0.5, alpha=8.0, a=0.9, b=2.0)
PARETO = ParetoNbdParams(r=0.55, alpha=10.6, s=0.61, beta=11.7)
SPENT = LogNormalParams(median=40.0, within=0.4, between=0.3, first=1.0, balance=1.0)
CHANCES = (0.2, 0.5, 0.8, 0.9, 0.97)


def customers(*rows):
    """Rows of P(alive), repeat order days and days since the first."""
    alive, x, T = (np.array(column) for column in zip(*rows, strict=True))
    return alive.astype(np.float64), x.astype(np.int32), T.astype(np.int32)


def brute(params, alive, x, T, days=365.0, size=100_000):
    """Orders and money of so many copies of one customer."""
    rng = np.random.default_rng(9)
    ahead = purchase.model_of(params).draw_orders(params, days / 7, np.full(size, x), np.full(size, T / 7), rng)
    orders = np.where(rng.random(size) < alive, ahead, 0)
    past = spend.typical(SPENT, np.full(size, x + 1))
    return orders, spend.draw_spend(SPENT, orders, past, rng) / spend.expected_spend(SPENT, past)


@pytest.mark.parametrize("params", [MBG, PARETO], ids=["MBG/NBD", "Pareto/NBD"])
@pytest.mark.parametrize(
    ("alive", "x", "T"), [(0.9, 0, 100), (0.8, 4, 300), (1.0, 7, 250), (0.95, 40, 500), (0.3, 1, 45)]
)
def test_quantiles_are_those_of_brute_force(params, alive, x, T):
    table = outcomes.table((params,), SPENT, 365.0)
    row = outcomes.rows(table, *customers((alive, x, T)))
    orders, money = brute(params, alive, x, T)

    assert row.none[0] == pytest.approx(np.mean(orders == 0), abs=0.01)
    for chance in (one for one in CHANCES if abs(one - row.none[0]) > 0.03):  # just above none it is steep
        found = outcomes.order_quantile(table, row, chance)[0]
        true = np.quantile(orders, chance, method="inverted_cdf")
        assert abs(found - true) <= max(1.0, 0.06 * true)
        assert outcomes.money_quantile(table, row, chance)[0] == pytest.approx(
            np.quantile(money, chance), rel=0.1, abs=0.05
        )


def test_a_quantile_is_exceeded_as_often_as_it_says():
    """Over many customers the errors of the table cancel out."""
    rng = np.random.default_rng(4)
    alive, x, T = rng.random(40_000), rng.integers(0, 30, 40_000), rng.integers(1, 900, 40_000)
    table = outcomes.table((MBG,), SPENT, 365.0)
    rows = outcomes.rows(table, *customers(*zip(alive, x, T, strict=True)))
    orders = np.where(
        rng.random(40_000) < alive, purchase.MODELS["MBG/NBD"].draw_orders(MBG, 365 / 7, x, T / 7, rng), 0
    )
    past = spend.typical(SPENT, x + 1)
    money = spend.draw_spend(SPENT, orders, past, rng) / spend.expected_spend(SPENT, past)

    for chance in (0.5, 0.8, 0.9, 0.97):
        low = rows.none < chance  # the others' quantile is 0 whatever the table says
        held = np.mean(money[low] <= outcomes.money_quantile(table, rows, chance)[low])
        assert held == pytest.approx(chance, abs=0.015)
        assert np.mean(orders[low] <= outcomes.order_quantile(table, rows, chance)[low]) >= held


def test_someone_who_is_gone_orders_nothing():
    table = outcomes.table((MBG,), SPENT, 365.0)
    gone = outcomes.rows(table, *customers((0.0, 50, 400), (0.0, 0, 10)))

    assert gone.none == pytest.approx([1.0, 1.0])
    assert not np.any(outcomes.order_quantile(table, gone, 0.99))


def test_quantiles_rise_with_the_chance():
    table = outcomes.table((MBG,), SPENT, 365.0)
    row = outcomes.rows(table, *customers((0.9, 6, 200)))

    for quantile in (outcomes.order_quantile, outcomes.money_quantile):
        found = [quantile(table, row, chance)[0] for chance in np.linspace(0.0, 0.999, 60)]
        assert found == sorted(found)
        assert found[0] == 0


def test_a_shard_gets_the_same_bits():
    rng = np.random.default_rng(5)
    past = customers(*zip(rng.random(3_000), rng.integers(0, 200, 3_000), rng.integers(0, 2_000, 3_000), strict=True))
    table = outcomes.table((MBG,), SPENT, 365.0)
    whole = outcomes.money_quantile(table, outcomes.rows(table, *past), 0.9)

    part = outcomes.money_quantile(table, outcomes.rows(table, *(column[1_111:1_500] for column in past)), 0.9)

    assert part.tobytes() == whole[1_111:1_500].tobytes()


def test_the_table_is_the_same_each_time():
    first = outcomes.table((MBG,), SPENT, 90.0)
    outcomes.table.cache_clear()

    again = outcomes.table((MBG,), SPENT, 90.0)

    assert again is not first
    assert again.money.tobytes() == first.money.tobytes()


def test_uncertain_parameters_spread_the_outcome():
    sure = outcomes.table((MBG,), SPENT, 365.0)
    fast, slow = MbgNbdParams(r=0.5, alpha=4.0, a=0.9, b=2.0), MbgNbdParams(r=0.5, alpha=16.0, a=0.9, b=2.0)
    unsure = outcomes.table((fast, slow), SPENT, 365.0)
    row = customers((1.0, 10, 60))

    spread = [
        outcomes.order_quantile(table, outcomes.rows(table, *row), 0.95)[0]
        - outcomes.order_quantile(table, outcomes.rows(table, *row), 0.05)[0]
        for table in (sure, unsure)
    ]
    assert spread[1] > spread[0]


# The ends of what can be


def test_no_time_brings_no_order():
    table = outcomes.table((MBG,), SPENT, 0.0)
    row = outcomes.rows(table, *customers((1.0, 5, 100)))

    assert row.none[0] == 1.0
    assert outcomes.order_quantile(table, row, 0.99)[0] == 0


@pytest.mark.parametrize(("x", "T"), [(0, 0), (100_000, 40_000), (16_384, 0), (0, 14_600), (1, 14_599)])
def test_beyond_the_knots_it_is_finite(x, T):
    table = outcomes.table((MBG,), SPENT, 365.0)
    row = outcomes.rows(table, *customers((0.9, x, T)))

    for chance in (0.0, 0.5, 0.99, 0.9999):
        assert np.isfinite(outcomes.order_quantile(table, row, chance)[0])
        assert np.isfinite(outcomes.money_quantile(table, row, chance)[0])


def test_nobody_is_nobody():
    table = outcomes.table((MBG,), SPENT, 365.0)
    nobody = np.zeros(0, dtype=np.int32)

    assert outcomes.order_quantile(table, outcomes.rows(table, np.zeros(0), nobody, nobody), 0.5).size == 0
