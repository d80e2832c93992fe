"""What may happen to living customers within a horizon: a table of quantiles over repeat order days x and age T.

The table is made of the parameters alone, by drawing customers at its knots, and read row by row: a shard of the
rows gets the same bits as the whole, and a million rows cost a few lookups each. A row's own chance to be alive is
mixed in when it is read: with the chance P0 of no order at all, the quantile u of the mixture is 0 up to P0 and
beyond it the quantile (u − P0) / (1 − P0) of those who do order.

Counts are drawn with a uniform number from 0 to 1 added, so that their quantiles are smooth and can be
interpolated; rounded down they are counts again. Money is in units of what an order is expected to bring. Several
parameters that might as well be true (laplace.py) may share the draws.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.clv import purchase, spend
from analytics.clv.history import WEEK
from analytics.clv.params import FloatArray

ORDERS = np.array([0, 1, 2, 3, 5, 8, 13, 21, 34, 64, 128, 512, 2048, 16384], dtype=np.int64)  # knots of x
AGES = np.array([0, 14, 60, 150, 365, 730, 1460, 3650, 14600], dtype=np.int64)  # knots of T, days
YOUNG = 30.0  # days: ages are interpolated in ln(T + YOUNG)
DRAWS = 2_000  # customers at each knot
STEPS = 33  # quantiles, the closer the higher
HIGHEST = 0.999
SEED = 20_05
LEAST = 1e-300  # so that a logarithm is finite


def _places(knots: NDArray[np.int64], shift: float) -> tuple[NDArray[np.int64], FloatArray]:
    """For each whole number up to the last knot: the knot below, and the next one's weight in ln(number + shift)."""
    number = np.arange(knots[-1] + 1)
    below = np.minimum(np.searchsorted(knots, number, side="right") - 1, knots.size - 2)
    start, end = np.log(knots[below] + shift), np.log(knots[below + 1] + shift)
    return below, (np.log(number + shift) - start) / (end - start)


