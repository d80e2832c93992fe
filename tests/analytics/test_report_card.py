"""The report card: what a night on a past day would have said, and nothing that it could not have known."""

import json

import numpy as np
import pytest

from analytics.clv import backtest, choice, intervals, purchase, report_card, shop, spend
from analytics.clv.backtest import Origin
from analytics.clv.choice import Choice
from analytics.clv.levels import Level
from tests.analytics.logs import make_log, make_order, make_shop
from tests.analytics.test_choice import origins


@pytest.fixture(scope="module")
def log():
    return make_shop(customers=4000, days=700)


@pytest.fixture(scope="module")
def origin(log):
    return Origin(log.start + 500, 199)


@pytest.fixture(scope="module")
def card(log, origin):
    return report_card.card(log, origin)


def test_it_works(card, log, origin):
    found = backtest.split(log, origin)

    assert (card.origin, card.horizon_days, card.customers) == (
        backtest.date_of(origin.day),
        199,
        found.order_days.size,
    )
    assert card.orders.actual == found.order_days.sum()
    assert card.spend.actual == pytest.approx(found.value.sum())
    assert card.model in choice.COMPETING
    assert card.mae < card.naive_mae
    assert 0.7 < card.coverage_80 < 0.95


def test_totals_are_close_and_within_their_intervals(card):
    for total in (card.orders, card.spend):
        assert total.predicted == pytest.approx(total.actual, rel=0.15)
        assert total.low < total.predicted < total.high
        assert total.low < total.actual < total.high


def test_others_stand_beside(card, log, origin):
    found = backtest.split(log, origin)
    params = purchase.MODELS[purchase.BG_NBD].fit(backtest.columns(found.history)).params
    x, t_x, T = backtest.columns(found.history).times()
    orders = purchase.model_of(params).expected_purchases(params, 199 / 7, x, t_x, T)
    money = spend.expected_spend(spend.fit(spend.GAMMA_GAMMA, found.history).params, found.history)

    assert card.raw.orders == pytest.approx(np.sum(orders))
    assert card.raw.spend == pytest.approx(np.sum(orders * money))
    assert card.naive.orders == pytest.approx(np.sum(backtest.naive(found.history, 199)))
    assert card.naive.mae == card.naive_mae


def test_what_comes_after_the_horizon_changes_nothing(card, log, origin):
    assert report_card.card(log.until(origin.day + 199), origin) == card


def test_the_prediction_does_not_depend_on_what_happened(card, log, origin):
    """The same past with another future: everything that is said beforehand is the same."""
    past = log.until(origin.day)
    other = report_card.card(_with_end(past, log.end), origin)

    assert (other.orders.predicted, other.orders.low, other.orders.high) == (
        card.orders.predicted,
        card.orders.low,
        card.orders.high,
    )
    assert (other.spend.predicted, other.reasons) == (card.spend.predicted, card.reasons)
    assert other.orders.actual == 0


def _with_end(log, end):
    fields = {name: getattr(log, name) for name in log.__slots__}
    return type(log)(**fields | {"end": end})


def test_corrections_are_applied_to_orders_and_money(log, origin):
    found = backtest.split(log, origin)
    plain = report_card.judge(found, Choice())
    levels = Choice(level=Level(1.2, "", 3), spend_level=Level(0.9, "", 3))
    corrected = report_card.judge(found, levels)

    assert corrected.orders.predicted == pytest.approx(1.2 * plain.orders.predicted)
    assert corrected.spend.predicted == pytest.approx(1.2 * 0.9 * plain.spend.predicted)


def test_intervals_know_of_earlier_origins(log, origin):
    found = backtest.split(log, origin)
    choices = (Choice(order_ratios=[r, 1 / r], origins=origins(2)) for r in (1.01, 2.0))
    calm, wild = (report_card.judge(found, one) for one in choices)

    assert wild.orders.high - wild.orders.low > 1.5 * (calm.orders.high - calm.orders.low)


def test_coverage_is_the_share_of_customers_whose_count_lay_inside(log, origin):
    found = backtest.split(log, origin)
    card = report_card.judge(found, Choice())
    fitted = shop.fit(found.history, shop.Terms(horizon_days=199), shop.Plan(spend=choice.USUAL_SPEND))
    widths = intervals.learn(fitted.purchase, fitted.spend, found.history, 199)
    low, high = intervals.order_ends(widths, intervals.expect(fitted.purchase, fitted.spend, found.history, 199))

    assert card.coverage_80 == pytest.approx(np.mean((found.order_days >= low) & (found.order_days <= high)))


def test_groups_and_gain_are_of_all_customers(card):
    assert sum(group.customers for group in card.groups) == card.customers
    assert card.gain[-1] == pytest.approx(1.0)
    assert card.gain == sorted(card.gain)


# Odd shops: finite, ordered, explained


def check(card):
    json.dumps(card.as_dict(), allow_nan=False)
    for total in (card.orders, card.spend):
        assert total is None or 0 <= total.low <= total.predicted <= total.high
    assert card.reasons
    return card


def test_all_bought_once():
    log = make_log(*(make_order(customer, customer % 300) for customer in range(500)))
    card = check(report_card.card(log, Origin(200, 99)))

    assert (card.model, card.raw) == ("Shop averages", None)
    assert card.orders.actual == 0


def test_one_customer():
    card = check(report_card.card(make_log(make_order(0, 0), make_order(0, 50), end=150), Origin(100, 50)))

    assert card.customers == 1


def test_all_on_the_same_day():
    facts = [make_order(customer, 7) for customer in range(50)]

    check(report_card.card(make_log(*facts, end=100), Origin(7, 90)))


def test_negative_money():
    log = make_log(*(make_order(c, d, value=-500) for c in range(60) for d in (c, 2 * c + 5)), end=200)

    assert check(report_card.card(log, Origin(150, 50))).spend.predicted == 0.0


def test_one_order_of_ten_million():
    facts = [make_order(c, d) for c in range(60) for d in (c, 2 * c + 5)]
    card = check(report_card.card(make_log(*facts, make_order(3, 90, value=1_000_000_000), end=200), Origin(150, 50)))

    assert card.spend.predicted < 100_000


def test_a_gap_of_a_year():
    log = make_shop(customers=2500, days=900)
    gone = log.until(log.start + 500)

    check(report_card.card(_with_end(gone, log.end), Origin(log.start + 800, 90)))


def test_days_before_1970(origin, log, card):
    old = make_shop(customers=4000, days=700, start=-10_000)
    found = check(report_card.card(old, Origin(old.start + 500, 199)))

    assert found.origin == backtest.date_of(-9500)
    assert found.orders.predicted == pytest.approx(card.orders.predicted, rel=0.2)


def test_no_money_at_all():
    log = make_log(*(make_order(c, d, value=0) for c in range(60) for d in (c, 2 * c + 5)), end=200)
    card = check(report_card.card(log, Origin(150, 50)))

    assert card.spend is None
    assert card.naive.spend is None


# Refused


def test_a_horizon_past_the_end_is_refused(log):
    with pytest.raises(ValueError, match="reaches past the end"):
        report_card.card(log, Origin(log.end - 10, 11))


def test_an_origin_before_the_first_order_is_refused():
    with pytest.raises(ValueError, match="nobody had ordered"):
        report_card.card(make_log(make_order(0, 50), end=90), Origin(20, 30))
