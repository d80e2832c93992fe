"""Credibility: the textbook's formula, its balance, and what makes it hold against single huge orders."""

import numpy as np
import pytest

from analytics.clv import credibility, fitting, log_normal
from analytics.clv.params import CredibilityParams
from tests.analytics.spenders import log_normal_shop, of_orders, of_table

PARAMS = CredibilityParams(
    median=40.0, within=0.4, between=0.3, first=1.0, balance=1.0, mean=60.0, k=2.0, first_money=1.0, evenness=1.0
)


@pytest.fixture(scope="module")
def shop():
    return log_normal_shop(20_000, first=0.8)


def changed(**facts):
    return CredibilityParams(**(PARAMS.as_dict() | facts))


def test_expected_spend_is_buhlmann_and_straub_s():
    expected = credibility.expected_spend(PARAMS, of_orders([[30.0], [30.0, 90.0, 60.0]]))

    assert expected == pytest.approx([(30 + 2 * 60) / 3, (180 + 2 * 60) / 5])


def test_a_first_order_counts_at_the_size_of_a_later_one():
    expected = credibility.expected_spend(changed(first_money=0.5), of_orders([[30.0, 90.0]]))

    assert expected == pytest.approx([(60 + 90 + 2 * 60) / 4])


@pytest.mark.parametrize(("p", "q"), [(2.0, 4.0), (1.0, 5.0), (3.0, 2.5)])
def test_k_is_that_of_a_shop_where_credibility_is_exact(p, q):
    """Gamma orders around levels whose inverse is gamma: the mean given n orders is linear, with k = (q - 1) / p."""
    chance = np.random.default_rng(7)
    level = 40.0 / chance.gamma(q, 1.0, 40_000)
    orders = np.full(level.size, 5, dtype=np.int32)

    found = credibility.fit(of_table(orders, np.repeat(level, 5) * chance.gamma(p, 1.0, 5 * level.size)))

    assert found.k == pytest.approx((q - 1) / p, rel=0.15)


def test_first_orders_are_found_to_be_smaller(shop):
    assert credibility.fit(shop[0]).first_money == pytest.approx(0.8, rel=0.03)


def test_repeat_orders_are_expected_to_bring_what_they_brought(shop):
    history, _ = shop

    expected = credibility.expected_spend(credibility.fit(history), history)

    assert np.dot(expected, history.order_days - 1) == pytest.approx(np.sum(history.repeat_value), rel=0.001)


def test_expected_spend_predicts_the_next_order(shop):
    history, truth = shop
    expected = credibility.expected_spend(credibility.fit(history), history)

    for rows in (history.order_days == 1, history.order_days == 2, history.order_days > 4):
        assert np.mean(expected[rows]) == pytest.approx(np.mean(truth[rows]), rel=0.05)
    assert np.mean((expected - truth) ** 2) < 0.5 * np.var(truth)


def test_big_regular_buyers_keep_their_own_mean():
    """Where a few buy for a thousand at a time, logarithms bend them down and credibility does not."""
    chance = np.random.default_rng(11)
    order_days = np.append(1 + chance.integers(0, 4, 3_000), np.full(30, 40)).astype(np.int32)
    level = np.append(40.0 * np.exp(0.5 * chance.standard_normal(3_000)), np.full(30, 1_000.0))
    values = np.repeat(level, order_days) * chance.gamma(0.6, 1 / 0.6, order_days.sum())
    history = of_table(order_days, values)

    straight = credibility.expected_spend(credibility.fit(history), history)[-30:]
    bent = log_normal.expected_spend(log_normal.fit(history), history)[-30:]

    assert np.mean(straight) == pytest.approx(1_000, rel=0.1)
    assert abs(np.mean(straight) - 1_000) < abs(np.mean(bent) - 1_000)


def test_draws_have_the_expected_mean():
    history = of_orders([[30.0, 60.0, 20.0]] * 100_000)

    drawn = credibility.draw_spend(PARAMS, np.full(100_000, 5), history, np.random.default_rng(1))

    assert drawn.mean() == pytest.approx(5 * credibility.expected_spend(PARAMS, history)[0], rel=0.01)
    assert np.all(drawn > 0)


# What money can be


def test_one_order_of_ten_million_makes_nobody_else_rich():
    customers = [[level, 0.7 * level, 1.4 * level] for level in np.linspace(10.0, 90.0, 1_000)]
    plain, rich = of_orders(customers), of_orders([*customers, [30.0, 1e7, 40.0]])

    before = credibility.expected_spend(credibility.fit(plain), plain)
    after = credibility.expected_spend(credibility.fit(rich), rich)

    assert np.sum(rich.value) > 60 * np.sum(plain.value)
    assert after[:1000] == pytest.approx(before, rel=0.4)
    assert 1_000 < after[1000] < 1e5


def test_without_the_cap_it_would_change_everybody(monkeypatch):
    """The control: the textbook's linear mean lets the whole shop share the one order."""
    monkeypatch.setattr(log_normal, "CAP", 1e9)
    customers = [[level, 0.7 * level, 1.4 * level] for level in np.linspace(10.0, 90.0, 1_000)]
    rich = of_orders([*customers, [30.0, 1e7, 40.0]])

    expected = credibility.expected_spend(credibility.fit(rich), rich)

    assert np.median(expected) > 500


def test_equal_orders_bring_the_same_again():
    history = of_orders([[20.0] * n for n in (1, 2, 3, 5, 9)] * 20)

    assert credibility.expected_spend(credibility.fit(history), history) == pytest.approx(np.full(100, 20.0))


def test_money_taken_back_counts_as_none():
    history = of_orders([[30.0, 25.0, 35.0]] * 50 + [[30.0, -80.0], [-5.0], [0.0, 0.0], []])

    expected = credibility.expected_spend(credibility.fit(history), history)

    assert np.all(np.isfinite(expected) & (expected >= 0))
    assert expected[52] < expected[0]


def test_orders_of_nothing_count_as_orders():
    """Half of the order days are free samples: an order day to come brings half, too."""
    history = of_orders([[40.0, 0.0, 50.0, 0.0, 60.0, 0.0, 45.0, 0.0, 40.0]] * 100)

    expected = credibility.expected_spend(credibility.fit(history), history)

    assert expected[0] == pytest.approx(195 / 8, rel=0.01)


def test_yen_have_no_decimals():
    euro, _ = log_normal_shop(2_000)
    yen = of_orders([[5_000.0, 3_000.0 + k, 8_000.0] for k in range(100)])

    for history in (euro, yen):
        expected = credibility.expected_spend(credibility.fit(history), history)
        assert np.dot(expected, history.order_days - 1) == pytest.approx(np.sum(history.repeat_value), rel=0.001)


def test_no_repeat_order_with_money_does_not_converge():
    with pytest.raises(fitting.DidNotConverge, match="nobody has a repeat order"):
        credibility.fit(of_orders([[10.0], [20.0]]))
