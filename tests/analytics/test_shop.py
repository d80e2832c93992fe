"""The engine as the night calls it: any shop gives finite, ordered, sensible numbers."""

import itertools
import json

import numpy as np
import pytest

from analytics.clv import bgnbd, churn, fitting, gamma_gamma, mbgnbd, shop, spend
from benchmarks import simulated
from tests.analytics import cdnow
from tests.analytics.histories import make_customer, make_history, of, score_one

TERMS = shop.Terms()
NUMBERS = ("p_alive", "churn_risk", "expected_orders", "expected_margin_per_order", "clv")


def once(**facts):
    """Someone who bought once, 90 days ago."""
    days = facts.pop("days", 90)
    facts = {"value": 30.0, "margin": 12.0} | facts
    return make_customer(order_days=1, first_age=days, last_age=days, repeat_value=0.0, **facts)


def refunded(times=1):
    return make_customer(order_days=0, first_age=0, last_age=0, value=0.0, repeat_value=0.0, margin=0.0, times=times)


def fit_and_score(past, terms=TERMS):
    fitted = shop.fit(past, terms)
    return fitted, shop.score(fitted, past, terms)


def sensible(past, found):
    """Finite and not negative where there is an order that stands, NaN elsewhere."""
    known = past.order_days > 0
    for name in NUMBERS:
        column = getattr(found, name)
        assert np.all(np.isfinite(column[known]) & (column[known] >= 0)), name
        assert np.all(np.isnan(column[~known])), name
    for name in ("p_alive", "churn_risk"):
        assert np.all(getattr(found, name)[known] <= 1), name
    assert np.all((found.band[known] >= 1) & (found.band[known] <= 3))
    assert np.all(found.band[~known] == 0)
    return True


# An ordinary shop


@pytest.fixture(scope="module")
def scored():
    return shop.score(cdnow.fitted(), cdnow.history(), TERMS)


def test_it_works(scored):
    assert sensible(cdnow.history(), scored)


def test_columns_have_the_length_of_the_history(scored):
    assert all(getattr(scored, name).shape == (2357,) for name in scored.__slots__)


def test_p_alive_is_the_model_s(scored):
    past = cdnow.history()

    alive = mbgnbd.p_alive(
        cdnow.fitted().purchase, past.order_days - 1, (past.first_age - past.last_age) / 7, past.first_age / 7
    )

    assert scored.p_alive == pytest.approx(alive, rel=1e-14)


def test_expected_orders_are_the_model_s_over_365_days(scored):
    past = cdnow.history()

    orders = mbgnbd.expected_purchases(
        cdnow.fitted().purchase,
        365 / 7,
        past.order_days - 1,
        (past.first_age - past.last_age) / 7,
        past.first_age / 7,
    )

    assert scored.expected_orders == pytest.approx(orders, rel=1e-13)


def test_churn_risk_is_the_chance_of_no_order_in_90_days(scored):
    past = cdnow.history()

    silent = mbgnbd.p_silent(
        cdnow.fitted().purchase,
        90 / 7,
        past.order_days - 1,
        (past.first_age - past.last_age) / 7,
        past.first_age / 7,
    )

    assert scored.churn_risk == pytest.approx(silent, rel=1e-12)


def test_expected_margin_is_expected_spend_times_the_margin_rate(scored):
    """All orders of CDNOW have the same margin rate, so that shrinking it changes nothing."""
    past = cdnow.history()
    x = past.order_days - 1

    spend = gamma_gamma.expected_spend(cdnow.fitted().gamma_gamma.params, x, past.repeat_value / np.maximum(x, 1))

    assert scored.expected_margin_per_order == pytest.approx(0.4 * spend, rel=1e-12)


def test_value_is_a_little_less_than_orders_times_margin(scored):
    ratio = scored.clv / (scored.expected_orders * scored.expected_margin_per_order)

    assert np.all((ratio > 1 / 1.1) & (ratio < 1))
    assert np.median(ratio) == pytest.approx(0.956, abs=0.005)


def test_someone_who_bought_once_is_not_certainly_alive(scored):
    bought_once = cdnow.history().order_days == 1

    assert np.max(scored.p_alive[bought_once]) < 0.65


