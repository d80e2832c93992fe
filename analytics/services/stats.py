"""What pages show of a whole run: counted per shard while the rows are at hand, added up when the run is indexed.

Integers only, so that any number of shards gives the same totals.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics import schemes
from analytics.clv import intervals
from core import pgcopy

MEASURES: Final = (
    *("customers", "clv_cents", "value_cents", "historic_cents", "active"),
    *("clv_36m_cents", "clv_lifetime_cents", "expected_milli", "orders"),  # expected: orders in thousandths
    *("contract_cents", "contract_36m_cents", "contract_lifetime_cents"),  # what contracts are of the values
    *("acquisition_cents", "cost_cents", "expected_cost_cents"),
)
MILLI: Final = 1000
# The predicted values, and what contracts are of them.
VALUES: Final = {
    "clv_cents": "contract_cents",
    "clv_36m_cents": "contract_36m_cents",
    "clv_lifetime_cents": "contract_lifetime_cents",
}

Totals = dict[str, dict[str, Any]]
Cells = dict[str, Counter[str]]


def of_shard(table: Mapping[str, pgcopy.Column], *, before: NDArray[np.int16], active_days: int) -> Totals:
    """Totals by segment and band (`"3/2": {customers, clv_cents, …}`), the same for each scheme, and moves between
    segments (`"2>3": customers`).
    """
    codes = {"segment", "churn_band", *(scheme.column for scheme in schemes.SCORED)}
    names = codes | set(MEASURES) & table.keys() | {"order_days", "last_age_days"}
    values = {name: table[name].values.astype(np.int64) for name in names}
    values["customers"] = np.ones_like(values["segment"])
    values["expected_milli"] = np.rint(MILLI * np.nan_to_num(table["expected_orders"].values)).astype(np.int64)
    stands = values["order_days"] > 0
    values["active"] = (stands & (values["last_age_days"] < active_days)).astype(np.int64)
    cells = _alike(values, sorted(codes))
    return {
        "cells": _by_code(cells, cells["segment"]),
        "moves": _moves(before, values["segment"]),
        "schemes": {scheme.slug: _by_code(cells, cells[scheme.column]) for scheme in schemes.SCORED},
    }


def _alike(values: Mapping[str, NDArray[np.int64]], codes: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """The measures of customers alike in every code, added up: a thousandth of the rows for what follows."""
    group = np.zeros_like(values["segment"])
    if not group.size:
        return dict(values)
    for name in codes:
        group = group * (values[name].max() + 1) + values[name]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sums = {name: np.add.reduceat(values[name][order], starts) for name in MEASURES}
    return sums | {name: values[name][order[starts]] for name in codes}


def _by_code(values: Mapping[str, NDArray[np.int64]], codes: NDArray[np.int64]) -> dict[str, dict[str, int]]:
    """The measures by code and band (`"2/3": {customers, …}`): one sort and exact sums of runs, however many codes."""
    group = codes * 10 + values["churn_band"]
    if not group.size:
        return {}
    order = np.argsort(group, kind="stable")
    group = group[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    sums = {name: np.add.reduceat(values[name][order], starts).tolist() for name in MEASURES}
    return {
        f"{code // 10}/{code % 10}": {name: sums[name][place] for name in MEASURES}
        for place, code in enumerate(group[starts].tolist())
    }


def _moves(before: NDArray[np.int16], after: NDArray[np.int64]) -> dict[str, int]:
    """How many customers went from which segment (0: not scored before) to which (0: every order came back)."""
    pairs, counts = np.unique(np.maximum(before, 0).astype(np.int64) * 100 + after, return_counts=True)
    return {f"{pair // 100}>{pair % 100}": count for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)}


def add_up(shards: Iterable[Totals]) -> dict[str, Any]:
    """The run's totals: for everybody, by segment and by band, moves between segments, and by kind of each scheme."""
    cells: Cells = {}
    of_schemes: dict[str, Cells] = {scheme.slug: {} for scheme in schemes.SCORED}
    moves: Counter[str] = Counter()
    for shard in shards:
        moves.update(shard["moves"])
        _add(cells, shard["cells"])
        for slug, own in shard["schemes"].items():
            _add(of_schemes[slug], own)
    return {
        "all": _sum(cells.values()),
        "segments": _group(cells, 0),
        "bands": _group(cells, 1),
        "cells": _plain(cells),
        "moves": dict(sorted(moves.items())),
        "schemes": {slug: totals(own) for slug, own in of_schemes.items()},
    }


def totals(cells: Cells) -> dict[str, Any]:
    """One scheme's totals by code, and by code and band."""
    return {"segments": _group(cells, 0), "cells": _plain(cells)}


def _add(cells: Cells, more: Mapping[str, Mapping[str, int]]) -> None:
    for key, cell in more.items():
        cells.setdefault(key, Counter()).update(cell)


def _plain(cells: Cells) -> dict[str, dict[str, int]]:
    return {key: dict(cell) for key, cell in sorted(cells.items())}


def _group(cells: Mapping[str, Counter[str]], part: int) -> dict[str, dict[str, int]]:
    keys = sorted({key.split("/")[part] for key in cells}, key=int)
    return {key: _sum(cell for name, cell in cells.items() if name.split("/")[part] == key) for key in keys}


def _sum(cells: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter(dict.fromkeys(MEASURES, 0))
    for cell in cells:
        total.update(cell)
    return dict(total)


def ends(
    whole: Mapping[str, int], widths: intervals.Widths | None, *, contracts: tuple[float, float]
) -> dict[str, list[int]]:
    """The 80 % intervals of the predicted values of everybody: low and high by measure. Empty without customers.

    `contracts`: how far the interval of their value of 12 months reaches below and above it. Their part is taken to be
    independent of that of orders, so that the distances add up as the sides of a right triangle.
    """
    if widths is None:
        return {}
    orders, found = whole["expected_milli"] / MILLI, {}
    of_orders = {name: whole[name] - whole[contract] for name, contract in VALUES.items()}
    for name, contract in VALUES.items():
        years = _years(of_orders[name], of_orders["clv_cents"])
        low, high = intervals.total_value(widths, orders, of_orders[name], years=years)
        longer = _years(whole[contract], whole["contract_cents"]) ** 1.5  # of a value so much larger, by the root of it
        below, above = (each * longer for each in contracts)
        found[name] = [
            round(whole[name] - math.hypot(of_orders[name] - low, below)),
            round(whole[name] + math.hypot(high - of_orders[name], above)),
        ]
    return found


def _years(value: int, year: int) -> float:
    """A value in values of 12 months, at least one."""
    return max(value / year, 1.0) if year > 0 else 1.0
