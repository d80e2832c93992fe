"""The cards of the origins that a choice was made by: each knows only what was known on its evening."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import backtest, choice, rolling
from analytics.clv.choice import Choice
from analytics.clv.levels import Level, Seen
from analytics.clv.report_card import Plain
from analytics.clv.rolling import LastMonth
from analytics.clv.season import Season
from tests.analytics.logs import make_log, make_order, make_shop
from tests.analytics.test_choice import make_origin, make_score


@pytest.fixture(scope="module")
def log():
    return make_shop(customers=2000, days=420)


@pytest.fixture(scope="module")
def decided(log):
    return choice.decide(log)


@pytest.fixture(scope="module")
def cards(log, decided):
    return rolling.cards(log, decided)


def make_choice(*ratios, horizon=100, step=100, season=False):
    """Origins `step` days apart at which 1,000 order days were predicted and `ratio` times as many came."""
    origins = [
        replace(
            make_origin(orders=round(1000 * ratio), **{"MBG/NBD": make_score(season=1.5 if season else 1.0)}),
            day=20_000 + step * place,
            horizon_days=horizon,
        )
        for place, ratio in enumerate(ratios)
    ]
    lists = {
        name: [float(place) for place in range(len(ratios))]
        for name in ("order_ratios", "spend_ratios", "order_levels", "value_levels")
    }
    return Choice(
        purchase="MBG/NBD", origins=origins, season=Season(index=(1.5,) * 12) if season else Season(), **lists
    )


def orders_off(chosen):
    return [Seen(one.day, one.day + one.horizon_days, float(np.log(one.orders / 1000))) for one in chosen.origins]


def test_it_works(cards, decided):
    assert [card.origin for card in cards] == [backtest.date_of(one.day) for one in decided.origins]
    assert {card.model for card in cards} == {decided.purchase}
    for card, one in zip(cards, decided.origins, strict=True):
        assert (card.customers, card.orders.actual) == (one.customers, one.orders)
        assert card.spend.actual == pytest.approx(one.spend)
        assert card.naive_mae == pytest.approx(one.naive.mae)
        assert card.orders.low < card.orders.predicted < card.orders.high


def test_where_nothing_was_known_the_prediction_is_the_mean_of_the_models(cards, decided):
    first, one = cards[0], decided.origins[0]
    said = [found.predicted for name, found in one.purchase.items() if name not in decided.demoted]
    assert first.orders.predicted == pytest.approx(np.mean(said))
    assert first.mae == pytest.approx(one.purchase[decided.purchase].mae, rel=0.05)


def test_the_silent_are_counted(cards, decided, log):
    one = decided.origins[0]
    found = backtest.split(log, backtest.Origin(one.day, one.horizon_days))
    assert cards[0].silent == pytest.approx(np.mean(found.order_days == 0))


def test_json_and_back(cards):
    for card in cards:
        assert rolling.card_from(json.loads(json.dumps(card.as_dict()))) == card


def test_a_card_without_money_and_without_a_raw_model_survives_json(cards):
    bare = replace(cards[0], spend=None, raw=None)
    assert rolling.card_from(json.loads(json.dumps(bare.as_dict()))) == bare


def test_a_choice_that_could_not_look_back_has_no_cards():
    young = make_log(*(make_order(customer, day) for customer in range(3) for day in (0, 9)))
    assert rolling.cards(young, choice.decide(young)) == []
    assert rolling.cards(make_log(), choice.decide(make_log())) == []


def test_only_origins_whose_outcome_was_known_count():
    chosen = make_choice(1.0, 1.0, 1.0, 1.0, horizon=150)
    known = rolling.as_of(chosen, chosen.origins[2], orders=orders_off(chosen), money=[])
    assert [one.day for one in known.origins] == [20_000]
    assert (known.order_ratios, known.spend_ratios) == ([0.0], [0.0])
    assert (known.order_levels, known.value_levels) == ([0.0], [0.0])


def test_the_first_origin_knows_of_none():
    chosen = make_choice(2.0, 2.0, 2.0, 2.0, 2.0)
    first = rolling.as_of(chosen, chosen.origins[0], orders=orders_off(chosen), money=[])
    assert (first.origins, first.order_ratios, first.level.factor) == ([], [], 1.0)


def test_the_errors_known_by_then_correct():
    chosen = make_choice(1.5, 1.5, 1.5, 1.5, 1.5)
    last = rolling.as_of(chosen, chosen.origins[4], orders=orders_off(chosen), money=[])
    assert last.level.factor == pytest.approx(1.5 ** (4 / 8))  # four that were known, and four that were right
    second = rolling.as_of(chosen, chosen.origins[1], orders=orders_off(chosen), money=[])
    assert second.level.factor == pytest.approx(1.5 ** (1 / 5))


def test_ratios_are_corrected_by_what_was_known_then():
    """Today 2 is multiplied, and money by 3 besides; on that day by 1.5 ** .2 alone."""
    chosen = replace(make_choice(1.5, 1.5, 1.5), level=Level(2.0, "", 3), spend_level=Level(3.0, "", 3))
    chosen = replace(chosen, order_ratios=[0.75] * 3, spend_ratios=[0.25] * 3)
    known = rolling.as_of(chosen, chosen.origins[1], orders=orders_off(chosen), money=[])
    assert known.order_ratios == pytest.approx([1.5 / 1.5**0.2])
    assert known.spend_ratios == pytest.approx([1.5 / 1.5**0.2])


def test_money_is_corrected_by_what_was_known():
    chosen = make_choice(1.0, 1.0, 1.0)
    seen = [Seen(20_000 - 500 + 91 * place, 20_000 - 500 + 91 * (place + 1), float(np.log(1.2))) for place in range(6)]
    early = rolling.as_of(chosen, chosen.origins[0], orders=orders_off(chosen), money=seen)
    assert early.spend_level.factor == pytest.approx(1.2 ** (5 / 9))  # the sixth is not over on that day
    late = rolling.as_of(chosen, chosen.origins[1], orders=orders_off(chosen), money=seen)
    assert late.spend_level.factor == pytest.approx(1.2 ** (6 / 10))


@pytest.mark.parametrize(("is_used", "factor"), [(True, 1.5), (False, 1.0)])
def test_the_season_is_the_one_known_on_that_day(is_used, factor):
    chosen = make_choice(1.0, 1.0, season=is_used)
    known = rolling.as_of(chosen, chosen.origins[0], orders=orders_off(chosen), money=[])
    assert known.factor(20_001, 100) == factor
    assert not known.season.is_known


# The models of a month ago


def test_the_same_models_say_the_same(log, decided, cards):
    found = rolling.last_month(log, decided, cards, replace(decided, level=Level(1.3, "", 3)))
    assert (found.model, found.spend_model) == (decided.purchase, decided.spend)
    assert [one.orders for one in found.said] == [card.orders.predicted for card in cards]
    assert [one.spend for one in found.said] == [card.spend.predicted for card in cards]
    assert [one.mae for one in found.said] == [card.mae for card in cards]


def test_other_models_are_judged_at_the_same_origins(log, decided, cards):
    other = next(name for name in choice.COMPETING if name != decided.purchase)
    found = rolling.last_month(log, decided, cards, Choice(purchase=other, spend=decided.spend))
    assert found.model == other
    for said, one in zip(found.said, decided.origins, strict=True):
        judged = one.purchase[other]
        assert said.orders / judged.predicted == pytest.approx(1.0, rel=0.3)  # corrected by what was known then
    assert found.said[0].orders == pytest.approx(cards[0].orders.predicted)  # the level is the mean of all models
    assert found.said[0].mae != pytest.approx(cards[0].mae, rel=1e-9)


def test_models_that_could_not_be_fitted_say_nothing(log, decided, cards):
    other = next(name for name in choice.COMPETING if name != decided.purchase)
    first = decided.origins[0]
    without = replace(first, purchase={name: one for name, one in first.purchase.items() if name != other})
    lacking = replace(decided, origins=[without, *decided.origins[1:]])
    found = rolling.last_month(log, lacking, cards, Choice(purchase=other))
    assert found == LastMonth(other, choice.USUAL_SPEND, [None] * len(cards))


def test_last_month_survives_json(cards):
    found = LastMonth("Pareto/NBD", "Log-normal", [None, Plain(10.0, None, 0.5), Plain(10.0, 3.0, 0.5)])
    assert LastMonth.from_dict(json.loads(json.dumps(found.as_dict()))) == found


# Shops that are not like others


def with_values(log, change):
    """The same log with other money."""
    value = np.where(log.orders > 0, change(log), log.value)
    return replace(log, value=value, margin=np.rint(0.4 * value))


def one_huge(log):
    return np.where(np.arange(log.value.size) == log.value.size // 2, 1e9, log.value)


def with_a_gap(log):
    """A year without an order in the middle."""
    late = log.order_day > log.start + 150
    shift = np.where(late, 365, 0)
    return replace(log, order_day=log.order_day + shift, seen_on=log.seen_on + shift, end=log.end + 365)


@pytest.mark.parametrize(
    "shop",
    [
        pytest.param(lambda: make_shop(customers=1200, days=300, start=-5000), id="before-1970"),
        pytest.param(lambda: with_values(make_shop(customers=1200, days=300), one_huge), id="one-huge-order"),
        pytest.param(
            lambda: with_values(make_shop(customers=1200, days=300), lambda log: 0 * log.value), id="no-money"
        ),
        pytest.param(lambda: with_values(make_shop(customers=1200, days=300), lambda log: -log.value), id="losses"),
        pytest.param(lambda: with_a_gap(make_shop(customers=3000, days=300)), id="a-gap"),
    ],
)
def test_cards_are_finite_and_ordered(shop):
    log = shop()
    found = rolling.cards(log, choice.decide(log))
    assert found
    for card in found:
        json.dumps(card.as_dict(), allow_nan=False)
        assert card.orders.low <= card.orders.predicted <= card.orders.high
        assert card.spend is None or card.spend.low <= card.spend.predicted <= card.spend.high
        assert 0 <= card.coverage_80 <= 1