PLACE_ORDERS, WEIGHT_ORDERS = _places(ORDERS, 1.0)
PLACE_AGE, WEIGHT_AGE = _places(AGES, YOUNG)
PLACE_ORDERS *= AGES.size


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Knots of x × knots of T, and the quantiles of those who order at least once behind them."""

    silence: FloatArray  # ln(-ln P(no order | alive))
    orders: FloatArray  # ln of orders and a uniform number, STEPS behind each knot
    money: FloatArray  # ln of their money in expected orders


@dataclass(frozen=True, slots=True)
class Rows:
    """Customers to look up: their chance of no order, and where they lie among the knots."""

    none: FloatArray
    corner: NDArray[np.int64]  # place of the knot below, counted through the table
    weight_orders: FloatArray  # of the next knot of x
    weight_age: FloatArray

    def take(self, rows: Any) -> "Rows":
        return Rows(self.none[rows], self.corner[rows], self.weight_orders[rows], self.weight_age[rows])


@lru_cache(maxsize=32)  # the cells of a shop and some more
def table(params: tuple[purchase.Params, ...], spent: spend.Params, days: float) -> Outcomes:
    """The table for a horizon in days. The same arguments give the same bits."""
    rng = np.random.default_rng(SEED)
    x, T = (each.ravel() for each in np.meshgrid(ORDERS, AGES, indexing="ij"))
    each = -(-DRAWS // len(params))
    shape = (x.size, each)
    model = purchase.model_of(params[0])
    at_x, at_T = np.broadcast_to(x[:, np.newaxis], shape), np.broadcast_to(T[:, np.newaxis] / WEEK, shape)
    t = days / WEEK
    none = np.mean([model.p_silent_alive(one, t, x, T / WEEK) for one in params], axis=0)
    counts = np.concatenate([model.draw_orders(one, t, at_x, at_T, rng) for one in params], axis=1)
    past = spend.typical(spent, np.repeat(x, counts.shape[1]) + 1)
    money = spend.draw_spend(spent, counts.ravel(), past, rng) / np.maximum(spend.expected_spend(spent, past), LEAST)
    size = (ORDERS.size, AGES.size)
    return Outcomes(
        silence=np.log(np.maximum(-np.log(np.clip(none, LEAST, 1.0)), LEAST)).reshape(size),
        orders=_quantiles(counts, counts + rng.random(counts.shape)).reshape(*size, STEPS),
        money=_quantiles(counts, money.reshape(counts.shape)).reshape(*size, STEPS),
    )


def rows(outcomes: Outcomes, alive: FloatArray, x: NDArray[np.int32], T: NDArray[np.int32]) -> Rows:
    """Customers with these chances to be alive, repeat order days and ages in days."""
    by_x, by_T = np.minimum(x, ORDERS[-1]), np.minimum(T, AGES[-1])
    corner, weight_orders, weight_age = PLACE_ORDERS[by_x] + PLACE_AGE[by_T], WEIGHT_ORDERS[by_x], WEIGHT_AGE[by_T]
    silence = _between(outcomes.silence.ravel(), corner, 1, weight_orders, weight_age)
    return Rows(1.0 + alive * np.expm1(-np.exp(silence)), corner, weight_orders, weight_age)


def order_quantile(outcomes: Outcomes, found: Rows, chance: FloatArray | float) -> FloatArray:
    """The number of orders that is not exceeded with this chance."""
    return np.floor(_quantile(outcomes.orders, found, chance))


def money_quantile(outcomes: Outcomes, found: Rows, chance: FloatArray | float) -> FloatArray:
    """The money that is not exceeded with this chance, in units of what an order is expected to bring."""
    return _quantile(outcomes.money, found, chance)


def _quantiles(counts: NDArray[np.int64], values: FloatArray) -> FloatArray:
    """ln of the quantiles of each row's values where there is an order; of one order's value where there never is."""
    chances = np.minimum(1.0 - (1.0 - np.linspace(0.0, 1.0, STEPS)) ** 2, HIGHEST)
    result = np.zeros((counts.shape[0], STEPS))
    for row, (count, value) in enumerate(zip(counts, values, strict=True)):
        found = np.sort(value[count > 0])
        if found.size:
            quantiles = np.interp(chances * (found.size - 1), np.arange(found.size), found)
            result[row] = np.log(np.maximum(quantiles, LEAST))
    return result


def _between(
    values: FloatArray, at: NDArray[np.int64], stride: int, weight_orders: FloatArray, weight_age: FloatArray
) -> FloatArray:
    """The value between four knots; `values` is the table laid flat, `stride` its length behind each knot."""
    next_T, next_x = stride, stride * AGES.size
    low = values[at] + weight_age * (values[at + next_T] - values[at])
    high = values[at + next_x] + weight_age * (values[at + next_x + next_T] - values[at + next_x])
    return np.asarray(low + weight_orders * (high - low))


def _quantile(table: FloatArray, found: Rows, chance: FloatArray | float) -> FloatArray:
    """exp of the interpolated logarithm beyond the chance of no order, 0 up to it."""
    result = np.zeros(found.none.size)
    wanted = np.broadcast_to(np.asarray(chance, dtype=np.float64), found.none.shape)
    there = np.flatnonzero(wanted > found.none)
    here, flat = found.take(there), table.ravel()
    step = (1.0 - np.sqrt((1.0 - wanted[there]) / (1.0 - here.none))) * (STEPS - 1)
    below = np.minimum(step.astype(np.int64), STEPS - 2)
    at = here.corner * STEPS + below
    first = _between(flat, at, STEPS, here.weight_orders, here.weight_age)
    second = _between(flat, at + 1, STEPS, here.weight_orders, here.weight_age)
    result[there] = np.exp(first + (step - below) * (second - first))
    return result
