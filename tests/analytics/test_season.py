"""The shop's own season: learned where it comes back, and only there."""

import json

import numpy as np
import pytest

from analytics.clv import backtest, purchase, season
from analytics.clv.season import Season, Tracking
from tests.analytics.logs import CHRISTMAS, EVEN, MONDAY_2021, make_log, make_order, make_refund, make_shop

YEAR = 365


def fitted(log, as_of):
    history, _ = log.history(as_of)
    return purchase.MODELS[purchase.MBG_NBD].fit(backtest.columns(history)).params


def learned(log, as_of=None):
    as_of = log.end if as_of is None else as_of
    return season.learn(season.track(log, as_of, fitted(log, as_of)))


def tracking(months, *, years, level=60.0, noise=0.0, seed=1):
    """Years from January on with so many repeat order days a month, against the same number every day."""
    rng = np.random.default_rng(seed)
    days = MONDAY_2021 + np.arange(years * YEAR)
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    swing = np.array(months)[month % 12] * np.exp(noise * rng.standard_normal(month.max() + 1))[month]
    return Tracking(int(days[0]), level / 30 * swing, np.full(days.size, level / 30))


def test_it_works():
    found = season.learn(tracking(CHRISTMAS, years=3, level=6000))

    assert found.is_known
    assert found.index == pytest.approx(np.array(CHRISTMAS) / np.mean(CHRISTMAS), rel=0.02)
    assert (found.pairs, found.reason) == (24, "")


def test_december_makes_more_of_a_horizon_and_spring_less():
    found = season.learn(tracking(CHRISTMAS, years=3, level=6000))
    december, spring = MONDAY_2021 + 3 * YEAR + 334, MONDAY_2021 + 3 * YEAR + 90

    assert season.factor(found, december, 31) == pytest.approx(2.0 / np.mean(CHRISTMAS), rel=0.03)
    assert season.factor(found, spring, 60) == pytest.approx(0.9 / np.mean(CHRISTMAS), rel=0.03)
    assert season.factor(found, december, YEAR) == pytest.approx(1.0, abs=0.01)


def test_what_the_history_holds_of_the_season_is_taken_out():
    """Half a year more with the quiet months: the model's pace is too low by their share."""
    long = tracking(CHRISTMAS, years=3, level=6000)
    cut = Tracking(long.start, long.actual[: 2 * YEAR + 181], long.expected[: 2 * YEAR + 181])
    found = season.learn(cut)

    assert found.reference < 0.98
    assert season.factor(found, cut.start + cut.actual.size, YEAR) == pytest.approx(1 / found.reference, rel=0.01)


