"""Which models a shop uses: the best by its past, and no other without need."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import choice, levels, purchase, spend
from analytics.clv.backtest import OriginScores, PurchaseScore, SpendScore
from analytics.clv.choice import Choice, Today
from analytics.clv.season import Season
from tests.analytics.logs import CHRISTMAS, MONDAY_2021, make_log, make_order, make_shop

MBG, PARETO, REGULAR = purchase.MBG_NBD, purchase.PARETO_NBD, purchase.MBG_CNBD_K
EVENLY_OFF = (1.0,) * 3


def make_score(*, predicted=1000.0, mae=0.5, log_score=-1.5, season=1.0):
    return PurchaseScore(predicted, mae, gini=0.5, groups=[], brier=0.1, log_score=log_score, season=season)


def make_origin(place=0, *, money=None, naive=None, orders=1000, **models):
    """An origin of a hundred days, a hundred after the one before; models by name, MBG/NBD unless changed."""
    scores = {name: make_score() for name in purchase.MODELS} | models
    spent = dict.fromkeys(spend.PREFERENCE, 1.0) | (money or {})
    return OriginScores(
        day=MONDAY_2021 + 100 * place,
        horizon_days=100,
        customers=2000,
        orders=orders,
        spend=50_000.0,
        naive=naive or make_score(predicted=1500.0, mae=0.8),
        purchase={name: score for name, score in scores.items() if score is not None},
        money={
            name: SpendScore(50_000.0 * ratio, dict.fromkeys(purchase.MODELS, 50000.0 * ratio))
            for name, ratio in spent.items()
            if ratio is not None
        },
    )


def origins(count=3, **changed):
    return [make_origin(place, **changed) for place in range(count)]


def test_it_works():
    found = choice.choose(origins(**{PARETO: make_score(log_score=-1.4)}))

    assert (found.purchase, found.spend) == (PARETO, spend.PREFERENCE[0])
    assert found.reasons[0] == "Pareto/NBD: clearly better. Past days: 3; order days were off by 0% on average."
    assert found.demoted == {}


def test_next_to_the_same_likelihood_leaves_it_to_the_level():
    near = make_score(log_score=-1.495, predicted=1000.0)
    off = make_score(log_score=-1.5, predicted=800.0)

    assert choice.choose(origins(**{PARETO: near, MBG: off})).purchase == PARETO


def test_a_better_level_does_not_make_up_for_a_worse_likelihood():
    off = make_score(predicted=800.0)
    worse = make_score(log_score=-1.6)

    assert choice.choose(origins(**{MBG: off, PARETO: worse, REGULAR: None})).purchase == MBG


def test_the_usual_model_is_used_until_another_is_clearly_better():
    found = choice.choose(origins(**{MBG: make_score(predicted=980.0), PARETO: make_score(log_score=-1.495)}))

    assert found.purchase == MBG
    assert "no model was clearly better" in found.reasons[0]


def test_bg_nbd_is_only_compared_with():
    found = choice.choose(origins(**{purchase.BG_NBD: make_score(log_score=-0.1)}))

    assert found.purchase == MBG


# Demotion


def test_a_model_that_loses_to_the_naive_baseline_is_out():
    poor = make_score(predicted=1600.0, mae=0.9, log_score=-1.0)
    found = choice.choose(origins(**{PARETO: poor}))

    assert found.purchase == MBG
    assert found.demoted == {PARETO: "Pareto/NBD was farther off than the naive baseline at 3 of 3 past days."}


@pytest.mark.parametrize(
    "fair",
    [make_score(predicted=1600.0, mae=0.7, log_score=-1.0), make_score(predicted=1100.0, mae=0.9, log_score=-1.0)],
)
def test_to_lose_takes_both_the_total_and_the_customers(fair):
    assert choice.choose(origins(**{PARETO: fair})).demoted == {}


def test_to_lose_takes_most_of_the_origins():
    poor, fair = (make_score(predicted=p, mae=0.9, log_score=-1.0) for p in (1600.0, 1000.0))
    one, two = ([make_origin(n, **{PARETO: poor if n < bad else fair}) for n in range(3)] for bad in (1, 2))

    assert PARETO not in choice.choose(one).demoted
    assert PARETO in choice.choose(two).demoted


def test_a_model_that_could_not_be_fitted_each_time_is_out():
    at = [make_origin(0), make_origin(1, **{PARETO: None})]
    found = choice.choose(at)

    assert found.purchase != PARETO
    assert found.demoted[PARETO] == "Pareto/NBD could not be fitted at 1 of 2 past days."


def test_when_all_are_out_the_best_of_them_is_used():
    poor = make_score(predicted=1600.0, mae=0.9)
    found = choice.choose(origins(**dict.fromkeys(purchase.MODELS, poor) | {PARETO: replace(poor, log_score=-1.2)}))

    assert set(found.demoted) == set(choice.COMPETING)
    assert found.purchase == PARETO


# Spend


def test_the_spend_model_nearest_to_the_money_is_used():
    first, second, *_ = spend.PREFERENCE
    found = choice.choose(origins(money={first: 0.8, second: 1.02}))

    assert found.spend == second
    assert found.reasons[1].startswith(f"{second}: clearly better for spend. Known order days brought 2% more or less")


def test_a_small_difference_changes_no_spend_model():
    first, second, *_ = spend.PREFERENCE
    close = dict.fromkeys(spend.PREFERENCE, 0.6) | {first: 0.98, second: 1.0}

    assert choice.choose(origins(money=close)).spend == first


def test_a_spend_model_that_failed_somewhere_is_not_used():
    first = spend.PREFERENCE[0]
    at = [make_origin(0), make_origin(1, money={first: None})]

    assert choice.choose(at).spend != first


def test_without_money_nothing_is_said_of_how_far_spend_was_off():
    found = choice.choose([replace(one, spend=0.0) for one in origins()])

    assert found.reasons[1].endswith("the past days brought no money to judge spend models by.")


# Season and level


def christmas():
    index = np.array(CHRISTMAS) / np.mean(CHRISTMAS)
    return Season(index=tuple(index.tolist()), pairs=18, left=0.2)


def test_a_season_that_came_back_is_used():
    off, helped = make_score(predicted=800.0, season=1.25), {MBG: Today(1000.0, christmas())}
    found = choice.choose(origins(**dict.fromkeys(purchase.MODELS, off)), today=helped)

    assert found.season == christmas()
    assert found.order_ratios == pytest.approx([1.0, 1.0, 1.0])
    assert "with 20% of the error left" in found.reasons[2]
    assert found.factor(MONDAY_2021 + 334, 31) == pytest.approx(2.0 / np.mean(CHRISTMAS), rel=1e-6)


def test_a_season_that_made_past_predictions_worse_is_not():
    right = make_score(predicted=1000.0, season=1.25)
    found = choice.choose(origins(**{MBG: right}), today={MBG: Today(1000.0, christmas())})

    assert not found.season.is_known
    assert found.factor(MONDAY_2021 + 334, 31) == 1.0
    assert "would have made past predictions worse" in found.reasons[2]


def test_a_season_that_no_origin_knew_of_is_used():
    found = choice.choose(origins(), today={MBG: Today(1000.0, christmas())})

    assert found.season.is_known
    assert found.order_ratios == [1.0, 1.0, 1.0]


def test_the_same_error_again_and_again_corrects_the_level():
    low = {name: make_score(predicted=800.0) for name in purchase.MODELS}
    found = choice.choose(origins(4, **low))

    assert found.level.factor == pytest.approx(np.exp(np.log(1.25) * 4 / (4 + 4 * 1.1)))  # a tenth more for chance
    assert found.order_ratios == pytest.approx([1.25 / found.level.factor] * 4)
    assert found.factor(MONDAY_2021, 90) == found.level.factor


def test_ratios_are_actual_over_what_is_said_with_the_correction():
    found = choice.choose([make_origin(0, orders=1200), make_origin(1, orders=900)])

    assert found.level.factor > 1.0
    assert found.order_ratios == pytest.approx([1.2 / found.level.factor, 0.9 / found.level.factor])
    assert found.past(100).orders == tuple(found.order_ratios)


def test_errors_of_shorter_horizons_are_stretched():
    """The origins look 100 days ahead: 400 days wander twice as far, 50 days are not taken for less."""
    found = choice.choose([make_origin(0, orders=1200), make_origin(1, orders=900)])

    assert found.past(400).orders == pytest.approx(tuple(ratio**2 for ratio in found.order_ratios))
    assert found.past(400).value == pytest.approx(tuple(ratio**2 for ratio in found.spend_ratios))
    assert found.past(50).orders == pytest.approx(found.order_ratios)
    assert found.past().orders == found.past(365).orders


def test_intervals_are_told_how_many_horizons_the_origins_cover():
    at = [
        replace(make_origin(0, orders=orders), day=MONDAY_2021 + 25 * place) for place, orders in enumerate((1, 2, 3))
    ]

    assert choice.choose(at).past(100).independent == 1.5
    assert choice.choose(origins(3)).past(100).independent == 3.0
    assert Choice().past().independent == 0.0


# All models together


def test_the_level_is_the_mean_of_all_models():
    """At each origin and today: 800, 1000, 1000 and 1200 are 1000, so that nothing was off."""
    said = dict(zip(purchase.MODELS, (1000.0, 800.0, 1000.0, 1200.0), strict=True))
    today = {name: Today(2.0 * orders, Season()) for name, orders in said.items()}
    scores = {name: make_score(predicted=orders) for name, orders in said.items()}
    found = choice.choose(origins(**scores | {MBG: make_score(predicted=800.0, log_score=-1.4)}), today=today)

    assert found.purchase == MBG
    assert found.level.factor == pytest.approx(1.0)
    assert found.consensus == pytest.approx(1.25)
    assert found.reasons[3] == "All models together expect 1.25 times the order days that MBG/NBD does."
    assert found.factor(MONDAY_2021, 100) == pytest.approx(1.25)
    assert found.order_ratios == pytest.approx([1.0] * 3)
    assert found.spend_ratios == pytest.approx([0.8] * 3)


def test_a_model_that_is_out_has_no_say():
    poor = make_score(predicted=1900.0, mae=0.9, log_score=-1.0)
    today = dict.fromkeys(purchase.MODELS, Today(1000.0, Season())) | {PARETO: Today(1900.0, Season())}
    found = choice.choose(origins(**{PARETO: poor}), today=today)

    assert PARETO in found.demoted
    assert (found.consensus, found.level.factor) == (1.0, 1.0)
    assert found.reasons[3].startswith("Order days: ")


def test_a_model_that_cannot_be_fitted_today_has_no_say():
    said = {MBG: Today(1000.0, Season()), REGULAR: Today(1100.0, Season())}

    assert choice.choose(origins(), today=said).consensus == pytest.approx(1.05)
    assert choice.choose(origins(), today={REGULAR: Today(1100.0, Season())}).consensus == 1.0
    assert choice.choose(origins()).consensus == 1.0


@pytest.mark.parametrize(("other", "expected"), [(1e9, 2.0), (0.0, 2 / 3)])
def test_one_model_moves_the_level_by_a_factor_of_two_at_most(other, expected):
    said = {MBG: Today(100.0, Season()), PARETO: Today(other, Season()), REGULAR: Today(100.0, Season())}

    assert choice.choose(origins(), today=said).consensus == pytest.approx(expected)


def test_where_the_chosen_model_expects_nothing_nothing_is_multiplied():
    said = {MBG: Today(0.0, Season()), PARETO: Today(100.0, Season())}

    assert choice.choose(origins(), today=said).consensus == 1.0


def test_json_and_back():
    low = {name: make_score(predicted=800.0) for name in purchase.MODELS}
    found = choice.choose(origins(4, **low), notes=["One was too early."], today={MBG: Today(1000.0, christmas())})

    assert Choice.from_dict(json.loads(json.dumps(found.as_dict(), allow_nan=False))) == found


def test_a_choice_from_before_the_models_spoke_together_is_read():
    data = Choice(level=levels.Level(1.1, "", 3)).as_dict()
    del data["consensus"]

    assert Choice.from_dict(data).factor(0, 365) == 1.1


# From a log


def richer(log, *, since, times):
    """The same log with another size of orders from a day on."""
    value = np.where((log.order_day >= since) & (log.orders > 0), np.rint(log.value * times), log.value)
    return replace(log, value=value)


def test_money_that_grows_from_quarter_to_quarter_is_corrected():
    log = make_shop(customers=6000, days=600)
    for quarter in range(1, 7):
        log = richer(log, since=log.start + 90 * quarter, times=1.15)
    found = choice.decide(log)

    assert 1.05 < found.spend_level.factor < 1.3
    assert found.level.factor == pytest.approx(1.0, abs=0.05)
    assert found.reasons[-1].startswith("Spend: Earlier errors call for 1.")


def test_steady_money_is_left_nearly_alone():
    found = choice.decide(make_shop(customers=4000, days=600, seed=2))

    assert found.spend_level.factor == pytest.approx(1.0, abs=0.03)
    assert found.reasons[-1].startswith("Spend: ")


@pytest.fixture(scope="module")
def decided():
    return choice.decide(make_shop(customers=4000, days=600))


def test_a_shop_is_looked_back_at(decided):
    assert decided.purchase in choice.COMPETING
    assert len(decided.origins) == len(decided.order_ratios) == len(decided.spend_ratios) == len(decided.coverage) == 5
    assert all(0.8 < ratio < 1.25 for ratio in decided.order_ratios)


def test_intervals_learn_from_the_origins(decided):
    past = decided.past()

    assert len(past.order_levels) == len(past.value_levels) == 5
    assert all(0.6 < level < 1.0 for level in past.order_levels)
    assert 0.7 < np.mean(decided.coverage) < 0.9


def test_a_decision_survives_json(decided):
    assert Choice.from_dict(json.loads(json.dumps(decided.as_dict(), allow_nan=False))) == decided


def test_the_same_log_gives_the_same_decision(decided):
    assert choice.decide(make_shop(customers=4000, days=600)) == decided


def test_regular_buyers_get_a_model_of_regular_buyers():
    log = make_shop(customers=6000, days=1095, regularity=3)

    assert choice.decide(log, longest=180).purchase == REGULAR


@pytest.mark.parametrize("log", [make_log(), make_log(make_order(0, 5)), make_log(make_order(0, 0), end=400)])
def test_where_the_past_says_nothing_the_usual_models_are_used(log):
    found = choice.decide(log)

    assert (found.purchase, found.spend) == (choice.USUAL_PURCHASE, choice.USUAL_SPEND)
    assert found.origins == []
    assert found.reasons[-1] == "The usual models are used until the past can tell."
    assert found.factor(0, 365) == 1.0
    assert found.past().orders == ()


def test_a_level_of_none_changes_nothing():
    assert Choice().level == levels.NONE
