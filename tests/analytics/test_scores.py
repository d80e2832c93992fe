"""RFM: fifths with ties at the lower score, and one name for each cell."""

import itertools
import json

import numpy as np
import pytest

from analytics import scores
from analytics.scores import Name


def fifths(*values):
    column = np.array(values)
    return scores.apply(column, scores.quintile_cuts(column)).tolist()


# Quintiles


def test_ten_different_values_are_two_in_each_fifth():
    assert fifths(*range(10)) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_five_values_are_one_in_each_fifth():
    assert fifths(50, 10, 40, 20, 30) == [5, 1, 4, 2, 3]


def test_ties_share_the_lower_score():
    assert fifths(1, 1, 1, 1, 1, 1, 1, 2, 2, 3) == [1, 1, 1, 1, 1, 1, 1, 4, 4, 5]


def test_all_equal_is_the_lowest_score():
    assert fifths(7, 7, 7, 7, 7) == [1, 1, 1, 1, 1]


def test_one_value_is_the_lowest_score():
    assert fifths(7) == [1]


def test_fewer_values_than_fifths():
    assert fifths(3, 1, 2) == [4, 1, 2]


def test_score_counts_the_fifths_strictly_below():
    chance = np.random.default_rng(1)
    for n in (1, 2, 3, 4, 5, 6, 9, 11, 101, 500):
        values = chance.integers(0, max(2, n // 2), n)
        below = np.array([np.sum(values < value) for value in values])

        found = scores.apply(values, scores.quintile_cuts(values))

        assert np.array_equal(found, 1 + np.floor(5 * below / n)), n


def test_no_values_have_no_cuts_and_everyone_the_lowest_score():
    assert scores.quintile_cuts(np.array([])) == ()
    assert scores.apply(np.array([3.0, 4.0]), ()).tolist() == [1, 1]


def test_cuts_rise():
    cuts = scores.quintile_cuts(np.random.default_rng(2).normal(size=1000))

    assert len(cuts) == 4
    assert list(cuts) == sorted(cuts)


def test_shards_apply_the_same_cuts():
    values = np.random.default_rng(3).integers(0, 50, 1000)
    cuts = scores.quintile_cuts(values)

    parts = [scores.apply(part, cuts) for part in np.array_split(values, 7)]

    assert np.array_equal(np.concatenate(parts), scores.apply(values, cuts))


def test_money_below_zero_is_ordered_too():
    assert fifths(-5.0, -1.0, 0.0, 2.0, 9.0) == [1, 2, 3, 4, 5]


def test_cuts_survive_json():
    cuts = scores.Cuts(recency=(-9.0, -5.0, -2.0, -1.0), frequency=(), margin=(0.1, 0.2, 0.3, 0.4))

    assert scores.Cuts.from_dict(json.loads(json.dumps(cuts.as_dict()))) == cuts


# Names


@pytest.mark.parametrize(
    ("recency", "frequency", "name"),
    [
        (5, 5, Name.CHAMPIONS),
        (5, 4, Name.CHAMPIONS),
        (5, 3, Name.POTENTIAL_LOYALISTS),
        (5, 2, Name.POTENTIAL_LOYALISTS),
        (5, 1, Name.NEW),
        (4, 5, Name.LOYAL),
        (4, 4, Name.LOYAL),
        (4, 3, Name.POTENTIAL_LOYALISTS),
        (4, 2, Name.POTENTIAL_LOYALISTS),
        (4, 1, Name.PROMISING),
        (3, 5, Name.LOYAL),
        (3, 4, Name.LOYAL),
        (3, 3, Name.NEEDS_ATTENTION),
        (3, 2, Name.ABOUT_TO_SLEEP),
        (3, 1, Name.ABOUT_TO_SLEEP),
        (2, 5, Name.CANT_LOSE),
        (2, 4, Name.AT_RISK),
        (2, 3, Name.AT_RISK),
        (2, 2, Name.HIBERNATING),
        (2, 1, Name.HIBERNATING),
        (1, 5, Name.CANT_LOSE),
        (1, 4, Name.AT_RISK),
        (1, 3, Name.AT_RISK),
        (1, 2, Name.HIBERNATING),
        (1, 1, Name.HIBERNATING),
    ],
)
def test_name_of_each_cell(recency, frequency, name):
    assert scores.GRID[recency, frequency] == name


def test_each_of_the_25_cells_is_named_exactly_once():
    named = [cell for _, recency, frequency in scores.DEFINITIONS for cell in itertools.product(recency, frequency)]

    assert sorted(named) == list(itertools.product(range(1, 6), repeat=2))


def test_each_name_has_a_definition():
    assert {name for name, _, _ in scores.DEFINITIONS} == set(Name) - {Name.NONE}


def test_slugs_are_stable():
    assert {name.value: name.slug for name in Name} == {
        0: "",
        1: "champions",
        2: "loyal",
        3: "potential-loyalists",
        4: "new",
        5: "promising",
        6: "needs-attention",
        7: "about-to-sleep",
        8: "at-risk",
        9: "cant-lose",
        10: "hibernating",
    }


def test_labels_are_what_people_read():
    assert Name.CANT_LOSE.label == "Can't lose"
    assert Name.ABOUT_TO_SLEEP.label == "About to sleep"
    assert Name.CHAMPIONS.label == "Champions"
    assert Name.NONE.label == ""


# Customers


def rank(order_days, last_age, margin):
    columns = {
        "order_days": np.array(order_days, dtype=np.int32),
        "last_age": np.array(last_age, dtype=np.int32),
        "margin": np.array(margin, dtype=np.float64),
    }
    return scores.rfm(scores.rfm_cuts(**columns), **columns)


def test_latest_often_and_profitable_is_a_champion():
    found = rank([1, 2, 3, 4, 5], [50, 40, 30, 20, 10], [1, 2, 3, 4, 5])

    assert found.recency.tolist() == [1, 2, 3, 4, 5]
    assert found.frequency.tolist() == [1, 2, 3, 4, 5]
    assert found.margin.tolist() == [1, 2, 3, 4, 5]
    assert Name(found.name[4]) is Name.CHAMPIONS
    assert Name(found.name[0]) is Name.HIBERNATING


def test_margin_does_not_change_the_name():
    poor = rank([1, 2, 3, 4, 5], [50, 40, 30, 20, 10], [5, 4, 3, 2, 1])
    rich = rank([1, 2, 3, 4, 5], [50, 40, 30, 20, 10], [1, 2, 3, 4, 5])

    assert np.array_equal(poor.name, rich.name)


def test_customers_without_an_order_that_stands_are_left_out():
    found = rank([0, 1, 2, 3, 4, 5, 0], [0, 50, 40, 30, 20, 10, 0], [0, 1, 2, 3, 4, 5, 0])

    assert found.frequency.tolist() == [0, 1, 2, 3, 4, 5, 0]
    assert found.name[[0, 6]].tolist() == [Name.NONE, Name.NONE]


def test_same_day_is_the_same_recency():
    found = rank([1] * 10, [7] * 10, [1.0] * 10)

    assert found.recency.tolist() == [1] * 10


def test_no_customers():
    found = rank([], [], [])

    assert found.name.shape == (0,)


def test_only_refunded_customers():
    assert rank([0, 0], [0, 0], [0, 0]).name.tolist() == [Name.NONE, Name.NONE]


def test_most_customers_bought_once_and_share_the_lowest_frequency():
    found = rank([1] * 7 + [2, 2, 3], range(10), [1.0] * 10)

    assert found.frequency.tolist() == [1] * 7 + [4, 4, 5]