@pytest.mark.parametrize("years", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_season(years, seed):
    found = season.learn(tracking(EVEN, years=years, noise=0.2, seed=seed))

    assert not found.is_known
    assert found.index == season.NONE
    assert found.reason


def test_growth_is_no_season():
    steady = tracking(EVEN, years=3, level=6000)
    grown = Tracking(steady.start, steady.actual * np.exp(np.arange(steady.actual.size) / 900), steady.expected)

    assert season.learn(grown).index == pytest.approx(season.NONE, abs=0.01)


def test_one_year_is_too_short():
    found = season.learn(tracking(CHRISTMAS, years=1, level=6000))

    assert not found.is_known
    assert (found.pairs, found.reason) == (0, "Months to compare with a year before: 0; a season takes 6.")


def test_a_single_christmas_is_no_season():
    once = np.array([*EVEN[:-1], 2.0])
    first, second = tracking(once, years=1, level=6000), tracking(EVEN, years=2, level=6000)
    both = Tracking(first.start, np.append(first.actual, second.actual), np.append(first.expected, second.expected))

    assert not season.learn(both).is_known


def test_nothing_and_months_with_hardly_an_order_have_no_season():
    assert not season.learn(Tracking(0, np.empty(0), np.empty(0))).is_known
    assert season.learn(tracking(CHRISTMAS, years=3, level=5.0)).pairs == 0


def test_without_a_season_nothing_is_changed():
    assert season.factor(Season(), MONDAY_2021, 90) == 1.0
    assert season.factor(season.learn(tracking(CHRISTMAS, years=3, level=6000)), MONDAY_2021, 0) == 1.0


def test_a_season_makes_at_most_twice_of_a_horizon():
    extreme = Season(index=(0.1,) * 11 + (10.9,), reference=1.0)
    december = MONDAY_2021 + 340

    assert season.factor(extreme, december, 5) == 2.0
    assert season.factor(extreme, MONDAY_2021 + 100, 5) == 0.5


def test_json_and_back():
    found = season.learn(tracking(CHRISTMAS, years=3, level=6000))

    assert Season.from_dict(json.loads(json.dumps(found.as_dict()))) == found


# From a log


def test_tracking_counts_repeat_order_days_and_expects_them_of_those_who_are_there():
    log = make_log(make_order(0, 10), make_order(0, 12), make_order(1, 12), make_order(1, 13), make_order(1, 13))
    params = purchase.MODELS[purchase.MBG_NBD].params(r=1.0, alpha=1.0, a=1.0, b=1.0)
    found = season.track(log, 15, params)

    assert found.start == 10
    assert found.actual.tolist() == [0, 0, 1, 1, 0, 0]
    reached = purchase.model_of(params).unconditional_expected_purchases
    assert np.sum(found.expected) == pytest.approx(np.sum(reached(params, [5 / 7, 3 / 7])))
    assert found.expected[:2] == pytest.approx([0.0, reached(params, 1 / 7)])


def test_tracking_knows_nothing_of_what_came_later():
    log = make_log(make_order(0, 10), make_order(0, 20), make_order(0, 40), make_refund(0, 20, seen=50))
    params = purchase.MODELS[purchase.MBG_NBD].params(r=1.0, alpha=1.0, a=1.0, b=1.0)

    assert np.flatnonzero(season.track(log, 30, params).actual).tolist() == [10]
    assert np.flatnonzero(season.track(log, 50, params).actual).tolist() == [30]


def test_tracking_an_empty_log():
    params = purchase.MODELS[purchase.MBG_NBD].params(r=1.0, alpha=1.0, a=1.0, b=1.0)

    assert season.track(make_log(), 5, params).actual.size == 0


def test_expected_order_days_add_up_to_those_that_came():
    log = make_shop()
    found = season.track(log, log.end, fitted(log, log.end))

    assert np.sum(found.expected) == pytest.approx(np.sum(found.actual), rel=0.05)


def test_the_season_of_a_shop_brings_predictions_nearer():
    log = make_shop(customers=8000, days=3 * YEAR, months=CHRISTMAS)
    as_of, horizon = log.end - 120, 120
    found = backtest.split(log, backtest.Origin(as_of, horizon))
    params = fitted(log, as_of)
    x, t_x, T = backtest.columns(found.history).times()
    said = np.sum(purchase.model_of(params).expected_purchases(params, horizon / 7, x, t_x, T))
    factor = season.factor(learned(log, as_of), as_of + 1, horizon)

    level = said / np.sum(found.order_days)
    assert level < 0.85
    assert abs(level * factor - 1) < 0.1


def test_a_shop_without_a_season_has_none():
    assert not learned(make_shop(days=3 * YEAR)).is_known


@pytest.mark.parametrize("seed", range(6))
def test_any_tracking_gives_a_finite_season(seed):
    """Gaps of months, months without an order, months that the model expects nothing of."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 1500))
    actual = rng.poisson(rng.choice([0.0, 0.5, 30.0], size)).astype(float)
    expected = rng.choice([0.0, 1e-9, 2.0, 50.0], size)
    found = season.learn(Tracking(int(rng.integers(-9000, 20_000)), actual, expected))

    assert np.all(np.isfinite(found.index))
    assert np.mean(found.index) == pytest.approx(1.0)
    assert 0.5 <= season.factor(found, 20_000, 90) <= 2.0


def test_months_of_an_earlier_century_are_months():
    modern, old = tracking(CHRISTMAS, years=3, level=6000), tracking(CHRISTMAS, years=3, level=6000)
    shifted = Tracking(old.start - 36_525, old.actual, old.expected)  # a hundred years and one leap day less

    assert season.learn(shifted).index == pytest.approx(season.learn(modern).index, rel=0.05)
