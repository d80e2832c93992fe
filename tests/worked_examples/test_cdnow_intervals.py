"""CDNOW's own past, origin by origin: what 80 % intervals held, what spend models said, and what fails beside them.

The figures of docs/models.md on this log, at fewer origins (tests/data/README.md).
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from analytics.clv import backtest, intervals, purchase, spend
from analytics.clv.backtest import Origin
from analytics.clv.intervals import Past
from analytics.services import order_files
from customers.importing import presets
from tests.analytics.cdnow import DATA

HORIZON = 120
FIRST_DAY = (np.datetime64("1997-04-30") - np.datetime64("1970-01-01")).astype(int)
ORIGINS = [int(FIRST_DAY) + 40 * k for k in range(8)]


@cache
def log():
    source = order_files.Source(paths=[DATA / "cdnow_sample.csv"], preset=presets.ORDERS["cdnow"])
    return order_files.read(source=source).log


@cache
def splits():
    return [backtest.split(log(), Origin(day, HORIZON)) for day in ORIGINS]


@cache
def rolled():
    """At each origin: the widths that knew the earlier outcomes, what was expected, and what happened."""
    seen, rows = [], []
    for split in splits():
        known = [one for one in seen if one[0] + HORIZON <= split.origin.day]
        past = Past(*(tuple(one[place] for one in known) for place in (1, 2, 3, 4)))
        params = purchase.MODELS["MBG/NBD"].fit(backtest.columns(split.history)).params
        spent = spend.fit("Credibility", split.history)
        widths = intervals.learn(params, spent, split.history, HORIZON, past)
        expected = intervals.expect(params, spent, split.history, HORIZON)
        value = np.maximum(split.value, 0.0)
        levels = intervals.needed_levels(widths, expected, split.order_days, value)
        ratios = np.sum(split.order_days) / np.sum(expected.orders), np.sum(value) / np.sum(expected.value)
        seen.append((split.origin.day, float(ratios[0]), float(ratios[1]), *levels))
        rows.append((widths, expected, split.order_days, value))
    return rows


def totals_held(change=lambda widths: widths):
    orders = [
        low <= np.sum(actual) <= high
        for widths, expected, actual, _ in rolled()
        for low, high in [intervals.total_orders(change(widths), float(np.sum(expected.orders)))]
    ]
    value = [
        low <= np.sum(brought) <= high
        for widths, expected, _, brought in rolled()
        for low, high in [
            intervals.total_value(change(widths), float(np.sum(expected.orders)), float(np.sum(expected.value)))
        ]
    ]
    return float(np.mean(orders)), float(np.mean(value))


def test_four_in_five_customers_are_held():
    """Of orders and of revenue; where more than four in five order nothing, as many are held, and a few more."""
    for widths, expected, orders, value in rolled():
        for ends, actual in ((intervals.order_ends, orders), (intervals.value_ends, value)):
            held = intervals.coverage(*ends(widths, expected), actual)
            assert 0.75 <= held <= max(0.85, np.mean(orders == 0) + 0.08)


def test_four_in_five_totals_are_held():
    orders, value = totals_held()

    assert orders >= 0.75
    assert value >= 0.75


def test_parameters_alone_hold_few_totals():
    """The control: what a Bayesian fit gives without outcomes and without the level's error."""
    orders, value = totals_held(
        lambda widths: replace(widths, order_error=0.0, value_error=0.0, order_spread=0.0, value_spread=0.0)
    )

    assert orders <= 0.4
    assert value <= 0.4


def test_eight_origins_narrow_what_is_usual():
    first, last = rolled()[0][0], rolled()[-1][0]

    wide, narrow = (np.divide(*intervals.total_orders(widths, 1_000.0)[::-1]) for widths in (first, last))
    assert narrow < wide
    assert last.order_freedom > first.order_freedom


def test_regular_buyers_are_held_as_well():
    """Not only those who order nothing: of customers with five repeat order days and more, two in three at least."""
    held = []
    for widths, expected, orders, _ in rolled():
        low, high = intervals.order_ends(widths, expected)
        rows = expected.x >= 5
        held.append(intervals.coverage(low[rows], high[rows], orders[rows]))

    assert np.mean(held) >= 0.6


# Spend, with the number of order days known


def said(name):
    """Level and distance of one spend model over the origins."""
    levels, distances = [], []
    for split in splits():
        each = spend.expected_spend(spend.fit(name, split.history).params, split.history)
        brought = np.maximum(split.value, 0.0)
        levels.append(np.sum(split.order_days * each) / np.sum(brought))
        distances.append(np.sum(np.abs(split.order_days * each - brought)) / np.sum(brought))
    return float(np.mean(levels)), float(np.mean(distances))


@pytest.mark.parametrize("name", sorted(spend.MODELS))
def test_every_spend_model_is_within_a_tenth(name):
    level, _ = said(name)

    assert level == pytest.approx(1.0, abs=0.1)


def test_credibility_is_nearer_to_each_customer_than_gamma_gamma():
    _, credibility = said("Credibility")
    _, gamma_gamma = said("Gamma-Gamma")

    assert credibility < 0.97 * gamma_gamma


def test_first_orders_are_what_brings_it_nearer():
    """The control: with first orders left out, credibility is no nearer than the rest."""
    with_first, without = [], []
    for split in splits():
        params = spend.fit("Credibility", split.history).params
        later = replace(
            split.history, value=split.history.repeat_value, order_days=np.maximum(split.history.order_days, 1)
        )
        brought = np.maximum(split.value, 0.0)
        for found, history in ((with_first, split.history), (without, later)):
            each = spend.expected_spend(params, history)
            once = split.history.order_days == 1
            found.append(np.sum(np.abs(split.order_days * each - brought)[once]) / np.sum(brought[once]))

    assert np.mean(with_first) < np.mean(without)