def test_those_who_bought_once_do_not_outrank_recent_repeat_buyers():
    one = score_one(cdnow.fitted(), order_days=1, first_age=100, last_age=100, repeat_value=0.0, value=30.0)
    four = score_one(cdnow.fitted(), order_days=4, first_age=100, last_age=10, repeat_value=90.0, value=120.0)

    assert four["clv"] > 3 * one["clv"]
    assert four["p_alive"] > one["p_alive"]


def test_usual_gap_is_the_mean_of_the_gaps(scored):
    """Customer 1: orders on 1 January, 18 January and 2 August 1997."""
    assert scored.usual_gap[0] == pytest.approx(213 / 2)
    assert np.isnan(scored.usual_gap[2])


def test_longer_horizon_means_more_value():
    values = [score_one(cdnow.fitted(), shop.Terms(horizon_days=days))["clv"] for days in (0, 30, 90, 365, 730)]

    assert values[0] == 0
    assert values == sorted(values)


def test_longer_churn_horizon_means_less_risk():
    risks = [score_one(cdnow.fitted(), shop.Terms(churn_horizon_days=days))["churn_risk"] for days in (0, 30, 90, 365)]

    assert risks[0] == 1
    assert risks == sorted(risks, reverse=True)


def test_higher_discount_means_less_value():
    values = [score_one(cdnow.fitted(), shop.Terms(discount_rate=rate))["clv"] for rate in (0, 0.1, 0.5)]

    assert values == sorted(values, reverse=True)


def test_no_discount_is_orders_times_margin():
    found = score_one(cdnow.fitted(), shop.Terms(discount_rate=0.0))

    assert found["clv"] == pytest.approx(found["expected_orders"] * found["expected_margin_per_order"])


# Shards


@pytest.fixture(scope="module")
def large():
    past = simulated.shop(12_001, seed=3)
    return past, shop.fit(past, TERMS)


@pytest.mark.parametrize("cuts", [[0, 1, 7, 100, 5000, 12_001], [0, 6000, 12_001], [0, 3, 3, 12_000, 12_001]])
def test_shards_give_the_same_bits(large, cuts):
    past, fitted = large
    whole = shop.score(fitted, past, TERMS)

    parts = [shop.score(fitted, past.take(np.arange(start, end)), TERMS) for start, end in itertools.pairwise(cuts)]

    for name in whole.__slots__:
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert joined.tobytes() == getattr(whole, name).tobytes(), name


def test_shards_of_the_fallback_give_the_same_bits():
    past = of(*(once(days=days) for days in range(1, 300)), refunded(), make_customer(), make_customer())
    fitted = shop.fit(past, TERMS)
    whole = shop.score(fitted, past, TERMS)

    alone = [shop.score(fitted, past.take(np.array([row])), TERMS) for row in range(302)]

    for name in whole.__slots__:
        assert b"".join(getattr(one, name).tobytes() for one in alone) == getattr(whole, name).tobytes()


def test_order_of_the_rows_does_not_matter(large):
    past, fitted = large
    turned = np.arange(past.order_days.size)[::-1]

    forwards = shop.score(fitted, past, TERMS)
    backwards = shop.score(fitted, past.take(turned), TERMS)

    assert backwards.clv[turned].tobytes() == forwards.clv.tobytes()


def test_level_of_the_forecast_is_that_of_the_truth(large):
    """Expected orders of all customers, BG/NBD truth against the MBG/NBD that scores: within 10 %."""
    past, fitted = large
    x, t_x, T = past.order_days - 1, (past.first_age - past.last_age) / 7, past.first_age / 7

    truth = np.sum(bgnbd.expected_purchases(simulated.PURCHASE, 365 / 7, x, t_x, T))
    found = np.sum(shop.score(fitted, past, TERMS).expected_orders)

    assert found == pytest.approx(truth, rel=0.1)


# Small and strange shops


def test_no_customers():
    past = make_history()

    fitted, found = fit_and_score(past)

    assert fitted.model == "Shop averages"
    assert fitted.n == 0
    assert fitted.margin_rate == TERMS.margin_rate
    assert all(getattr(found, name).shape == (0,) for name in found.__slots__)


def test_one_customer():
    past = of(make_customer())

    fitted, found = fit_and_score(past)

    assert sensible(past, found)
    assert fitted.model == "Shop averages"
    assert fitted.reason == "customers who bought again: 1; a model needs 200"


