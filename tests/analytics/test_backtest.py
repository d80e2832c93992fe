"""Rolling origins: where they lie, what is known there, how models are judged."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import backtest, fitting, measures, purchase, spend
from analytics.clv.backtest import Origin, OriginScores
from tests.analytics.logs import make_log, make_order, make_refund, make_shop


def a_log_of(days):
    return make_log(make_order(0, 0), make_order(0, days - 1))


# Where they lie


def test_origins_leave_as_long_a_history_as_a_horizon():
    found, reason = backtest.origins(a_log_of(365))

    assert reason == ""
    assert [origin.horizon_days for origin in found] == [121] * 5
    assert (found[0].day + 1, found[-1].day + 121) == (121, 364)


def test_origins_lie_evenly_and_rise():
    days = [origin.day for origin in backtest.origins(a_log_of(1000))[0]]

    assert days == sorted(days)
    assert np.ptp(np.diff(days)) <= 1


@pytest.mark.parametrize(("days", "horizon"), [(84, 28), (365, 121), (1095, 365), (4000, 365)])
def test_a_horizon_is_a_third_of_the_history_and_a_year_at_most(days, horizon):
    assert {origin.horizon_days for origin in backtest.origins(a_log_of(days))[0]} == {horizon}


def test_a_shorter_horizon_can_be_asked_for():
    found, _ = backtest.origins(a_log_of(1095), longest=90)

    assert {origin.horizon_days for origin in found} == {90}
    assert (found[0].day, found[-1].day) == (89, 1094 - 90)


def test_a_short_history_has_none_and_says_so():
    assert backtest.origins(a_log_of(83)) == ([], "Days of history: 83; looking back takes 84.")


def test_an_empty_log_has_none():
    found, reason = backtest.origins(make_log())

    assert found == []
    assert reason.startswith("Days of history: 0")


def test_every_origin_ends_within_the_log():
    for days in (84, 100, 250, 500, 2000):
        log = a_log_of(days)
        assert all(origin.day + origin.horizon_days <= log.end for origin in backtest.origins(log)[0])


# What is known there


def test_a_split_holds_who_had_an_order_day_by_then_and_what_she_did_after():
    log = make_log(
        make_order(0, 1), make_order(0, 9), make_order(0, 12), make_order(1, 11), make_order(2, 3),
        make_refund(2, 3, seen=5), make_order(3, 2),
    )  # fmt: skip
    found = backtest.split(log, Origin(10, 10))

    assert found.history.order_days.tolist() == [2, 1]
    assert (found.order_days.tolist(), found.value.tolist()) == ([1, 0], [10.0, 0.0])
    assert found.bought_again == 1


def test_a_refund_of_later_is_not_known_at_the_origin():
    log = make_log(make_order(0, 1), make_order(0, 5), make_refund(0, 5, seen=15), make_order(0, 30))

    assert backtest.split(log, Origin(10, 20)).history.order_days.tolist() == [2]


def test_what_is_said_at_an_origin_does_not_change_with_what_comes_later():
    log = make_shop(customers=2500, days=500)
    at = Origin(log.start + 250, 100)
    whole, cut = (backtest.score(backtest.split(one, at), one.until(at.day)) for one in (log, log.until(at.day + 100)))

    assert whole == cut


def test_a_sample_is_spread_evenly():
    log = make_log(*(make_order(customer, 0) for customer in range(10)), end=30)

    assert backtest.split(log, Origin(5, 10), most=4).history.order_days.size == 4
    assert backtest.split(log, Origin(5, 10), most=10).history.order_days.size == 10
    assert backtest.split(make_log(end=30), Origin(5, 10), most=4).history.order_days.size == 0


# How models are judged


@pytest.fixture(scope="module")
def shop_log():
    return make_shop(customers=4000, days=600)


@pytest.fixture(scope="module")
def scores(shop_log):
    found, notes = backtest.run(shop_log, backtest.origins(shop_log)[0])
    assert notes == []
    return found


def test_every_model_is_judged_at_every_origin(scores):
    assert len(scores) == 5
    for one in scores:
        assert set(one.purchase) | set(one.problems) >= set(purchase.MODELS)
        assert set(one.money) | set(one.problems) >= set(spend.MODELS)


def test_the_truth_is_predicted_well(scores):
    for one in scores:
        found = one.purchase[purchase.MBG_NBD]
        assert abs(measures.level(found.predicted, one.orders)) < 0.2
        assert found.mae < one.naive.mae
        assert 0 < found.brier < 0.25
        assert found.gini > 0.3


def test_figures_are_those_of_the_customers(shop_log, scores):
    one = scores[2]
    found = backtest.split(shop_log, Origin(one.day, one.horizon_days))

    assert (one.customers, one.orders) == (found.order_days.size, found.order_days.sum())
    assert one.spend == pytest.approx(found.value.sum())
    groups = one.purchase[purchase.MBG_NBD].groups
    assert sum(group.customers * group.predicted for group in groups) == pytest.approx(
        one.purchase[purchase.MBG_NBD].predicted
    )
    assert sum(group.customers * group.actual for group in groups) == pytest.approx(one.orders)


def test_expected_order_days_times_expected_spend_are_the_total(shop_log, scores):
    one = scores[0]
    found = backtest.split(shop_log, Origin(one.day, one.horizon_days))
    params = purchase.MODELS[purchase.MBG_NBD].fit(backtest.columns(found.history)).params
    x, t_x, T = backtest.columns(found.history).times()
    orders = purchase.model_of(params).expected_purchases(params, one.horizon_days / 7, x, t_x, T)
    each = spend.expected_spend(spend.fit(spend.SHRUNKEN_MEAN, found.history).params, found.history)
    money = one.money[spend.SHRUNKEN_MEAN]

    assert money.totals[purchase.MBG_NBD] == pytest.approx(np.sum(orders * each))
    assert money.predicted == pytest.approx(np.sum(found.order_days * each))


def test_json_and_back(scores):
    for one in scores:
        assert OriginScores.from_dict(json.loads(json.dumps(one.as_dict(), allow_nan=False))) == one


# What the money of an order day was off by


@pytest.mark.parametrize(("days", "horizon", "count"), [(90, 28, 2), (300, 50, 4), (600, 91, 4), (2000, 91, 6)])
def test_recent_origins_follow_one_upon_the_other(days, horizon, count):
    log = a_log_of(days)
    found = backtest.recent(log)

    assert [origin.horizon_days for origin in found] == [horizon] * count
    assert found[-1].day + horizon == log.end
    assert all(np.diff([origin.day for origin in found]) == horizon)
    assert found[0].day >= log.start + days // 3 - 1


def test_a_history_of_a_month_has_no_recent_origins():
    assert backtest.recent(a_log_of(40)) == []
    assert backtest.recent(make_log()) == []


def test_money_that_doubles_is_off_by_ln_2(shop_log):
    at = backtest.recent(shop_log)[-1]
    doubled = np.where(shop_log.order_day > at.day, 2.0 * shop_log.value, shop_log.value)
    plain, dear = (
        backtest.money_off(log, purchase.MBG_NBD, spend.SHRUNKEN_MEAN)
        for log in (shop_log, replace(shop_log, value=doubled))
    )

    assert dear[-1].off - plain[-1].off == pytest.approx(np.log(2))
    assert [one.off for one in dear[:-1]] == [one.off for one in plain[:-1]]
    assert plain[-1].known_on == shop_log.end


def test_the_noise_of_the_money_is_that_of_drawing_other_customers(shop_log):
    """The standard error by the delta method against the bootstrap."""
    found = backtest.split(shop_log, backtest.recent(shop_log)[-1])
    rng = np.random.default_rng(5)
    orders = rng.gamma(2.0, 0.2, found.order_days.size)
    money = orders * rng.gamma(3.0, 20.0, orders.size)
    drawn = [rng.integers(0, orders.size, orders.size) for _ in range(400)]
    offs = [
        np.log(found.value[rows].sum() / money[rows].sum()) - np.log(found.order_days[rows].sum() / orders[rows].sum())
        for rows in drawn
    ]

    assert backtest._money_off(found, orders, money)[1] == pytest.approx(np.std(offs), rel=0.15)


def test_without_money_nothing_is_off(shop_log):
    free = replace(shop_log, value=0.0 * shop_log.value)

    assert backtest.money_off(free, purchase.MBG_NBD, spend.SHRUNKEN_MEAN) == []


def test_naive_goes_on_at_the_pace_so_far():
    log = make_log(make_order(0, 0), make_order(0, 10), make_order(0, 20), make_order(1, 40))
    history, _ = log.history(40)

    assert backtest.naive(history, 80).tolist() == [4.0, 0.0]


# Too little to judge by


def test_an_origin_with_few_repeat_customers_is_left_out_and_named():
    log = make_shop(customers=300, days=600)
    found, notes = backtest.run(log, backtest.origins(log)[0])

    assert found == []
    assert len(notes) == 5
    assert "customers who had bought again: " in notes[0]


def test_an_origin_after_which_nobody_ordered_is_left_out_and_named():
    log = make_shop(customers=4000, days=300)
    found, notes = backtest.run(log.until(log.start + 200), [Origin(log.start + 200, 60)])

    assert found == []
    assert notes[0].endswith(": order days that followed: 0; looking back takes 50.")


def test_a_model_that_cannot_be_fitted_is_named(shop_log, monkeypatch):
    def refuse(columns):
        raise fitting.DidNotConverge("it has no maximum")

    broken = {name: _with(model, refuse) if name == purchase.PARETO_NBD else model for name, model in MODELS.items()}
    monkeypatch.setattr(purchase, "MODELS", broken)
    at = backtest.origins(shop_log)[0][:1]
    (one,), _ = backtest.run(shop_log, at)

    assert purchase.PARETO_NBD not in one.purchase
    assert one.problems[purchase.PARETO_NBD] == "it has no maximum"


def test_an_origin_where_the_usual_model_fails_is_left_out(shop_log, monkeypatch):
    def refuse(columns):
        raise fitting.DidNotConverge("it has no maximum")

    broken = {name: _with(model, refuse) if name == purchase.MBG_NBD else model for name, model in MODELS.items()}
    monkeypatch.setattr(purchase, "MODELS", broken)
    found, notes = backtest.run(shop_log, backtest.origins(shop_log)[0][:1])

    assert found == []
    assert notes[0].endswith(": it has no maximum")


MODELS = purchase.MODELS


def _with(model, fit):
    fields = {name: getattr(model, name) for name in model.__slots__}
    return purchase.PurchaseModel(**fields | {"fit": fit})


def test_dates():
    assert (backtest.date_of(0), backtest.date_of(-1)) == ("1970-01-01", "1969-12-31")
