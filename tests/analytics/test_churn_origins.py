"""The churn risk learns from earlier days of the shop, and from nothing that came later."""

from functools import cache

import numpy as np
import pytest

from analytics.clv import backtest, churn, churn_origins, purchase
from tests.analytics.logs import make_log, make_shop

HORIZON = 90


@cache
def shop():
    return make_shop(customers=1500)


@cache
def origins():
    """The origins that have enough customers who bought again."""
    at, _ = backtest.origins(shop(), longest=HORIZON)
    return [each for each in at if backtest.split(shop(), each).bought_again >= backtest.FEWEST_REPEAT]


def no_discounts(day):
    return np.zeros(shop().customers)


def learn(log, discounted=no_discounts):
    return churn_origins.learn(log, model=purchase.MBG_NBD, horizon_days=HORIZON, discounted=discounted)


def test_everyone_of_each_origin_is_learned_from():
    learned = learn(shop())
    customers = [backtest.split(shop(), each).order_days.size for each in origins()]
    assert len(customers) > 1
    assert (learned.calibration.customers, learned.tested_on) == (sum(customers), customers[-1])


def test_what_is_said_comes_near_to_what_happens():
    learned = learn(shop())
    assert learned.brier <= learned.brier_model
    assert all(abs(group.said - group.happened) < 0.12 for group in learned.curve)


def test_nothing_from_after_an_origin_is_read():
    asked = []

    def discounted(day):
        asked.append(day)
        return no_discounts(day)

    learn(shop(), discounted)
    assert asked == [origin.day for origin in origins()]
    assert max(asked) <= shop().end - HORIZON


def test_discounts_reach_the_customer_they_were_given_to():
    shares = np.where(np.arange(shop().customers) % 2, 0.5, 0.0)
    means = learn(shop(), lambda day: shares).calibration.means
    assert means[churn.FEATURES.index("discount")] == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("log", [make_shop(customers=300, days=200), make_log(), make_shop(customers=40)])
def test_too_little_history_keeps_the_models_chance(log):
    learned = churn_origins.learn(
        log, model=purchase.MBG_NBD, horizon_days=HORIZON, discounted=lambda day: np.zeros(log.customers)
    )
    assert learned.calibration.weights == tuple(churn.MODEL)
    assert learned.calibration.reason