def test_everybody_refunded():
    past = of(refunded(times=5))

    fitted, found = fit_and_score(past)

    assert sensible(past, found)
    assert (fitted.n, fitted.repeat_customers) == (0, 0)


def test_refunded_customers_change_nobody_else():
    alone, found_alone = fit_and_score(of(make_customer(), once()))
    among, found_among = fit_and_score(of(make_customer(), refunded(times=3), once()))

    assert among == alone
    assert found_among.clv[[0, 4]].tobytes() == found_alone.clv.tobytes()


def test_all_on_the_same_day():
    past = of(once(days=0, times=50))

    _, found = fit_and_score(past)

    assert sensible(past, found)
    assert np.ptp(found.clv) == 0


def test_all_bought_once():
    past = of(*(once(days=days) for days in range(400)))

    fitted, found = fit_and_score(past)

    assert sensible(past, found)
    assert fitted.model == "Shop averages"
    assert np.all(np.diff(found.p_alive) < 0)
    assert np.sum(found.expected_orders) < 40


def test_one_repeat_customer_short_of_a_model():
    past = of(
        *(make_customer(first_age=100 + day, last_age=day, repeat_value=50.0 + day) for day in range(199)), once()
    )

    assert shop.fit(past, TERMS).model == "Shop averages"


def test_as_many_repeat_customers_as_a_model_needs():
    past = simulated.shop(900, seed=4)
    again = np.flatnonzero(past.order_days > 1)[:200]
    rows = np.concatenate([again, np.flatnonzero(past.order_days == 1)])

    fitted = shop.fit(past.take(rows), TERMS)

    assert fitted.repeat_customers == 200
    assert fitted.model == "MBG/NBD"
    assert fitted.reason == ""


@pytest.mark.parametrize("times", [3, 300])
def test_money_of_zero(times):
    past = of(make_customer(value=0.0, repeat_value=0.0, margin=0.0, times=times), once(value=0.0, margin=0.0))

    fitted, found = fit_and_score(past)

    assert sensible(past, found)
    assert fitted.spend.name == "Shrunken mean"
    assert np.all(found.clv == 0)
    assert np.all(found.expected_orders > 0)


@pytest.mark.parametrize("times", [3, 300])
def test_money_below_zero(times):
    past = of(make_customer(value=-90.0, repeat_value=-60.0, margin=-90.0, times=times), once())

    _, found = fit_and_score(past)

    assert sensible(past, found)


def test_one_customer_with_more_taken_back_than_bought_among_others():
    past = of(make_customer(times=10), make_customer(value=-50.0, repeat_value=-80.0, margin=-50.0))

    _, found = fit_and_score(past)

    assert sensible(past, found)
    assert found.clv[10] < found.clv[0]


def test_shop_that_sells_at_a_loss_is_worth_nothing_and_not_less():
    past = of(make_customer(margin=-30.0, times=5))

    fitted, found = fit_and_score(past)

    assert fitted.margin_rate == 0
    assert np.all(found.clv == 0)


def test_order_of_ten_million_in_a_small_shop():
    past = of(once(times=50), once(value=1e7, margin=4e6), make_customer(value=1e7, repeat_value=9e6, margin=4e6))

    fitted, found = fit_and_score(past)

    assert sensible(past, found)
    assert fitted.mean_spend < 60
    assert found.expected_margin_per_order[0] < 25
    assert found.clv[51] > 1000 * found.clv[0]


def test_order_of_ten_million_in_a_large_shop():
    past = simulated.shop(3000, seed=6)
    richest = np.flatnonzero(past.order_days > 1)[0]
    value, repeat_value, margin = past.value.copy(), past.repeat_value.copy(), past.margin.copy()
    value[richest], repeat_value[richest], margin[richest] = 1e7, 9e6, 4e6
    plain = shop.score(shop.fit(past, TERMS), past, TERMS)
    rich = shop.History(past.order_days, past.first_age, past.last_age, value, repeat_value, margin)

    _, found = fit_and_score(rich)

    assert sensible(rich, found)
    assert np.argmax(found.expected_margin_per_order) == richest
    assert np.median(found.clv) == pytest.approx(np.median(plain.clv), rel=0.2)


