"""Spend models and intervals over rolling origins of an order file: what was expected, what happened, what was held.

    uv run python -m benchmarks.rolling FILE [--preset P] [--horizon DAYS] [--step DAYS] [--model NAME]

Each spend model gets the number of order days that happened, so that only money is judged: the level is what it says
of all of them over what they brought, the distance the sum over customers of |said − brought|. Intervals know of an
earlier origin as soon as its outcome was known. Beside them stand intervals of the parameters alone, as Bayesian tools
give them, and of parameters and outcomes.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from analytics.clv import backtest, fitting, intervals, levels, purchase, spend
from analytics.clv.backtest import Origin, Split
from analytics.clv.intervals import Past, Widths
from analytics.clv.levels import Seen
from analytics.services import order_files
from customers.importing import presets

FIRST = 90  # days of history before the first origin
SHORT = 16  # characters of a column


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--preset", default="generic", choices=sorted(presets.ORDERS))
    parser.add_argument("--horizon", type=int, default=60)
    parser.add_argument("--step", type=int, default=30)
    parser.add_argument("--model", default=purchase.MBG_NBD, choices=sorted(purchase.MODELS))
    given = parser.parse_args()
    found = order_files.read(source=order_files.Source(paths=[given.file], preset=presets.ORDERS[given.preset]))
    days = range(found.log.start + FIRST, found.log.end - given.horizon + 1, given.step)
    splits = [backtest.split(found.log, Origin(day, given.horizon)) for day in days]
    spends(splits)
    held(splits, given.model, given.horizon)


def spends(splits: list[Split]) -> None:
    """Levels at each origin, and their mean beside the mean distance."""
    print("spend, said / brought, order days known" + "".join(f"{backtest.date_of(s.origin.day):>12}" for s in splits))
    for name in spend.MODELS:
        said, distances = zip(*(_judged(name, split) for split in splits), strict=True)
        row = "".join(f"{level:12.2f}" for level in said)
        print(f"{name:39}{row}   mean {np.nanmean(said):.3f}, distance {np.nanmean(distances):.3f}")


def _judged(name: str, split: Split) -> tuple[float, float]:
    try:
        params = spend.fit(name, split.history).params
    except fitting.DidNotConverge as problem:
        print(f"{backtest.date_of(split.origin.day)} {problem}", file=sys.stderr)
        return float("nan"), float("nan")
    said, brought = split.order_days * spend.expected_spend(params, split.history), np.maximum(split.value, 0.0)
    return float(np.sum(said) / np.sum(brought)), float(np.sum(np.abs(said - brought)) / np.sum(brought))


def held(splits: list[Split], model: str, days: int) -> None:
    """Shares of customers and of totals that 80 % intervals held."""
    columns = ("zero", "orders", "value", "level", "said/true", "money", "total", "total €", "no level", "params")
    print("80 % intervals".ljust(SHORT) + "".join(f"{column:>10}" for column in columns))
    seen: list[tuple[int, tuple[float, float], tuple[float, float]]] = []
    rows = []
    for split in splits:
        known = [one for one in seen if one[0] + days <= split.origin.day]
        row, ratios, needed = _origin(split, model, _past(known, days))
        seen.append((split.origin.day, ratios, needed))
        rows.append(row)
        print(backtest.date_of(split.origin.day).ljust(SHORT) + "".join(f"{figure:10.3f}" for figure in row))
    print("mean".ljust(SHORT) + "".join(f"{figure:10.3f}" for figure in np.mean(rows, axis=0)))


def _past(known: list[tuple[int, tuple[float, float], tuple[float, float]]], days: int) -> Past:
    orders, value = (tuple(one[1][place] for one in known) for place in (0, 1))
    needed = (tuple(one[2][place] for one in known) for place in (0, 1))
    return Past(orders, value, *needed, levels.independent([Seen(one[0], one[0] + days, 0.0) for one in known]))


def _origin(split: Split, model: str, past: Past) -> tuple[list[float], tuple[float, float], tuple[float, float]]:
    """A row of the table, the ratios actual / expected, and the levels that would have held four in five."""
    history, days, value = split.history, float(split.origin.horizon_days), np.maximum(split.value, 0.0)
    params = purchase.MODELS[model].fit(backtest.columns(history)).params
    widths = intervals.learn(params, spend.preferred(history)[0], history, days, past)
    expected = intervals.expect(params, widths.spent, history, days)
    orders, money = float(np.sum(expected.orders)), float(np.sum(expected.value))
    true, brought = float(np.sum(split.order_days)), float(np.sum(value))
    no_level = replace(widths, order_error=0.0)
    row = [
        float(np.mean(split.order_days == 0)),
        intervals.coverage(*intervals.order_ends(widths, expected), split.order_days),
        intervals.coverage(*intervals.value_ends(widths, expected), value),
        widths.order_level,
        orders / true,
        money / brought,
        _is_held(intervals.total_orders(widths, orders), true),
        _is_held(intervals.total_value(widths, orders, money), brought),
        _is_held(intervals.total_orders(no_level, orders), true),
        _is_held(intervals.total_orders(_parameters_alone(no_level), orders), true),
    ]
    return row, (true / orders, brought / money), intervals.needed_levels(widths, expected, split.order_days, value)


def _parameters_alone(widths: Widths) -> Widths:
    return replace(widths, order_spread=0.0)


def _is_held(ends: tuple[float, float], true: float) -> float:
    return float(ends[0] <= true <= ends[1])


if __name__ == "__main__":
    main()
