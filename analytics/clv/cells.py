"""Cells: customers who are alike in what is known of them from the first order on.

Acquisition channel, category of the first order, company or person. Parameters of their own (covariates.py) take many
customers, and each cell costs time, so that there are few: the finest crossing of the three properties is taken whose
cells still hold COVERED of all customers, the largest combinations of values become cells, and all other customers are
the rest, cell 0. A value that nobody gave is a value too.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from analytics.clv.history import History

FEWEST = 1_000  # customers of a cell
MOST = 12  # cells, the rest among them
COVERED = 0.75  # of all customers, to be in a cell

T = TypeVar("T")
Columns = TypeVar("Columns")


class Kind(NamedTuple):
    """What is known of a customer from the first order on; of a cell, None for what does not matter."""

    channel: str | None = ""
    category: int | None = 0
    company: bool | None = False


# The properties to tell customers apart by, the finest crossing first.
CROSSINGS = ((0, 1, 2), (0, 1), (0, 2), (1, 2), (0,), (1,), (2,))


def choose(counts: Mapping[Kind, int], *, fewest: int = FEWEST, most: int = MOST) -> tuple[Kind, ...]:
    """The cells after the rest, the largest first; none where customers cannot be told apart."""
    everyone = sum(counts.values())
    found = [_largest(counts, crossing, fewest, most) for crossing in CROSSINGS if _tells(counts, crossing, fewest)]
    covered = [sum(sizes.values()) for sizes in found]
    enough = (place for place, held in enumerate(covered) if held >= COVERED * everyone)
    best = next(enough, covered.index(max(covered)) if covered else None)
    return () if best is None else tuple(found[best])


def _tells(counts: Mapping[Kind, int], crossing: Sequence[int], fewest: int) -> bool:
    """Whether each of these properties parts the customers into groups of enough."""
    everyone = sum(counts.values())
    sizes = (_largest(counts, (place,), fewest, most=2).values() for place in crossing)
    return all(any(size <= everyone - fewest for size in one) for one in sizes)


def _largest(counts: Mapping[Kind, int], crossing: Sequence[int], fewest: int, most: int) -> dict[Kind, int]:
    """The customers of the largest cells; of equal ones the first in the order of their values."""
    sizes: Counter[Kind] = Counter()
    for kind, customers in counts.items():
        sizes[_of(kind, crossing)] += customers
    order = sorted(sizes, key=lambda kind: (-sizes[kind], [value for value in kind if value is not None]))
    return {kind: sizes[kind] for kind in order[: most - 1] if sizes[kind] >= fewest}


def _of(kind: Kind, crossing: Sequence[int]) -> Kind:
    return Kind._make(value if place in crossing else None for place, value in enumerate(kind))


def number(kinds: Sequence[Kind], cells: Sequence[Kind]) -> NDArray[np.int16]:
    """The cell of each customer of these kinds; 0 is the rest."""
    if not cells:
        return np.zeros(len(kinds), np.int16)
    crossing = [place for place, value in enumerate(cells[0]) if value is not None]
    places = {cell: place for place, cell in enumerate(cells, start=1)}
    return np.array([places.get(_of(kind, crossing), 0) for kind in kinds], np.int16)


def by_cell(each: Sequence[T], history: History, evaluate: Callable[[T, History], Columns]) -> Columns:
    """`evaluate` for the customers of each cell, with what `each` holds for it; columns in the order of the rows.

    `each` is one for every cell, or one alone that does for all. `evaluate` gives a dataclass of columns as long as the
    history that it was handed.
    """
    inhabited = _inhabited(each, history)
    if len(inhabited) == 1:
        return evaluate(each[inhabited[0]], history)
    rows = [np.flatnonzero(history.cell == cell) for cell in inhabited]
    found = [evaluate(each[cell], history.take(mine)) for cell, mine in zip(inhabited, rows, strict=True)]
    return _together(found, np.concatenate(rows))


def parts(each: Sequence[T], history: History) -> list[tuple[T, History]]:
    """The customers of each cell with what `each` holds for it, for sums; nobody is one part, too."""
    inhabited = _inhabited(each, history)
    if len(inhabited) == 1:
        return [(each[inhabited[0]], history)]
    return [(each[cell], history.take(np.flatnonzero(history.cell == cell))) for cell in inhabited]


def _inhabited(each: Sequence[T], history: History) -> list[int]:
    """The cells with customers, one at least."""
    found: list[int] = np.flatnonzero(np.bincount(history.cell)).tolist() if len(each) > 1 else []
    return found or [0]


def _together(parts: Sequence[Columns], rows: NDArray[np.intp]) -> Columns:
    """The parts' columns, one behind the other, in the order of the rows."""
    place = np.empty(rows.size, np.intp)
    place[rows] = np.arange(rows.size)
    first: Any = parts[0]
    columns = {each.name: np.concatenate([getattr(part, each.name) for part in parts])[place] for each in fields(first)}
    merged: Columns = type(first)(**columns)
    return merged
