"""RFM: recency, frequency and margin in quintiles, and the names that people use for them.

Cut points are a step of their own: they need every customer, applying them needs one. So a night computes
them once and its shards apply them.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

QUINTILES = 5


class Name(IntEnum):
    """Segments by their numbers in the database; NONE is a customer without an order that stands."""

    NONE = 0
    CHAMPIONS = 1
    LOYAL = 2
    POTENTIAL_LOYALISTS = 3
    NEW = 4
    PROMISING = 5
    NEEDS_ATTENTION = 6
    ABOUT_TO_SLEEP = 7
    AT_RISK = 8
    CANT_LOSE = 9
    HIBERNATING = 10

    @property
    def slug(self) -> str:
        """As it stands in URLs, files and the database: `cant-lose`; empty for NONE."""
        return "" if self is Name.NONE else self.name.lower().replace("_", "-")

    @property
    def label(self) -> str:
        """As people read it: `Can't lose`; empty for NONE."""
        return "Can't lose" if self is Name.CANT_LOSE else self.slug.replace("-", " ").capitalize()


# Name, its R scores, its F scores. The rectangles do not overlap and cover all 25 cells, so that no order
# of precedence is needed.
DEFINITIONS = (
    (Name.CHAMPIONS, (5,), (4, 5)),
    (Name.LOYAL, (3, 4), (4, 5)),
    (Name.POTENTIAL_LOYALISTS, (4, 5), (2, 3)),
    (Name.NEW, (5,), (1,)),
    (Name.PROMISING, (4,), (1,)),
    (Name.NEEDS_ATTENTION, (3,), (3,)),
    (Name.ABOUT_TO_SLEEP, (3,), (1, 2)),
    (Name.AT_RISK, (1, 2), (3, 4)),
    (Name.CANT_LOSE, (1, 2), (5,)),
    (Name.HIBERNATING, (1, 2), (1, 2)),
)


def _grid() -> NDArray[np.int8]:
    """Numbers of the names by R and F; row and column 0 belong to customers without a score."""
    grid = np.full((QUINTILES + 1, QUINTILES + 1), Name.NONE, dtype=np.int8)
    for name, recency, frequency in DEFINITIONS:
        grid[np.ix_(recency, frequency)] = name
    return grid


GRID = _grid()


def quintile_cuts(values: NDArray[Any]) -> tuple[float, ...]:
    """Four cut points, rising; a value above k of them scores k + 1. Empty for no values.

    The score is 1 + the fifths of the customers that stand strictly below, so ties share the lower score.
    """
    n = values.size
    if n == 0:
        return ()
    places = [-(-k * n // QUINTILES) - 1 for k in range(1, QUINTILES)]  # the ceil(k·n/5)-th smallest
    return tuple(float(v) for v in np.partition(values, places)[places])


def apply(values: NDArray[Any], cuts: tuple[float, ...]) -> NDArray[np.int8]:
    """Scores 1 to 5 (1 for everyone without cuts), one for each value."""
    return (1 + np.searchsorted(np.asarray(cuts, dtype=np.float64), values, side="left")).astype(np.int8)


@dataclass(frozen=True, slots=True)
class Cuts:
    """Cut points of a night; recency counts days backwards, so that later is higher."""

    recency: tuple[float, ...]
    frequency: tuple[float, ...]
    margin: tuple[float, ...]

    def as_dict(self) -> dict[str, list[float]]:
        return {name: list(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: dict[str, list[float]]) -> Self:
        return cls(**{name: tuple(data[name]) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Rfm:
    """Scores 1 to 5 and the name's number, one for each customer; all 0 for order_days == 0."""

    recency: NDArray[np.int8]
    frequency: NDArray[np.int8]
    margin: NDArray[np.int8]
    name: NDArray[np.int8]


def rfm_cuts(*, order_days: NDArray[np.int32], last_age: NDArray[np.int32], margin: NDArray[Any]) -> Cuts:
    """Quintiles over the customers with an order that stands; last_age in days, margin in one unit."""
    known = order_days > 0
    return Cuts(
        recency=quintile_cuts(-last_age[known].astype(np.int64)),
        frequency=quintile_cuts(order_days[known]),
        margin=quintile_cuts(margin[known]),
    )


def rfm(cuts: Cuts, *, order_days: NDArray[np.int32], last_age: NDArray[np.int32], margin: NDArray[Any]) -> Rfm:
    """Score and name each customer by itself."""
    known = (order_days > 0).astype(np.int8)
    recency = known * apply(-last_age.astype(np.int64), cuts.recency)
    frequency = known * apply(order_days, cuts.frequency)
    return Rfm(
        recency=recency,
        frequency=frequency,
        margin=known * apply(margin, cuts.margin),
        name=GRID[recency, frequency],
    )
