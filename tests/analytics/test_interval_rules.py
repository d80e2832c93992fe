"""The rule of the ends by hand, and how they move with what is known: no surprises for whoever reads them."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import intervals, outcomes, purchase, spend
from analytics.clv.params import (
    BgNbdParams,
    CredibilityParams,
    GammaGammaParams,
    LogNormalParams,
    MbgCnbdKParams,
    MbgNbdParams,
    ParetoNbdParams,
)
from analytics.clv.spend import ShrunkenMeanParams, SpendFit

MBG = MbgNbdParams(r=0.8, alpha=9.0, a=0.8, b=2.4)
LOGS = LogNormalParams(median=40.0, within=0.4, between=0.3, first=1.0, balance=1.0)
WIDTHS = intervals.Widths(
    days=365.0,
    params=(MBG,),
    spent=SpendFit("Log-normal", LOGS, 1),
    order_level=0.8,
    value_level=0.8,
    order_spread=2.0,
    value_spread=4.0,
    parameters=0.02,
    order_error=0.15,
    value_error=0.2,
    order_freedom=2.0,
    value_freedom=2.0,
)


def customer(*, x=4, T=300, alive=0.9, orders=3.0, value=120.0):
    return intervals.Expected(*(np.array([fact]) for fact in (x, T, alive, orders, value)))


def order_ends(widths=WIDTHS, **facts):
    low, high = intervals.order_ends(widths, customer(**facts))
    return float(low[0]), float(high[0])


def value_ends(widths=WIDTHS, **facts):
    low, high = intervals.value_ends(widths, customer(**facts))
    return float(low[0]), float(high[0])


# By hand: a table that says that everyone who orders at all orders 1 to 10 times, each as likely


@pytest.fixture
def one_to_ten(monkeypatch):
    """P(no order) is set by hand, and the quantiles of the others are 1, 2, …, 10."""

    def by_hand(none):
        def rows(table, alive, x, T):
            return outcomes.Rows(np.full(alive.size, none), *(np.zeros(alive.size) for _ in range(3)))

        def quantile(table, found, chance):
            share = (np.broadcast_to(chance, found.none.shape) - found.none) / (1.0 - found.none)
            return np.where(share > 0, np.ceil(10.0 * share - 1e-9), 0.0)

        monkeypatch.setattr(outcomes, "rows", rows)
        monkeypatch.setattr(outcomes, "order_quantile", quantile)

    return by_hand


@pytest.mark.parametrize(
    ("none", "ends"),
    [
        (0.0, (1, 9)),  # a tenth left out below, a tenth above
        (0.05, (1, 9)),  # 5 % none is less than a tenth: 0.1 is the first of the others, 0.9 the ninth
        (0.1, (0, 8)),  # none is as likely as a tenth: the interval starts there and needs 0.8
        (0.5, (0, 6)),
        (0.79, (0, 1)),
        (0.8, (0, 0)),
        (0.95, (0, 0)),
    ],
)
def test_ends_by_hand(one_to_ten, none, ends):
    one_to_ten(none)

    assert order_ends(orders=0.0 if ends[1] == 0 else 1.0) == ends


@pytest.mark.parametrize("none", [0.0, 0.05, 0.1, 0.3, 0.5, 0.79, 0.8, 0.95])
@pytest.mark.parametrize("level", [0.65, 0.8, 0.9])
def test_each_interval_holds_at_least_its_level(one_to_ten, none, level):
    one_to_ten(none)

    low, high = order_ends(replace(WIDTHS, order_level=level), orders=1.0 if none < level else 0.0)

    counts = np.arange(11)
    chances = np.append(none, np.full(10, (1 - none) / 10))
    assert np.sum(chances[(low <= counts) & (counts <= high)]) >= level - 1e-9


# As more is known


def test_a_higher_level_is_wider():
    found = [
        order_ends(replace(WIDTHS, order_level=level), x=20, alive=1.0, orders=12.0)
        for level in (0.65, 0.75, 0.85, 0.95)
    ]

    assert [low for low, _ in found] == sorted((low for low, _ in found), reverse=True)
    assert [high for _, high in found] == sorted(high for _, high in found)


def test_who_is_likelier_there_gets_a_higher_upper_end():
    found = [order_ends(alive=alive, orders=0.0)[1] for alive in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]

    assert found[0] == 0
    assert found == sorted(found)
    assert found[-1] > 5


def test_a_faster_buyer_gets_a_higher_interval():
    found = [order_ends(x=x, alive=1.0, orders=0.4 * x) for x in (1, 4, 12, 40, 120)]

    assert [low for low, _ in found] == sorted(low for low, _ in found)
    assert [high for _, high in found] == sorted(high for _, high in found)


def test_a_longer_horizon_gets_a_higher_interval():
    found = [order_ends(replace(WIDTHS, days=days), orders=0.0)[1] for days in (0.0, 30.0, 90.0, 365.0, 1095.0)]

    assert found[0] == 0
    assert found == sorted(found)


def test_money_per_order_stretches_the_value():
    low, high = value_ends(alive=1.0, x=20, orders=10.0, value=400.0)

    twice = value_ends(alive=1.0, x=20, orders=10.0, value=800.0)

    assert twice == pytest.approx((2 * low, 2 * high))


def test_value_spreads_wider_than_orders():
    """Each order's money varies as well."""
    orders, value = order_ends(alive=1.0, x=20, orders=10.0), value_ends(alive=1.0, x=20, orders=10.0, value=10.0)

    assert value[0] < orders[0]
    assert value[1] > orders[1]


