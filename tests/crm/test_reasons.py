"""The sentences behind a risk band."""

import pytest

from crm import reasons

PLAIN = {
    "band": "medium",
    "silent_days": 58,
    "usual_gap_days": 31.0,
    "order_days": 6,
    "order_chance": 0.42,
    "normal_chance": 0.9,
    "silence_chance": 0.4,
    "p_alive": 0.47,
    "horizon_days": 90,
    "fallback": "",
}


def told(**changed):
    return [f"{reason.lead} {reason.text}" for reason in reasons.of_band(**PLAIN | changed)]


def test_it_works():
    assert told() == [
        "Usually every 31 days, now 58 days since the last order. That is 1.9 times the usual gap.",
        (
            "42 in 100 like this order within 90 days. "
            "With this pace, 90 in 100 would if they were certainly still customers."
        ),
        "Still there? The chance that this is still a customer is 47 in 100.",
        "47% of the normal chance is left. Between 30% and 60% the risk is medium.",
    ]


def test_a_silence_within_the_pace_is_no_alarm():
    text = told(band="low", order_chance=0.8, silent_days=20)
    assert text[0].endswith("The silence is no longer than usual.")


def test_one_order_has_no_pace():
    first, *rest = told(order_days=1, usual_gap_days=None)
    assert first == "One order so far. No pace of their own yet; 58 days since the last order. The shop's pace counts."
    assert not any("Still there" in text for text in rest)


@pytest.mark.parametrize(
    ("band", "chance", "rule"),
    [("low", 0.8, "From 60% on the risk is low."), ("high", 0.1, "Below 30% the risk is high.")],
)
def test_the_rule_of_each_band(band, chance, rule):
    assert told(band=band, order_chance=chance)[-1].endswith(rule)


def test_a_rare_silence_is_the_rule_where_all_of_the_chance_is_left():
    text = told(band="high", order_chance=0.9, p_alive=1.0, silence_chance=0.002)[-1]
    assert text == (
        "With this pace, fewer than 1 in 100 stay silent for so long. "
        "Below 5 in 100 the risk is medium at least, below 1 in 100 it is high."
    )


def test_a_simple_estimate_says_so():
    text = told(fallback="40 customers have bought again; a model needs 200")[-1]
    assert text.startswith("Simple estimate. The shop's averages are used")


def test_a_small_chance_is_not_none():
    assert told(order_chance=0.001)[1].startswith("Fewer than 1 in 100")


def test_one_day_is_not_days():
    assert "now 1 day since" in told(silent_days=1)[0]


def test_no_order_left_says_so():
    assert "Every order was returned" in reasons.of_nothing()[0].text


def test_no_chance_at_all_divides_by_nothing():
    assert told(band="low", order_chance=0.0, normal_chance=0.0)[-1].startswith("100%")
