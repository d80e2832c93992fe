"""Verdicts: the limits, from both sides, and what is said where nothing can be told."""

import math
from dataclasses import replace

import pytest
from django.utils import translation

from analytics import verdicts
from analytics.clv import churn
from analytics.clv.report_card import Total
from analytics.verdicts import Grade
from tests.cards import make_card, make_cards, make_learned


def grade(slug, cards, learned=None):
    return found(slug, cards, learned).grade


def found(slug, cards, learned=None):
    return next(one for one in verdicts.judge(cards, learned or make_learned()) if one.slug == slug)


def level(*ratios):
    return [make_card(orders=Total(1000 * ratio, 800, 1200, 1000)) for ratio in ratios]


def test_it_works():
    judged = verdicts.judge(make_cards(), make_learned())
    assert [one.slug for one in judged] == list(verdicts.MEASURES)
    assert {one.grade for one in judged} == {Grade.GOOD}
    assert verdicts.overall(judged) == "The predictions have been right about this shop's past."


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ((1.0, 1.0), Grade.GOOD),
        ((1.1, 1.1), Grade.GOOD),
        ((1 / 1.1, 1.1), Grade.GOOD),  # too low once, too high once: neither makes up for the other
        ((1.11, 1.11), Grade.FAIR),
        ((1 / 1.24, 1.24), Grade.FAIR),
        ((1.26, 1.26), Grade.POOR),
        ((1 / 1.3, 1.3), Grade.POOR),
        ((1.0, 1.0, 1.3), Grade.GOOD),
    ],
)
def test_level(ratios, expected):
    assert grade("orders", level(*ratios)) == expected


def test_level_says_how_far_and_in_which_direction():
    assert found("orders", level(0.9, 1.05)).sentence == (
        "8% away from what happened on average: predicted at 0.90 to 1.05 times of it on 2 past days."
    )


def test_spend_is_judged_like_orders():
    cards = [make_card(spend=Total(120.0, 90, 150, 100.0)) for _ in range(2)]
    assert grade("spend", cards) == Grade.FAIR
    assert grade("orders", cards) == Grade.GOOD


def test_where_there_is_no_money_spend_is_not_judged():
    cards = [replace(card, spend=None) for card in make_cards()]
    assert grade("spend", cards) == Grade.UNKNOWN
    assert found("spend", cards).sentence == "0 past days could be compared; it takes 2."


@pytest.mark.parametrize(
    ("mae", "naive", "expected"),
    [
        (0.90, 1.0, Grade.GOOD),
        (0.91, 1.0, Grade.FAIR),
        (1.0, 1.0, Grade.FAIR),
        (1.01, 1.0, Grade.POOR),
        (0.0, 0.0, Grade.UNKNOWN),
    ],
)
def test_error_beside_the_baseline(mae, naive, expected):
    assert grade("customers", [make_card(mae=mae, naive_mae=naive)] * 2) == expected


def test_error_says_both():
    assert found("customers", [make_card(mae=0.5, naive_mae=0.8)] * 2).sentence == (
        "Off by 0.50 order days per customer; the baseline by 0.80."
    )


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (0.80, Grade.GOOD),
        (0.75, Grade.GOOD),
        (0.85, Grade.GOOD),
        (0.74, Grade.FAIR),
        (0.86, Grade.FAIR),
        (0.65, Grade.FAIR),
        (0.92, Grade.FAIR),
        (0.64, Grade.POOR),
        (0.93, Grade.POOR),
    ],
)
def test_intervals(held, expected):
    assert grade("intervals", [make_card(coverage_80=held)] * 2) == expected


@pytest.mark.parametrize(
    ("held", "silent", "expected"),
    [(0.90, 0.87, Grade.GOOD), (0.95, 0.87, Grade.POOR), (0.99, 0.96, Grade.GOOD), (1.0, 1.0, Grade.GOOD)],
)
def test_intervals_where_most_order_nothing(held, silent, expected):
    """An interval for none holds everyone who orders nothing."""
    assert grade("intervals", [make_card(coverage_80=held, silent=silent)] * 2) == expected


