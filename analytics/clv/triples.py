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
    times: FloatArray  # in order, all that t_x and T are
    last: NDArray[np.intp]  # the place of each t_x among them
    end: NDArray[np.intp]  # and of each T


def of(*, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Triples:
    """Repeat orders x, their last t_x and the age T: columns of one length, one unit of time.

    Raises ValueError for what cannot be a history, as beta_geometric.tally does.
    """
    columns = [np.asarray(column, dtype=np.float64) for column in (x, t_x, T)]
    beta_geometric.check(*columns)
    orders, place = np.unique(columns[0], return_inverse=True)
    times, at = np.unique(np.concatenate(columns[1:]), return_inverse=True)
    return _counted(orders, times, [place, *np.split(at, 2)], float(np.mean(columns[2])) or 1.0)


def of_days(
    *, x: NDArray[np.integer[Any]], t_x: NDArray[np.integer[Any]], T: NDArray[np.integer[Any]], days: float
) -> Triples:
    """As `of` for times in whole days, `days` to the unit of time: no sorting of columns."""
    beta_geometric.check(x, t_x, T)
    orders, ages = (np.arange(int(np.max(column)) + 1) for column in (x, T))
    return _counted(orders.astype(np.float64), ages / days, [x, t_x, T], float(np.mean(T)) / days or 1.0)


def _counted(orders: FloatArray, times: FloatArray, places: list[NDArray[Any]], scale: float) -> Triples:
    """Histories given by their places in the lists of values."""
    width = times.size
    is_short = orders.size * width**2 <= np.iinfo(np.int32).max
    kind: Any = np.int32 if is_short else np.int64  # short keys sort in half the time
    first, last, end = (place.astype(kind) for place in places)
    key = (first * width + last) * width + end
    distinct, counts = np.unique(key, return_counts=True)
    at_last, at_end = distinct // width % width, distinct % width
    count, x, scaled = counts.astype(np.float64), orders[distinct // width**2], times / scale
    return Triples(
        customers=key.size,
        repeat=int(np.sum(counts[x > 0])),
        orders=float(np.sum(count * x)),
        scale=scale,
        x=x,
        t_x=scaled[at_last],
        T=scaled[at_end],
        count=count,
        times=scaled,
        last=at_last.astype(np.intp),
        end=at_end.astype(np.intp),
    )


def coarse(data: Triples) -> Triples:
    """Nearly the same histories with much fewer distinct ones: times in bins of a BINS-th of the mean age.

    Who bought once keeps t_x = 0; nobody's last order moves beyond her age.
    """
    bin_x, bin_t_x, bin_T = data.x.astype(np.int64), *((BINS * t).astype(np.int64) for t in (data.t_x, data.T))
    width = int(np.max(bin_T)) + 1
    distinct, place = np.unique((bin_x * width + bin_t_x) * width + bin_T, return_inverse=True)
    x = (distinct // width**2).astype(np.float64)
    times = np.concatenate([[0.0], (np.arange(width) + 0.5) / BINS])
    last, end = np.where(x > 0, distinct // width % width + 1, 0), distinct % width + 1
    return replace(
        data,
        x=x,
        t_x=times[last],
        T=times[end],
        count=np.bincount(place, weights=data.count).astype(np.float64),
        times=times,
        last=last,
        end=end,
    )


def pairs(x: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """The distinct (x, t) of two columns, and for each row its place among them."""
    return pairs_at(x, *np.unique(t, return_inverse=True))


def pairs_at(x: FloatArray, times: FloatArray, at: NDArray[np.intp]) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """As `pairs` where each row's t is known by its place `at` among the `times`: nothing is sorted."""
    x_values, x_place = _distinct(x)
    width = max(times.size, 1)
    keys, place = places(x_place * width + at, x_values.size * width)
    return x_values[keys // width], times[keys % width], place


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
