"""What pages show of a whole run: counted per shard while the rows are at hand, added up when the run is indexed.

Integers only, so that any number of shards gives the same totals.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core import pgcopy

MEASURES: Final = ("customers", "clv_cents", "value_cents", "historic_cents", "active")

Totals = dict[str, dict[str, Any]]


def of_shard(table: Mapping[str, pgcopy.Column], *, before: NDArray[np.int16], active_days: int) -> Totals:
    """Totals by segment and band (`"3/2": {customers, clv_cents, …}`) and moves (`"2>3": customers`)."""
    values = {name: column.values.astype(np.int64) for name, column in table.items() if column.type != "float8"}
    values["customers"] = np.ones_like(values["segment"])
    stands = values["order_days"] > 0
    values["active"] = (stands & (values["last_age_days"] < active_days)).astype(np.int64)
    group = values["segment"] * 10 + values["churn_band"]
    cells = {
        f"{code // 10}/{code % 10}": {name: int(values[name][group == code].sum()) for name in MEASURES}
        for code in np.unique(group).tolist()
    }
    return {"cells": cells, "moves": _moves(before, values["segment"])}


def _moves(before: NDArray[np.int16], after: NDArray[np.int64]) -> dict[str, int]:
    """How many customers went from which segment (0: not scored before) to which (0: every order came back)."""
    pairs, counts = np.unique(np.maximum(before, 0).astype(np.int64) * 100 + after, return_counts=True)
    return {f"{pair // 100}>{pair % 100}": count for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)}


def add_up(shards: Iterable[Totals]) -> dict[str, Any]:
    """The run's totals: for everybody, by segment and by band, and the moves between segments."""
    cells: dict[str, Counter[str]] = {}
    moves: Counter[str] = Counter()
    for shard in shards:
        moves.update(shard["moves"])
        for key, cell in shard["cells"].items():
            cells.setdefault(key, Counter()).update(cell)
    return {
        "all": _sum(cells.values()),
        "segments": _group(cells, 0),
        "bands": _group(cells, 1),
        "cells": {key: dict(cell) for key, cell in sorted(cells.items())},
        "moves": dict(sorted(moves.items())),
    }


def _group(cells: Mapping[str, Counter[str]], part: int) -> dict[str, dict[str, int]]:
    keys = sorted({key.split("/")[part] for key in cells}, key=int)
    return {key: _sum(cell for name, cell in cells.items() if name.split("/")[part] == key) for key in keys}


def _sum(cells: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter(dict.fromkeys(MEASURES, 0))
    for cell in cells:
        total.update(cell)
    return dict(total)