@pytest.mark.parametrize(
    ("brier", "expected"),
    [(0.10, Grade.GOOD), (0.225, Grade.GOOD), (0.23, Grade.FAIR), (0.249, Grade.FAIR), (0.25, Grade.POOR)],
)
def test_risk_beside_the_average(brier, expected):
    """Half of them left: the average alone gets 0.25."""
    assert grade("risk", make_cards(), make_learned(brier=brier)) == expected


def test_risk_says_all_three():
    assert found("risk", make_cards(), make_learned(brier=0.2, brier_model=0.21)).sentence == (
        "Brier score 0.200 on 2,000 customers; the purchase model alone 0.210, the average for everyone 0.250."
    )


def test_risk_without_a_test_says_why():
    assert found("risk", make_cards(), churn.learn([])).sentence == (
        "There is no earlier day to compare with what followed."
    )
    once = replace(make_learned(), tested_on=0, brier=None, brier_model=None, curve=())
    assert found("risk", make_cards(), once).sentence == "It takes two past days, and there was one."


@pytest.mark.parametrize("happened", [0.0, 1.0])
def test_risk_where_everyone_did_the_same(happened):
    learned = replace(make_learned(brier=0.0), curve=(churn.Bin(50, 0.5, happened),))
    assert grade("risk", make_cards(), learned) == Grade.UNKNOWN


@pytest.mark.parametrize("count", [0, 1])
def test_one_past_day_is_too_few(count):
    judged = verdicts.judge(make_cards(count), churn.learn([]))
    assert {one.grade for one in judged} == {Grade.UNKNOWN}
    assert all(one.sentence for one in judged)
    assert verdicts.overall(judged) == "The past cannot tell yet how far the predictions can be trusted."


def test_one_past_day_is_said_in_the_singular():
    assert found("orders", make_cards(1)).sentence == "1 past day could be compared; it takes 2."


def test_overall_names_what_is_poor():
    judged = verdicts.judge(level(2.0, 2.0), make_learned())
    assert verdicts.overall(judged) == "Handle the predictions with care. Poor on past days: Level of orders."


def test_overall_with_something_fair():
    judged = verdicts.judge(level(1.2, 1.2), make_learned())
    assert verdicts.overall(judged).startswith("The predictions can be used to rank and to plan")


def test_overall_of_good_and_unknown_is_good():
    judged = verdicts.judge(make_cards(), churn.learn([]))
    assert verdicts.overall(judged) == "The predictions have been right about this shop's past."


@pytest.mark.parametrize(
    ("predicted", "actual"), [(0.0, 1000.0), (1000.0, 0.0), (1e7, 1.0), (-5.0, 100.0), (100.0, -5.0), (0.0, 0.0)]
)
def test_nothing_is_infinite(predicted, actual):
    judged = found("orders", [make_card(orders=Total(predicted, 0, 0, actual))] * 2)
    assert math.isfinite(verdicts.away([Total(predicted, 0, 0, actual)]))
    assert "inf" not in judged.sentence
    assert "nan" not in judged.sentence
    assert judged.grade == (Grade.GOOD if predicted == actual else Grade.POOR)


def test_sentences_are_made_when_they_are_read():
    judged = verdicts.judge(level(1.2, 1.2), make_learned())
    with translation.override("de"):
        again = verdicts.judge(level(0.85, 1.2), make_learned())
    assert [one.grade for one in again] == [one.grade for one in judged]
    assert "0,85" in again[0].sentence


def test_every_measure_states_its_limits():
    for measure in verdicts.MEASURES.values():
        assert str(measure.label)
        assert str(measure.definition)
        assert str(measure.limits).startswith("Good ")


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"orders": "good"}, {"orders": "poor"}, ["orders"]),
        ({"orders": "fair"}, {"orders": "poor"}, ["orders"]),
        ({"orders": "poor"}, {"orders": "poor"}, []),
        ({"orders": "unknown"}, {"orders": "poor"}, []),
        ({"orders": "good"}, {"orders": "unknown"}, []),
        ({"orders": "good"}, {"orders": "fair"}, []),
        ({}, {"orders": "poor"}, []),
        ({"orders": "good"}, {}, []),
        ({"risk": "good", "orders": "fair"}, {"risk": "poor", "orders": "poor"}, ["orders", "risk"]),
    ],
)
def test_slipped(before, now, expected):
    assert verdicts.slipped(before, now) == expected
