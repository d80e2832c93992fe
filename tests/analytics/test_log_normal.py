"""The log-normal hierarchy: known truth found again, the printed formulas, and nothing that money can be breaks it."""

import numpy as np
import pytest
from scipy import stats

from analytics.clv import fitting, log_normal
from analytics.clv.params import LogNormalParams
from tests.analytics.spenders import log_normal_shop, of_orders

PARAMS = LogNormalParams(median=40.0, within=0.4, between=0.3, first=1.0, balance=1.0)


def seen(history):
    return log_normal.levels(history, log_normal.first_value(history), 1.0)


@pytest.fixture(scope="module")
def shop():
    return log_normal_shop(20_000, first=0.8)


def test_true_parameters_are_found_again(shop):
    found = log_normal.fit(shop[0])

    assert found.median == pytest.approx(40.0, rel=0.02)
    assert found.within == pytest.approx(0.4, rel=0.02)
    assert found.between == pytest.approx(0.3, rel=0.05)
    assert found.first == pytest.approx(0.8, rel=0.02)
    assert found.balance == pytest.approx(1.0, abs=0.02)


def test_likelihood_is_that_of_correlated_normal_logarithms():
    orders = [[10.0, 30.0, 20.0], [50.0], [44.0, 12.0], [9.0, 8.0, 70.0, 31.0]]
    groups = log_normal._groups(seen(of_orders(orders)))
    middle = log_normal._middle(groups, 0.4, 0.3)

    density = 0.0
    for values in orders:
        n = len(values)
        covariance = 0.4 * np.eye(n) + 0.3 * np.ones((n, n))
        density += float(stats.multivariate_normal(np.full(n, middle), covariance).logpdf(np.log(values)))

    constant = -0.5 * 10 * np.log(2 * np.pi)
    level, _ = log_normal._mean_log_likelihood(groups, 0.4, 0.3)
    assert level * 4 + constant == pytest.approx(density, rel=1e-12)


@pytest.mark.parametrize("values", [(0.4, 0.3), (0.05, 2.0), (3.0, 0.01)])
def test_gradient_is_that_of_the_likelihood(shop, values):
    groups = log_normal._groups(seen(shop[0]))

    _, slope = log_normal._mean_log_likelihood(groups, *values)

    for place in range(2):
        step = 1e-6 * values[place]
        above, below = ([v + sign * step * (k == place) for k, v in enumerate(values)] for sign in (1, -1))
        rise = log_normal._mean_log_likelihood(groups, *above)[0] - log_normal._mean_log_likelihood(groups, *below)[0]
        assert slope[place] == pytest.approx(rise / (2 * step), rel=1e-5, abs=1e-8)


def test_level_is_the_best_linear_prediction():
    mean, variance = log_normal.level(PARAMS, of_orders([[np.exp(3.0), np.exp(4.0), np.exp(5.0)]]))

    weight = 3 * 0.3 / (3 * 0.3 + 0.4)
    assert mean == pytest.approx([weight * 4.0 + (1 - weight) * np.log(40.0)])
    assert variance == pytest.approx([(1 - weight) * 0.3])


def test_expected_spend_predicts_the_next_order(shop):
    """What is expected of those with few orders and of those with many is what their levels bring."""
    history, truth = shop
    expected = log_normal.expected_spend(log_normal.fit(history), history)

    for rows in (history.order_days == 1, history.order_days == 2, history.order_days > 4):
        assert np.mean(expected[rows]) == pytest.approx(np.mean(truth[rows]), rel=0.03)
    assert np.mean((expected - truth) ** 2) < 0.5 * np.var(truth)


def test_small_first_orders_are_taken_for_what_they_are():
    """With the correction someone whose only order was small, as all first ones are, is not poor."""
    history, truth = log_normal_shop(20_000, first=0.5)
    found = log_normal.fit(history)
    once = history.order_days == 1

    expected = log_normal.expected_spend(found, history)[once]
    uncorrected = log_normal.expected_spend(LogNormalParams(**(found.as_dict() | {"first": 1.0})), history)[once]

    assert np.mean(expected) == pytest.approx(np.mean(truth[once]), rel=0.03)
    assert np.mean(uncorrected) < 0.85 * np.mean(truth[once])


def test_one_order_informs():
    rich, poor = log_normal.expected_spend(PARAMS, of_orders([[400.0], [4.0]]))

    assert rich > 3 * poor


def test_balance_makes_up_for_a_shape_that_is_not_log_normal():
    """Orders with a long tail to the left, as in a supermarket: a log-normal expects a tenth too much."""
    chance = np.random.default_rng(5)
    customers = [list(40.0 * chance.beta(0.6, 1.2, 6) + 0.01) for _ in range(2_000)]
    history = of_orders(customers)

    found = log_normal.fit(history)
    expected = np.dot(log_normal.expected_spend(found, history), history.order_days - 1)

    assert found.balance < 0.9
    assert expected == pytest.approx(np.sum(history.repeat_value), rel=1e-9)


