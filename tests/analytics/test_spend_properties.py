"""What holds for every spend model, whatever the shop: units, order of rows, more money, and the ends."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import averages, log_normal, spend
from tests.analytics.spenders import log_normal_shop, of_orders, of_table

NAMES = ["Credibility", "Log-normal", "Gamma-Gamma", "Shrunken mean"]


@pytest.fixture(scope="module")
def shop():
    return log_normal_shop(3_000, seed=21)[0]


@pytest.fixture(scope="module")
def params(shop):
    return {name: spend.fit(name, shop).params for name in NAMES}


def each_name(test):
    return pytest.mark.parametrize("name", NAMES)(test)


@each_name
def test_order_of_the_customers_does_not_matter(shop, params, name):
    mixed = np.random.default_rng(3).permutation(shop.order_days.size)

    again = spend.fit(name, shop.take(mixed)).params

    assert list(vars_of(again)) == pytest.approx(list(vars_of(params[name])), rel=1e-4)


def vars_of(params):
    return [getattr(params, name) for name in params.__dataclass_fields__]


@each_name
@pytest.mark.parametrize("unit", [1e-3, 100.0, 1e5])
def test_another_unit_of_money_gives_the_same_spend(shop, params, name, unit):
    """Cents, euros or lire: the expected spend is the same amount."""
    scaled = in_unit(shop, unit)

    found = spend.expected_spend(spend.fit(name, scaled).params, scaled)

    assert found / unit == pytest.approx(spend.expected_spend(params[name], shop), rel=2e-3)


def in_unit(history, unit):
    step, n = np.log(unit), history.paid_days
    return replace(
        history,
        value=history.value * unit,
        repeat_value=history.repeat_value * unit,
        margin=history.margin * unit,
        log_value=history.log_value + n * step,
        log_value_sq=history.log_value_sq + 2 * step * history.log_value + n * step**2,
    )


@each_name
def test_those_whose_every_order_came_back_change_nothing(shop, params, name):
    refunded = of_orders([[]] * 200)
    columns = [np.concatenate([getattr(part, column) for part in (shop, refunded)]) for column in shop.__slots__]
    together = type(shop)(*columns)

    assert spend.fit(name, together).params == params[name]


@each_name
def test_history_is_not_changed(shop, name):
    before = [getattr(shop, column).tobytes() for column in shop.__slots__]

    found = spend.fit(name, shop).params
    spend.draw_spend(found, shop.order_days, shop, np.random.default_rng(1))

    assert [getattr(shop, column).tobytes() for column in shop.__slots__] == before


@each_name
def test_more_money_means_more_to_expect(params, name):
    history = of_orders([[40.0, amount, amount] for amount in (1.0, 10.0, 30.0, 60.0, 200.0, 1_000.0)])

    assert np.all(np.diff(spend.expected_spend(params[name], history)) > 0)


@pytest.mark.parametrize("name", ["Credibility", "Log-normal"])
def test_a_larger_first_order_means_more_to_expect(params, name):
    history = of_orders([[amount] for amount in (1.0, 10.0, 40.0, 200.0, 1_000.0)])

    assert np.all(np.diff(spend.expected_spend(params[name], history)) > 0)


@pytest.mark.parametrize("name", ["Credibility", "Gamma-Gamma", "Shrunken mean"])
def test_more_orders_bring_her_own_mean_nearer(params, name):
    history = of_orders([[100.0] * n for n in (1, 2, 4, 8, 40, 400)])

    expected = spend.expected_spend(params[name], history)

    assert np.all(np.diff(np.abs(np.log(expected / 100.0))[1:-1]) <= 1e-9)
    assert expected[-1] == pytest.approx(100.0, rel=0.02)


def test_more_orders_bring_the_level_of_her_logarithms_nearer(params):
    """Where orders vary, their mean is above their level; four hundred equal ones are taken for luck."""
    found = params["Log-normal"]
    history = of_orders([[100.0] * n for n in (1, 4, 40, 400)])

    level, variance = log_normal.level(found, history)

    assert np.all(np.diff(np.abs(level - np.log(100.0))[1:]) < 0)
    assert np.all(np.diff(variance) < 0)
    assert spend.expected_spend(found, history)[-1] == pytest.approx(
        100.0 * found.balance * np.exp(found.within / 2), rel=0.01
    )


@each_name
def test_one_order_does_not_make_a_customer(params, name):
    """Ten times the shop's order once is believed in part."""
    usual = float(spend.expected_spend(params[name], spend.NEWCOMER)[0])
    history = of_orders([[usual, 10.0 * usual]])

    assert usual < spend.expected_spend(params[name], history)[0] < 9.0 * usual


