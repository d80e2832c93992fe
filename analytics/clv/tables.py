"""What depends on (x, T) only, computed once for each distinct pair and looked up row by row.

A million customers have some sixteen to thirty thousand pairs of repeat order days and age.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.clv import discount, grid, pareto_nbd, purchase, triples
from analytics.clv.history import WEEK, YEAR, Terms
from analytics.clv.params import BgNbdParams, FloatArray, MbgNbdParams, ParetoNbdParams

HALVINGS = 26  # to two seconds
FARTHEST = 3 * YEAR  # days: an order that is half due later than this has no date


@dataclass(frozen=True, slots=True)
class Alive:
    """Of customers who are still there, one column per customer; rows are the horizons of the terms."""

    orders: FloatArray  # horizons × customers
    discounted: FloatArray  # horizons × customers
    next_order: FloatArray  # days until an order is as likely as not; NaN beyond FARTHEST


def alive(params: purchase.Params, x: NDArray[np.int32], T: NDArray[np.int32], terms: Terms) -> Alive:
    """x repeat order days of customers who are T days old."""
    each, ages, place = pairs(x, T)
    rate = float(np.log1p(terms.discount_rate)) * WEEK / YEAR
    horizons = [days / WEEK for days in terms.horizons]
    orders, discounted = by_horizon(params, horizons, rate, each, ages / WEEK)
    return Alive(orders[:, place], discounted[:, place], _next_order(params, each, ages / WEEK)[place])


def by_horizon(
    params: purchase.Params, horizons: Sequence[float], rate: float, x: NDArray[np.int64], T: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """discount.by_horizon of many pairs; interpolated for the models that sum long series."""
    if not isinstance(params, BgNbdParams | MbgNbdParams) or x.size == 0:
        return discount.by_horizon(params, horizons, rate, x, T)

    def together(at_x: FloatArray, at_T: FloatArray) -> FloatArray:
        return np.concatenate(discount.by_horizon(params, horizons, rate, at_x, at_T))

    orders, discounted = np.split(grid.interpolated(together, x, T, params.alpha), 2)
    return orders, discounted


def _next_order(params: purchase.Params, x: NDArray[np.int64], T: FloatArray) -> FloatArray:
    """The median of the time to the next order at her pace, in days; by halving where nothing faster is known."""
    if isinstance(params, ParetoNbdParams):
        return WEEK * pareto_nbd.median_wait(params, x.astype(np.float64), T, longest=FARTHEST / WEEK)
    silent = purchase.model_of(params).p_silent_alive
    low, high = np.zeros(T.shape), np.full(T.shape, FARTHEST / WEEK)
    never = silent(params, high, x, T) > 0.5
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        is_later = silent(params, middle, x, T) > 0.5
        low, high = np.where(is_later, middle, low), np.where(is_later, high, middle)
    return np.where(never, np.nan, high * WEEK)


def pairs(x: NDArray[np.int32], T: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.intp]]:
    """The distinct pairs and, for each row, its place among them."""
    width = int(np.max(T, initial=0)) + 1
    key = x.astype(np.int64) * width + T
    distinct, place = triples.places(key, int(np.max(key, initial=-1)) + 1)
    return distinct // width, distinct % width, place