@pytest.mark.parametrize("unit", [1e-2, 1e3, 1e7])
def test_unit_of_money_changes_the_median_only(shop, unit):
    history, _ = log_normal_shop(2_000)
    plain = log_normal.fit(history)
    scaled = log_normal.fit(of_orders_times(history, unit))

    assert scaled.median / unit == pytest.approx(plain.median, rel=1e-6)
    assert (scaled.within, scaled.between, scaled.balance) == pytest.approx(
        (plain.within, plain.between, plain.balance), rel=1e-4
    )


def of_orders_times(history, unit):
    """The same orders in another unit of money."""
    step, n = np.log(unit), history.paid_days
    return type(history)(
        history.order_days,
        history.first_age,
        history.last_age,
        history.value * unit,
        history.repeat_value * unit,
        history.margin * unit,
        paid_days=n,
        log_value=history.log_value + n * step,
        log_value_sq=history.log_value_sq + 2 * step * history.log_value + n * step**2,
    )


def test_draws_have_the_mean_and_the_variance_of_the_model():
    history = of_orders([[30.0, 60.0, 20.0]] * 100_000)
    orders = np.full(100_000, 3, dtype=np.int32)

    drawn = log_normal.draw_spend(PARAMS, orders, history, np.random.default_rng(1))

    mean = 3 * log_normal.expected_spend(PARAMS, history)[0]
    _, level = log_normal.level(PARAMS, history)
    spread = np.exp(level[0]) * (1 + np.expm1(0.4) / 3) - 1
    assert drawn.mean() == pytest.approx(mean, rel=0.01)
    assert drawn.var() == pytest.approx(mean**2 * spread, rel=0.05)


def test_draws_are_close_to_sums_of_single_orders():
    """Fenton's sum of log-normals, at the quantiles that an interval uses."""
    chance = np.random.default_rng(2)
    single = np.exp(np.sqrt(0.4) * chance.standard_normal((100_000, 4)) - 0.2).sum(axis=1)

    drawn = log_normal.totals(np.ones(100_000), np.zeros(100_000), 0.4, np.full(100_000, 4), chance)

    assert np.quantile(drawn, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(single, [0.1, 0.5, 0.9]), rel=0.03)


def test_no_order_brings_nothing():
    drawn = log_normal.totals(np.ones(3), np.full(3, 0.2), 0.4, np.array([0, 1, 0]), np.random.default_rng(1))

    assert drawn[0] == drawn[2] == 0
    assert drawn[1] > 0


# What money can be


def test_one_order_of_ten_million_makes_nobody_else_rich():
    customers = [[level, 0.7 * level, 1.4 * level] for level in np.linspace(10.0, 90.0, 1_000)]
    plain = of_orders(customers)
    rich = of_orders([*customers, [30.0, 1e7, 40.0]])

    before = log_normal.expected_spend(log_normal.fit(plain), plain)
    after = log_normal.expected_spend(log_normal.fit(rich), rich)

    assert np.sum(rich.value) > 60 * np.sum(plain.value)
    assert np.sum(after[:1000]) == pytest.approx(np.sum(before), rel=0.25)
    assert 100 < after[1000] < 1e7


def test_equal_orders_bring_the_same_again():
    history = of_orders([[20.0] * n for n in (1, 2, 3, 5, 9)] * 20)

    assert log_normal.expected_spend(log_normal.fit(history), history) == pytest.approx(np.full(100, 20.0))


def test_customers_who_differ_and_never_vary_keep_their_own():
    history = of_orders([[value] * 3 for value in (10.0, 20.0, 40.0, 80.0)] * 20)

    expected = log_normal.expected_spend(log_normal.fit(history), history)

    assert expected[:4] == pytest.approx([10.0, 20.0, 40.0, 80.0], rel=1e-3)


def test_one_customer():
    history = of_orders([[10.0, 40.0, 20.0]])

    expected = log_normal.expected_spend(log_normal.fit(history), history)

    assert 10 < expected[0] < 60


def test_money_taken_back_counts_as_none():
    history = of_orders([[30.0, 25.0, 35.0]] * 50 + [[30.0, -80.0], [-5.0], [0.0, 0.0], []])

    expected = log_normal.expected_spend(log_normal.fit(history), history)

    assert np.all(np.isfinite(expected) & (expected >= 0))


def test_rounding_of_a_difference_is_no_order():
    """33.300000000000004 - 33.3: a first order of nothing, not one of 4e-15."""
    history = of_orders([[0.0, 11.1, 22.2]])
    dusty = type(history)(
        history.order_days,
        history.first_age,
        history.last_age,
        history.value + 4e-15,
        history.repeat_value,
        history.margin,
    )

    assert log_normal.first_value(dusty) == 0


# What it refuses


@pytest.mark.parametrize("orders", [[[10.0], [20.0]], [[10.0, 0.0], [20.0, -3.0]], [[]]])
def test_no_repeat_order_with_money_does_not_converge(orders):
    with pytest.raises(fitting.DidNotConverge, match="nobody has a repeat order"):
        log_normal.fit(of_orders(orders))


def test_nobody_with_two_paid_orders_does_not_converge():
    with pytest.raises(fitting.DidNotConverge, match="two orders with money"):
        log_normal.fit(of_orders([[0.0, 20.0], [0.0, 30.0]]))