def test_expected_orders_beyond_the_ends_are_inside():
    assert order_ends(alive=0.02, orders=0.7)[1] == 0.7
    assert order_ends(alive=1.0, x=60, orders=0.5)[0] == 0.5


def test_no_value_is_no_interval():
    assert value_ends(orders=3.0, value=0.0) == (0.0, 0.0)
    assert value_ends(orders=0.0, value=0.0, alive=0.0) == (0.0, 0.0)


# Every pair of models has a table

PURCHASES = [
    MBG,
    BgNbdParams(r=0.25, alpha=4.4, a=0.8, b=2.4),
    ParetoNbdParams(r=0.55, alpha=10.6, s=0.6, beta=11.7),
    MbgCnbdKParams(k=2, r=0.5, alpha=5.0, a=0.9, b=1.6),
]
SPENDS = [
    LOGS,
    CredibilityParams(**LOGS.as_dict(), mean=50.0, k=1.5, first_money=1.0, evenness=1.0),
    GammaGammaParams(p=6.25, q=3.74, gamma=15.44),
    ShrunkenMeanParams(40.0),
]


def test_every_model_is_tried():
    assert {type(params) for params in PURCHASES} == {model.params for model in purchase.MODELS.values()}
    assert {type(params) for params in SPENDS} == {model.kind for model in spend.MODELS.values()}


@pytest.mark.parametrize("params", PURCHASES, ids=lambda params: type(params).__name__)
@pytest.mark.parametrize("spent", SPENDS, ids=lambda spent: type(spent).__name__)
def test_every_pair_of_models_has_sensible_ends(params, spent):
    name = next(name for name, model in spend.MODELS.items() if model.kind is type(spent))
    widths = replace(WIDTHS, params=(params,), spent=SpendFit(name, spent, 1))
    facts = {"x": 12, "T": 365, "alive": 0.97}
    orders = 0.97 * float(purchase.model_of(params).expected_purchases_alive(params, 365 / 7, 12.0, 365 / 7))

    low, high = order_ends(widths, orders=orders, **facts)
    money = value_ends(widths, orders=orders, value=40.0 * orders, **facts)

    assert 0 <= low < orders < high < 3 * orders
    assert 0 <= money[0] < 40 * orders < money[1] < 4 * 40 * orders


def test_mean_of_the_table_is_the_expected_number():
    """Σ over the quantiles of orders of a living customer, against the model's own expectation."""
    table = outcomes.table((MBG,), LOGS, 365.0)
    row = outcomes.rows(table, np.ones(1), np.array([13], dtype=np.int32), np.array([365], dtype=np.int32))
    chances = (np.arange(2_000) + 0.5) / 2_000

    orders = np.mean([outcomes.order_quantile(table, row, chance)[0] for chance in chances])
    money = np.mean([outcomes.money_quantile(table, row, chance)[0] for chance in chances])

    expected = float(purchase.MODELS["MBG/NBD"].expected_purchases_alive(MBG, 365 / 7, 13.0, 365 / 7))
    assert orders == pytest.approx(expected, rel=0.05)
    assert money == pytest.approx(expected, rel=0.06)


# Totals by hand


def test_total_by_hand():
    """1.2816 standard deviations of chance, 1.8856 of a level known from two usual origins, added by squares."""
    reach = np.sqrt(1.2816**2 * (np.log1p(2.0 / 400) + 0.02**2) + 1.8856**2 * 0.15**2)

    low, high = intervals.total_orders(WIDTHS, 400.0)

    assert (low, high) == pytest.approx((400 * np.exp(-reach), 400 * np.exp(reach)), rel=1e-4)


def test_error_of_the_level_by_hand():
    past = intervals.Past(orders=(np.exp(0.1), np.exp(-0.3)), value=(1.0,))

    found = intervals.corrected(WIDTHS, past)

    assert found.order_error == pytest.approx(np.sqrt((2 * 0.12**2 + 0.1**2 + 0.3**2) / 4))
    assert found.value_error == pytest.approx(np.sqrt(2 * 0.2**2 / 3))
    assert (found.order_freedom, found.value_freedom) == (4.0, 3.0)


def test_origins_that_overlap_count_as_the_horizons_that_they_cover():
    """Three origins that cover one horizon and a half: their mean square counts one and a half times."""
    past = intervals.Past(orders=tuple(np.exp([0.1, 0.2, -0.3])), independent=1.5)

    found = intervals.corrected(WIDTHS, past)

    assert found.order_error == pytest.approx(np.sqrt((2 * 0.12**2 + 0.5 * (0.01 + 0.04 + 0.09)) / 3.5))
    assert (found.order_freedom, found.value_freedom) == (3.5, 2.0)
    assert found.value_error == 0.2


def test_levels_of_earlier_origins_count_as_much_as_the_model_s():
    found = intervals.corrected(WIDTHS, intervals.Past(order_levels=(0.7, 0.9), value_levels=(0.95,)))

    assert found.order_level == pytest.approx(0.8)
    assert found.value_level == pytest.approx((0.8 + 0.95) / 2)


def test_more_orders_average_chance_out():
    """Relative to the total; the level's error stays."""
    relative = [
        high / orders for orders in (5.0, 50.0, 5_000.0, 5e6) for _, high in [intervals.total_orders(WIDTHS, orders)]
    ]

    assert relative == sorted(relative, reverse=True)
    assert relative[-1] == pytest.approx(np.exp(np.hypot(1.8856 * 0.15, 1.2816 * 0.02)), rel=1e-3)


def test_value_of_the_same_orders_is_less_certain():
    orders, value = intervals.total_orders(WIDTHS, 500.0), intervals.total_value(WIDTHS, 500.0, 500.0)

    assert value[0] < orders[0] < orders[1] < value[1]