@each_name
def test_newcomer_is_near_the_shop_s_mean(shop, params, name):
    newcomer = float(spend.expected_spend(params[name], spend.NEWCOMER)[0])

    assert newcomer == pytest.approx(spend.mean_spend(shop), rel=0.15)


@each_name
def test_typical_customers_are_expected_to_go_on(params, name):
    """What the table of outcomes is made of: customers whose every order brought what a newcomer's would."""
    days = np.array([1, 2, 5, 20, 1_000], dtype=np.int32)
    usual = float(spend.expected_spend(params[name], spend.NEWCOMER)[0])

    history = spend.typical(params[name], days)

    assert history.order_days.tolist() == days.tolist()
    assert history.value == pytest.approx(usual * days)
    assert history.paid_days.tolist() == (days - 1).tolist()
    assert spend.expected_spend(params[name], history) == pytest.approx(np.full(5, usual), rel=0.35)


@each_name
def test_draws_spread_less_for_those_who_are_known(params, name):
    size = 20_000
    few, many = (of_orders([[50.0] * n]).take(np.zeros(size, dtype=np.intp)) for n in (1, 30))
    orders = np.full(size, 50, dtype=np.int32)

    spread = [
        np.std(np.log(spend.draw_spend(params[name], orders, history, np.random.default_rng(5))))
        for history in (few, many)
    ]

    assert spread[1] < 0.7 * spread[0]


@each_name
def test_draws_of_many_orders_spread_less_an_order(params, name):
    history = of_orders([[50.0] * 200]).take(np.zeros(20_000, dtype=np.intp))

    one, many = (
        np.std(spend.draw_spend(params[name], np.full(20_000, n), history, np.random.default_rng(5))) / n
        for n in (1, 100)
    )

    assert many < 0.35 * one


# Heavy tails: a shop whose biggest buyers are a world of their own


@pytest.fixture(scope="module")
def heavy():
    """Levels with a Pareto tail of index 1.8, whose variance does not exist: history, levels, orders to come."""
    chance = np.random.default_rng(17)
    level = 30.0 * (1.0 - chance.random(20_000)) ** (-1 / 1.8)
    order_days = 1 + chance.poisson(chance.gamma(0.8, 2.0, 20_000)).astype(np.int32)
    values = np.repeat(level, order_days) * np.exp(0.6 * chance.standard_normal(order_days.sum()) - 0.18)
    return of_table(order_days, values), level, chance.poisson(order_days)


@pytest.mark.parametrize("name", ["Credibility", "Log-normal"])
def test_totals_of_a_heavy_tail_are_met(heavy, name):
    history, level, orders = heavy

    expected = spend.expected_spend(spend.fit(name, history).params, history)

    assert np.dot(expected, orders) == pytest.approx(np.dot(level, orders), rel=0.06)


def test_big_buyers_of_a_heavy_tail_are_met_where_logarithms_bend_them(heavy):
    history, level, orders = heavy
    big = (level > np.quantile(level, 0.99)) & (history.order_days > 3)

    def off(name):
        said = spend.expected_spend(spend.fit(name, history).params, history)
        return abs(np.log(np.dot(said[big], orders[big]) / np.dot(level[big], orders[big])))

    assert off("Credibility") < 0.1
    assert off("Log-normal") > 0.2


# The shop's own mean


def test_mean_spend_counts_those_with_orders():
    assert spend.mean_spend(of_orders([[10.0, 20.0], [30.0], []])) == pytest.approx(20.0)


def test_mean_spend_is_that_of_the_averages(shop):
    mean = averages.capped_mean(shop.value / shop.order_days, shop.order_days)

    assert spend.mean_spend(shop) == mean


def test_mean_spend_of_nobody_is_zero():
    assert spend.mean_spend(of_orders([])) == 0.0
