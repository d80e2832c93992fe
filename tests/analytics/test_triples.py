"""Distinct histories: everyone is counted once, in days as in weeks, and nothing impossible gets in."""

import numpy as np
import pytest

from analytics.clv import triples
from tests.analytics import cdnow


def days():
    past = cdnow.history()
    return past.order_days - 1, past.first_age - past.last_age, past.first_age


def test_everyone_is_counted_once():
    x, t_x, T = days()

    data = triples.of_days(x=x, t_x=t_x, T=T, days=7.0)

    assert data.customers == data.count.sum() == 2357
    assert data.repeat == data.count[data.x > 0].sum() == 946
    assert data.orders == np.dot(data.count, data.x) == x.sum()


def test_they_are_distinct_and_the_given_ones():
    x, t_x, T = days()

    data = triples.of_days(x=x, t_x=t_x, T=T, days=7.0)

    found = np.array([data.x, data.t_x * data.scale * 7.0, data.T * data.scale * 7.0]).round(6).T
    assert {tuple(row) for row in found.tolist()} == set(zip(x.tolist(), t_x.tolist(), T.tolist(), strict=True))
    assert len(found) == len({tuple(row) for row in found.tolist()})


def test_days_and_weeks_tell_the_same():
    x, t_x, T = days()

    by_days = triples.of_days(x=x, t_x=t_x, T=T, days=7.0)
    by_weeks = triples.of(x=x, t_x=t_x / 7.0, T=T / 7.0)

    assert by_days.scale == pytest.approx(by_weeks.scale, rel=1e-14)
    assert np.array_equal(by_days.count, by_weeks.count)
    for name in ("x", "t_x", "T"):
        assert getattr(by_days, name) == pytest.approx(getattr(by_weeks, name), rel=1e-14)


def test_scale_is_the_mean_age():
    assert triples.of(x=[0, 1], t_x=[0.0, 2.0], T=[4.0, 8.0]).scale == 6.0


def test_everyone_came_today():
    data = triples.of_days(x=np.array([0, 0]), t_x=np.array([0, 0]), T=np.array([0, 0]), days=7.0)

    assert (data.scale, data.customers, data.repeat, data.count.tolist()) == (1.0, 2, 0, [2.0])


def test_pairs_are_distinct_and_each_row_finds_its_own():
    chance = np.random.default_rng(1)
    x, t = chance.integers(0, 9, 500).astype(float), chance.integers(0, 30, 500) / 7.0

    x_values, t_values, place = triples.pairs(x, t)

    assert np.array_equal(x_values[place], x)
    assert np.array_equal(t_values[place], t)
    assert len(set(zip(x_values.tolist(), t_values.tolist(), strict=True))) == x_values.size < 300


@pytest.mark.parametrize(
    "x", [[0.5, 0.5, 2.25], [-1.0, 0.0, -1.0], [1e15, 0.0, 1e15]], ids=["fraction", "negative", "huge"]
)
def test_pairs_of_any_numbers(x):
    x_values, t_values, place = triples.pairs(np.array(x), np.array([3.0, 4.0, 3.0]))

    assert np.array_equal(x_values[place], x)
    assert np.array_equal(t_values[place], [3.0, 4.0, 3.0])


def test_many_values_are_sorted_where_a_bitmap_would_be_too_large():
    x, t = np.arange(3000.0), np.arange(3000.0) / 3.0

    x_values, t_values, place = triples.pairs(x, t)

    assert x_values.size == 3000
    assert np.array_equal(x_values[place], x)
    assert np.array_equal(t_values[place], t)


def test_no_pairs():
    x_values, t_values, place = triples.pairs(np.empty(0), np.empty(0))

    assert x_values.size == t_values.size == place.size == 0


@pytest.mark.parametrize(
    ("x", "t_x", "T", "message"),
    [
        ([-1.0], [0.0], [1.0], "x ≥ 0"),
        ([1.0], [2.0], [1.0], "t_x ≤ T"),
        ([1.0], [0.0], [1.0], "t_x > 0"),
        ([np.nan], [0.0], [1.0], "finite"),
        ([1.0], [1.0], [np.inf], "finite"),
        ([1.0, 2.0], [1.0], [1.0], "one length"),
        ([], [], [], "at least one"),
    ],
)
def test_impossible_histories_are_refused(x, t_x, T, message):
    with pytest.raises(ValueError, match=message):
        triples.of(x=x, t_x=t_x, T=T)


def test_impossible_days_are_refused():
    with pytest.raises(ValueError, match="t_x ≤ T"):
        triples.of_days(x=np.array([1]), t_x=np.array([9]), T=np.array([8]), days=7.0)


def test_coarse_histories_are_the_same_customers_with_fewer_times():
    x, t_x, T = days()
    data = triples.of_days(x=x, t_x=t_x, T=T, days=7.0)

    coarse = triples.coarse(data)

    assert coarse.count.size < data.count.size
    assert np.unique(coarse.T).size < np.unique(data.T).size
    assert coarse.count.sum() == data.customers
    assert np.dot(coarse.count, coarse.x) == data.orders
    assert np.all(coarse.t_x <= coarse.T)
    assert np.all((coarse.t_x == 0) == (coarse.x == 0))
    assert np.dot(coarse.count, coarse.T) / data.customers == pytest.approx(np.dot(data.count, data.T) / 2357, rel=0.01)


def test_times_are_found_at_their_places():
    x, t_x, T = days()
    data = triples.of_days(x=x, t_x=t_x, T=T, days=7.0)

    for each in (data, triples.coarse(data), triples.of(x=x, t_x=t_x / 7.0, T=T / 7.0)):
        assert np.all(np.diff(each.times) > 0)
        assert np.array_equal(each.times[each.last], each.t_x)
        assert np.array_equal(each.times[each.end], each.T)


def test_keys_too_large_for_32_bits_are_told_apart():
    x, t_x, T = np.array([0, 9_999, 9_999, 1]), np.array([0, 19_998, 19_997, 1]), np.array([19_999, 19_999, 19_999, 1])

    data = triples.of_days(x=x, t_x=t_x, T=T, days=1.0)

    found = np.array([data.x, data.t_x * data.scale, data.T * data.scale]).round(6).T
    assert found.tolist() == [[0, 0, 19_999], [1, 1, 1], [9_999, 19_997, 19_999], [9_999, 19_998, 19_999]]