def test_equal_spend_of_a_large_shop():
    past = simulated.shop(3000, seed=6)
    same = shop.History(
        past.order_days,
        past.first_age,
        past.last_age,
        20.0 * past.order_days,
        20.0 * (past.order_days - 1),
        8.0 * past.order_days,
    )

    fitted, found = fit_and_score(same)

    assert fitted.model == "MBG/NBD"
    assert fitted.spend.name == "Shrunken mean"
    assert "spends the same" in fitted.spend_reason
    assert found.expected_margin_per_order == pytest.approx(np.full(3000, 8.0))


def test_subscribers_whom_nobody_ever_saw_leave():
    """Pace and chance to leave run to the edge of their ranges: still everyone on time is alive."""
    past = of(
        *(make_customer(order_days=12, first_age=360 + day, last_age=day) for day in range(30)),
        *(make_customer(order_days=12, first_age=330 + day, last_age=day) for day in range(30) for _ in range(8)),
    )

    fitted, found = fit_and_score(past)

    assert sensible(past, found)
    assert fitted.model == "MBG/NBD"
    assert np.min(found.p_alive) > 0.9


def test_every_day_for_27_years():
    past = of(*(make_customer(order_days=9000 + day, first_age=10_000, last_age=day % 7) for day in range(300)))

    _, found = fit_and_score(past)

    assert sensible(past, found)
    assert np.all(found.expected_orders <= 366)


def test_fit_that_does_not_converge_falls_back_by_name(monkeypatch):
    def stuck(data):
        raise fitting.DidNotConverge("stopped on a ridge")

    monkeypatch.setattr(mbgnbd, "fit", stuck)

    fitted, found = fit_and_score(cdnow.history())

    assert sensible(cdnow.history(), found)
    assert fitted.model == "Shop averages"
    assert fitted.reason == "MBG/NBD: stopped on a ridge"
    assert list(fitted.fits) == ["BG/NBD"]


def test_bg_nbd_that_does_not_converge_is_not_missed(monkeypatch):
    def stuck(data):
        raise fitting.DidNotConverge("stopped on a ridge")

    monkeypatch.setattr(bgnbd, "fit", stuck)

    fitted = shop.fit(cdnow.history(), TERMS)

    assert fitted.model == "MBG/NBD"
    assert list(fitted.fits) == ["MBG/NBD"]


def test_gamma_gamma_far_from_the_shop_s_mean_is_not_used(monkeypatch):
    monkeypatch.setattr(spend, "FARTHEST_MEAN", 1.001)

    fitted = shop.fit(cdnow.history(), TERMS)

    assert fitted.spend.name == "Shrunken mean"
    assert "far from the shop's" in fitted.spend_reason
    assert fitted.gamma_gamma is not None


def test_fallback_expects_as_many_orders_as_there_were():
    """On CDNOW without its model the total of the past is met, and forecasts stay near the model's."""
    past = simulated.shop(300, seed=12)
    fitted, found = fit_and_score(past)
    model = fitted.purchase

    so_far = np.sum(mbgnbd.unconditional_expected_purchases(model, past.first_age / 7))

    assert fitted.model == "Shop averages"
    assert so_far == pytest.approx(np.sum(past.order_days - 1), rel=0.02)
    assert 0.3 < np.sum(found.expected_orders) / np.sum(past.order_days - 1) < 1.5


def test_fallback_is_ordered_by_recency_and_frequency():
    past = of(once(days=300, times=40), make_customer(times=20))
    fitted = shop.fit(past, TERMS)

    gone = score_one(fitted, order_days=3, first_age=300, last_age=250)
    there = score_one(fitted, order_days=3, first_age=300, last_age=20)
    often = score_one(fitted, order_days=9, first_age=300, last_age=20, repeat_value=240.0, value=270.0)

    assert gone["p_alive"] < there["p_alive"] < often["p_alive"]
    assert gone["clv"] < there["clv"] < often["clv"]


# Margin rate


def margin_per_order(**facts):
    return score_one(cdnow.fitted(), **facts)["expected_margin_per_order"]


def test_margin_rate_of_a_new_customer_is_mostly_the_shop_s():
    mine = margin_per_order(order_days=1, first_age=9, last_age=9, value=30.0, repeat_value=0.0, margin=27.0)
    shops = margin_per_order(order_days=1, first_age=9, last_age=9, value=30.0, repeat_value=0.0, margin=12.0)

    rate = 0.4 * mine / shops
    assert 0.4 < rate < 0.55


