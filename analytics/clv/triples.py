"""Distinct histories: what a likelihood that needs (x, t_x, T) together is summed over.

A million customers counted in days have some 250,000 distinct (x, t_x, T) and 30,000 distinct (x, t): each is worked on
once.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.clv import beta_geometric
from analytics.clv.params import FloatArray

BINS = 60  # of the mean age: coarser ones move the maximum along a ridge


@dataclass(frozen=True, slots=True)
class Triples:
    """The distinct histories and how many customers have each; times in `scale`s, about the mean age."""

    customers: int
    repeat: int  # customers with x > 0
    orders: float  # repeat orders of all
    scale: float
    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    count: FloatArray


def of(*, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Triples:
    """Repeat orders x, their last t_x and the age T: columns of one length, one unit of time.

    Raises ValueError for what cannot be a history, as beta_geometric.tally does.
    """
    columns = [np.asarray(column, dtype=np.float64) for column in (x, t_x, T)]
    beta_geometric.check(*columns)
    values, places = zip(*(np.unique(column, return_inverse=True) for column in columns), strict=True)
    return _counted(list(values), list(places), float(np.mean(columns[2])) or 1.0)


def of_days(
    *, x: NDArray[np.integer[Any]], t_x: NDArray[np.integer[Any]], T: NDArray[np.integer[Any]], days: float
) -> Triples:
    """As `of` for times in whole days, `days` to the unit of time: no sorting of columns."""
    beta_geometric.check(x, t_x, T)
    values = [np.arange(int(np.max(column)) + 1) / unit for column, unit in ((x, 1.0), (t_x, days), (T, days))]
    return _counted(values, [x, t_x, T], float(np.mean(T)) / days or 1.0)


def _counted(values: list[FloatArray], places: list[NDArray[Any]], scale: float) -> Triples:
    """Histories given by their places in the lists of values."""
    widths = [column.size for column in values]
    key = (places[0].astype(np.int64) * widths[1] + places[1]) * widths[2] + places[2]
    distinct, counts = np.unique(key, return_counts=True)
    count = counts.astype(np.float64)
    x = values[0][distinct // (widths[1] * widths[2])]
    return Triples(
        customers=key.size,
        repeat=int(np.sum(counts[x > 0])),
        orders=float(np.sum(count * x)),
        scale=scale,
        x=x,
        t_x=values[1][distinct // widths[2] % widths[1]] / scale,
        T=values[2][distinct % widths[2]] / scale,
        count=count,
    )


def coarse(data: Triples) -> Triples:
    """Nearly the same histories with much fewer distinct ones: times in bins of a BINS-th of the mean age.

    Who bought once keeps t_x = 0; nobody's last order moves beyond her age.
    """
    bin_x, bin_t_x, bin_T = data.x.astype(np.int64), *((BINS * t).astype(np.int64) for t in (data.t_x, data.T))
    width = int(np.max(bin_T)) + 1
    distinct, place = np.unique((bin_x * width + bin_t_x) * width + bin_T, return_inverse=True)
    x = (distinct // width**2).astype(np.float64)
    return replace(
        data,
        x=x,
        t_x=np.where(x > 0, (distinct // width % width + 0.5) / BINS, 0.0),
        T=(distinct % width + 0.5) / BINS,
        count=np.bincount(place, weights=data.count).astype(np.float64),
    )


def pairs(x: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """The distinct (x, t) of two columns, and for each row its place among them."""
    x_values, x_place = _distinct(x)
    t_values, t_place = np.unique(t, return_inverse=True)
    width = max(t_values.size, 1)
    keys, place = places(x_place * width + t_place, x_values.size * width)
    return x_values[keys // width], t_values[keys % width], place


def _distinct(x: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """The distinct values and each row's place among them; without sorting for small whole numbers."""
    if x.size and np.max(x) < x.size and np.all(x == np.floor(x)) and np.min(x) >= 0:
        values, place = places(x.astype(np.intp), int(np.max(x)) + 1)
        return values.astype(np.float64), place
    return np.unique(x, return_inverse=True)


def places(key: NDArray[np.intp], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """As np.unique for whole numbers below `size`: a bitmap where it is small, else a sort."""
    if size > max(4 * key.size, 1_000_000):
        return np.unique(key, return_inverse=True)
    seen = np.zeros(size, dtype=np.bool_)
    seen[key] = True
    distinct = np.flatnonzero(seen)
    at = np.empty(size, dtype=np.intp)
    at[distinct] = np.arange(distinct.size)
    return distinct, at[key]
