"""What CDNOW's customers did after 1997-09-30, beside what was predicted for them that day."""

import numpy as np
import pytest

from analytics.clv import bands, bgnbd, mbgnbd, shop
from tests.analytics import cdnow

HOLDOUT = shop.Terms(horizon_days=273, churn_horizon_days=90)


@pytest.fixture(scope="module")
def predicted():
    return shop.score(cdnow.fitted(), cdnow.history(), HOLDOUT)


@pytest.fixture(scope="module")
def actual():
    return cdnow.next_order_days(273)


@pytest.fixture(scope="module")
def silent():
    """Nobody who ordered within 90 days."""
    return cdnow.next_order_days(90) == 0


def tenths(order):
    return np.array_split(np.argsort(order, kind="stable"), 10)


def test_order_days_of_the_holdout(actual):
    assert actual.sum() == 1882


def test_level_is_the_published_one_of_mbg_nbd(predicted, actual):
    assert predicted.expected_orders.sum() / actual.sum() == pytest.approx(0.84, abs=0.005)


@pytest.mark.parametrize(("model", "fit", "share"), [(bgnbd, "BG/NBD", 0.88), (mbgnbd, "MBG/NBD", 0.84)])
def test_level_of_both_models(model, fit, share, actual):
    past = cdnow.history()
    params = cdnow.fitted().fits[fit].params

    orders = model.expected_purchases(
        params, 39, past.order_days - 1, (past.first_age - past.last_age) / 7, past.first_age / 7
    )

    assert orders.sum() / actual.sum() == pytest.approx(share, abs=0.005)


def test_those_predicted_to_buy_more_buy_more(predicted, actual):
    means = [actual[rows].mean() for rows in tenths(predicted.expected_orders)]

    assert means[9] > 3 * means[7] > 3 * means[4]
    assert np.corrcoef(predicted.expected_orders, actual)[0, 1] > 0.6


@pytest.mark.parametrize("orders", [0, 1, 2, 3])
def test_figure_of_conditional_expectations_by_past_orders(predicted, actual, orders):
    """Fader, Hardie & Lee (2005, fig. 3): the curve of predictions follows that of the actual orders."""
    rows = cdnow.history().order_days == orders + 1

    assert predicted.expected_orders[rows].mean() == pytest.approx(actual[rows].mean(), rel=0.35)


def test_figure_of_conditional_expectations_heavy_buyers(predicted, actual):
    rows = cdnow.history().order_days >= 8

    assert predicted.expected_orders[rows].mean() == pytest.approx(actual[rows].mean(), rel=0.15)


def test_error_is_smaller_than_that_of_going_on_as_before(predicted, actual):
    """Naive: everyone keeps the pace of the past."""
    past = cdnow.history()
    naive = (past.order_days - 1) / past.first_age * 273

    assert np.mean(np.abs(predicted.expected_orders - actual)) < 0.85 * np.mean(np.abs(naive - actual))


def test_naive_level_is_the_published_one(actual):
    past = cdnow.history()

    naive = (past.order_days - 1) / past.first_age * 273

    assert naive.sum() / actual.sum() == pytest.approx(1.2, abs=0.4)


def test_churn_risk_is_calibrated_by_tenths(predicted, silent):
    for rows in tenths(predicted.churn_risk):
        expected = predicted.churn_risk[rows].mean()
        assert silent[rows].mean() == pytest.approx(expected, abs=0.08)


def test_churn_risk_is_calibrated_over_all(predicted, silent):
    assert silent.mean() == pytest.approx(predicted.churn_risk.mean(), abs=0.03)


def test_customers_of_the_low_band_keep_most_of_their_pace(predicted, actual, silent):
    """Share who ordered within 90 days, as a part of what their pace would give if all were there."""
    normal = shop.compare(cdnow.fitted(), cdnow.history(), HOLDOUT).normal_risk
    kept = {}
    for band in (bands.LOW, bands.MEDIUM, bands.HIGH):
        rows = predicted.band == band
        kept[band] = np.mean(~silent[rows]) / np.mean(1 - normal[rows])

    assert kept[bands.LOW] > 0.6
    assert kept[bands.LOW] > kept[bands.MEDIUM] > kept[bands.HIGH]
    assert kept[bands.HIGH] < 0.35


def test_heavy_buyers_who_pause_look_gone_too_early(predicted, actual):
    """A known weakness, kept in sight: these 37 of few chances ordered more than the average customer."""
    gone = predicted.p_alive < 0.1

    assert np.count_nonzero(gone) == 37
    assert actual[gone].mean() == pytest.approx(1.35, abs=0.01)
    assert actual.mean() == pytest.approx(0.80, abs=0.01)


def test_most_valuable_tenth_brings_a_third_of_the_orders_or_more(predicted, actual):
    best = tenths(predicted.clv)[9]

    assert actual[best].sum() / actual.sum() > 0.33