def test_margin_rate_of_a_good_customer_is_mostly_her_own():
    facts = {"order_days": 60, "first_age": 700, "last_age": 5, "value": 2000.0, "repeat_value": 1950.0}

    mine = margin_per_order(margin=1800.0, **facts)
    shops = margin_per_order(margin=800.0, **facts)

    assert 0.85 < 0.4 * mine / shops < 0.9


def test_margin_above_the_revenue_counts_as_the_revenue():
    facts = {"order_days": 60, "first_age": 700, "last_age": 5, "value": 2000.0, "repeat_value": 1950.0}

    assert margin_per_order(margin=9e9, **facts) == margin_per_order(margin=2000.0, **facts)


def test_shop_s_margin_rate_is_its_margin_over_its_revenue():
    fitted = shop.fit(of(make_customer(value=100.0, margin=10.0), make_customer(value=300.0, margin=90.0)), TERMS)

    assert fitted.margin_rate == pytest.approx(0.25)


def test_shop_without_revenue_takes_the_setting():
    fitted = shop.fit(of(make_customer(value=0.0, repeat_value=0.0, margin=0.0)), shop.Terms(margin_rate=0.55))

    assert fitted.margin_rate == 0.55


# Kept as JSON


@pytest.mark.parametrize("past", [cdnow.history(), make_history(), of(make_customer())], ids=["cdnow", "empty", "one"])
def test_json_and_back_is_the_same(past):
    fitted = shop.fit(past, TERMS)

    again = shop.Fitted.from_dict(json.loads(json.dumps(fitted.as_dict())))

    assert again == fitted


def test_json_and_back_gives_the_same_bits(scored):
    again = shop.Fitted.from_dict(json.loads(json.dumps(cdnow.fitted().as_dict())))

    assert shop.score(again, cdnow.history(), TERMS).clv.tobytes() == scored.clv.tobytes()


def test_json_names_both_models_and_their_likelihood():
    report = cdnow.fitted().as_dict()

    assert set(report["fits"]) == {"BG/NBD", "MBG/NBD"}
    assert set(report["fits"]["BG/NBD"]) == {"r", "alpha", "a", "b", "log_likelihood", "customers", "evaluations"}
    assert set(report["fits"]["MBG/NBD"]) == set(report["fits"]["BG/NBD"])
    assert set(report["gamma_gamma"]) == {"p", "q", "gamma", "log_likelihood", "customers", "evaluations"}


def test_json_in_another_unit_of_time_is_refused():
    with pytest.raises(ValueError, match="weeks"):
        shop.Fitted.from_dict(cdnow.fitted().as_dict() | {"unit": "days"})


def test_json_with_a_missing_figure_is_refused():
    report = cdnow.fitted().as_dict()
    del report["margin_rate"]

    with pytest.raises(KeyError, match="margin_rate"):
        shop.Fitted.from_dict(report)


# Histories that cannot be


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"order_days": -1}, "negative"),
        ({"last_age": -1}, "negative"),
        ({"first_age": 10, "last_age": 20}, "must follow"),
        ({"first_age": 20, "last_age": 20}, "must follow"),
        ({"order_days": 1, "first_age": 20, "last_age": 10}, "must follow"),
        ({"value": float("nan")}, "finite"),
        ({"repeat_value": float("inf")}, "finite"),
        ({"margin": float("nan")}, "finite"),
    ],
)
def test_impossible_customer_is_refused(facts, message):
    with pytest.raises(ValueError, match=message):
        of(make_customer(**facts))


def test_columns_of_different_length_are_refused():
    past = of(make_customer(), make_customer())

    with pytest.raises(ValueError, match="one length"):
        shop.History(past.order_days, past.first_age, past.last_age, past.value, past.repeat_value, past.margin[:1])


# Intervals and longer horizons


def test_intervals_hold_what_is_expected(scored):
    assert np.all(scored.orders_low <= scored.expected_orders + 1e-12)
    assert np.all(scored.expected_orders <= scored.orders_high + 1e-12)
    assert np.all((scored.clv_low >= 0) & (scored.clv_low <= scored.clv + 1e-9))
    assert np.all(scored.clv <= scored.clv_high + 1e-9)


def test_longer_horizons_are_worth_more(scored):
    assert np.all(scored.clv <= scored.clv_36m)
    assert np.all(scored.clv_36m <= scored.clv_lifetime)
    assert np.sum(scored.clv_lifetime) > 1.5 * np.sum(scored.clv)


def test_a_lifetime_ends_after_ten_years():
    """Somebody who orders every week and never leaves: ten years of weeks, discounted."""
    weekly = of(make_customer(order_days=520, first_age=3640, last_age=1, times=300))
    _, found = fit_and_score(weekly)

    weeks = 3650 / 7
    discounted = weeks * (1 - 1.1**-10) / (10 * np.log(1.1))
    assert found.clv_lifetime / found.expected_margin_per_order == pytest.approx(np.full(300, discounted), rel=0.05)


def test_the_next_order_comes_sooner_to_those_who_order_often():
    found = fit_and_score(cdnow.history())[1].next_order_days
    days = cdnow.history().order_days
    assert np.nanmedian(found[days > 6]) < np.nanmedian(found[days == 2])


def test_half_have_ordered_by_the_next_order_s_day():
    fitted = cdnow.fitted()
    one = of(make_customer(order_days=5, first_age=200, last_age=10))
    days = shop.score(fitted, one, TERMS).next_order_days[0]

    assert float(mbgnbd.p_silent_alive(fitted.purchase, days / 7, 4, 200 / 7)) == pytest.approx(0.5, abs=1e-6)


def test_no_day_for_an_order_that_is_years_away():
    fitted = cdnow.fitted()
    long_gone = of(once(days=20_000))

    assert np.isnan(shop.score(fitted, long_gone, TERMS).next_order_days[0])


# What the shop's past has chosen


def test_the_plan_s_models_are_used():
    fitted = shop.fit(cdnow.history(), TERMS, shop.Plan(purchase="Pareto/NBD", spend="Shrunken mean"))

    assert (fitted.model, fitted.spend.name, fitted.reason, fitted.spend_reason) == (
        "Pareto/NBD",
        "Shrunken mean",
        "",
        "",
    )
    assert set(fitted.fits) == {"BG/NBD", "MBG/NBD", "Pareto/NBD"}


def test_a_model_that_cannot_be_fitted_gives_way_to_mbg_nbd():
    """Without the gaps nobody knows how regular the buyers are."""
    fitted = shop.fit(cdnow.history(), TERMS, shop.Plan(purchase="MBG/CNBD-k"))

    assert fitted.model == "MBG/NBD"
    assert fitted.reason.startswith("MBG/CNBD-k: ")


def test_levels_move_orders_and_money_together():
    plain = shop.score(cdnow.fitted(), cdnow.history(), TERMS)
    raised = shop.fit(cdnow.history(), TERMS, shop.Plan(levels=shop.Levels(orders=1.2, spend=1.1)))
    found = shop.score(raised, cdnow.history(), TERMS)

    assert found.expected_orders == pytest.approx(1.2 * plain.expected_orders)
    assert found.clv == pytest.approx(1.2 * 1.1 * plain.clv)


def test_a_calibration_moves_the_risk_and_nothing_else():
    calibration = churn.Calibration((1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0), (0.0,) * 6, 1000)
    plain = shop.score(cdnow.fitted(), cdnow.history(), TERMS)
    fitted = shop.fit(cdnow.history(), TERMS, shop.Plan(calibration=calibration))
    found = shop.score(fitted, cdnow.history(), TERMS)

    assert found.churn_risk == pytest.approx(1 / (1 + np.exp(-1) * (1 / plain.churn_risk - 1)), abs=1e-6)
    assert np.array_equal(found.clv, plain.clv)
    assert np.array_equal(found.band, plain.band)


# The record of a night


def test_parameters_are_freed_of_the_grain_of_a_day(scored):
    """Two orders of a day are one order day: behind them people order a little more often."""
    past = simulated.shop(3000, seed=3)
    fitted = shop.fit(past, TERMS)
    found = fitted.corrected["BG/NBD"]

    assert found["reason"] == ""
    assert found["r"] / found["alpha"] > fitted.fits["BG/NBD"].params.r / fitted.fits["BG/NBD"].params.alpha
    assert set(found["standard_errors"]) == {"r", "alpha", "a", "b"}


def test_nothing_to_correct_without_a_model():
    assert shop.fit(of(make_customer(times=10)), TERMS).corrected == {}
