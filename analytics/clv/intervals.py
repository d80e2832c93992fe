"""Intervals that hold what happens four times out of five: of one customer's orders and value, and of totals.

Parameter uncertainty alone is not honest: with ten thousand customers it is nearly nothing, while a shop's level
moves by a tenth from one quarter to the next. So three things are put together: the parameters (laplace.py), the
chance of what happens (outcomes.py), and the error that earlier forecasts of this shop turned out to have.

One customer. Counts are few, and most are 0. An interval [0, 0] holds what happens to someone with a chance of 0.93
of no order 93 times in 100, and no interval does less. With 80 % for everyone the whole would hold far more than 80
%. So one level for all is chosen, such that 80 % of all customers are held on average; nobody's is below
LEAST_LEVEL. The lower end leaves out half of the rest of the level, and is 0 where no order is likelier than that;
the upper end is then as far as the level needs. Earlier origins say which level would have held 80 % of the
customers there, whatever the model thought: that corrects it, in the manner of split conformal prediction (Vovk,
Gammerman & Shafer 2005). Each interval holds the expected figure too, which may lie between 0 and 1.

Totals. Logarithms: the outcomes' and the parameters' variances as normal, the level's as a t distribution: the mean
square of ln(actual / predicted) at earlier origins, with a usual error that counts as USUAL_ORIGINS of them. Origins
whose horizons overlap count as often as those horizons fit into the time that they cover.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from analytics.clv import laplace, outcomes, purchase, spend
from analytics.clv.history import WEEK, History
from analytics.clv.params import FloatArray

SHARE = 0.8  # of outcomes to hold
LEAST_LEVEL, MOST_LEVEL = 0.65, 0.995
HALVINGS = 12
USUAL_ORDERS, USUAL_VALUE = 0.12, 0.20  # standard deviation of ln(actual / predicted) before anything is known
USUAL_ORIGINS = 2.0
FARTHEST = 1e3  # a ratio beyond it, or its inverse, counts as it
SAMPLE = 20_000  # customers drawn to find the level and the spread
FEW = 2_000  # customers who tell how the parameters move the total
PARAMETERS = 16  # draws of the parameters
BLOCK = 65_536  # rows worked on at once
LEAST = 1e-9  # so that nothing is divided by zero
SEED = 80


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier origins of the shop have shown; empty lists for none."""

    orders: tuple[float, ...] = ()  # actual / predicted totals
    value: tuple[float, ...] = ()
    order_levels: tuple[float, ...] = ()  # the levels that would have held SHARE of the customers
    value_levels: tuple[float, ...] = ()
    independent: float = float("inf")  # what the ratios count as at most, when horizons overlap


NOTHING = Past()


@dataclass(frozen=True, slots=True)
class Widths:
    """All that intervals of one horizon need; a few numbers, kept with the parameters."""

    days: float  # horizon, times the correction of the level of orders
    params: tuple[purchase.Params, ...]  # some that might as well be true
    spent: spend.SpendFit
    order_level: float
    value_level: float
    order_spread: float  # variance of the outcome over expected orders
    value_spread: float  # the same of value, over expected value and value an order
    parameters: float  # standard deviation of ln(total) because of the parameters
    order_error: float  # standard deviation of ln(actual / predicted)
    value_error: float
    order_freedom: float  # degrees of freedom of its t distribution
    value_freedom: float

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; from_dict reads it back to the same bits."""
        plain = asdict(self) | {"spent": self.spent.as_dict()}
        return plain | {"params": [purchase.as_dict(one) for one in self.params]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """What as_dict gave. Raises KeyError for a missing figure."""
        known = {field.name: data[field.name] for field in fields(cls)}
        params = tuple(purchase.from_dict(one) for one in data["params"])
        return cls(**known | {"params": params, "spent": spend.SpendFit.from_dict(data["spent"])})


@dataclass(frozen=True, slots=True)
class Expected:
    """Customers with at least one order day, in columns: what the intervals are put around."""

    x: NDArray[np.int32]  # repeat order days
    T: NDArray[np.int32]  # days since the first order day
    alive: FloatArray
    orders: FloatArray  # expected within the horizon
    value: FloatArray  # expected within the horizon: revenue or discounted margin

    @property
    def each(self) -> FloatArray:
        """Value an order."""
        return np.divide(self.value, self.orders, out=np.zeros(self.value.size), where=self.orders > 0)

    def take(self, rows: Any) -> "Expected":
        return Expected(*(getattr(self, name)[rows] for name in self.__slots__))


def learn(
    params: purchase.Params, spent: spend.SpendFit, history: History, days: float, past: Past = NOTHING
) -> Widths:
    """The widths for a horizon in days."""
    known = np.flatnonzero(history.order_days > 0)
    sample = history.take(known[_every(known.size, SAMPLE)])
    uncertain = laplace.uncertainty(params, _columns(sample), known.size)
    draws = tuple(laplace.draws(params, uncertain, PARAMETERS))
    expected = expect(params, spent, sample, days)
    orders, value = _draw(params, spent, sample, expected, days)
    plain = Widths(
        days=days,
        params=draws,
        spent=spent,
        order_level=SHARE,
        value_level=SHARE,
        order_spread=_spread(orders, expected.orders),
        value_spread=_spread(value, expected.value) / max(_mean_order(expected), LEAST),
        parameters=_moves(draws, sample, days),
        order_error=USUAL_ORDERS,
        value_error=USUAL_VALUE,
        order_freedom=USUAL_ORIGINS,
        value_freedom=USUAL_ORIGINS,
    )
    order_level, value_level = needed_levels(plain, expected, orders, value)
    return corrected(replace(plain, order_level=order_level, value_level=value_level), past)


def corrected(widths: Widths, past: Past) -> Widths:
    """Widths that knew of no earlier origin, with what earlier origins have shown."""
    order_error, order_freedom = _error(past.orders, USUAL_ORDERS, past.independent)
    value_error, value_freedom = _error(past.value, USUAL_VALUE, past.independent)
    return replace(
        widths,
        order_level=float(np.mean([widths.order_level, *past.order_levels])),
        value_level=float(np.mean([widths.value_level, *past.value_levels])),
        order_error=order_error,
        order_freedom=order_freedom,
        value_error=value_error,
        value_freedom=value_freedom,
    )


def moved(widths: Widths, before: purchase.Params, after: purchase.Params) -> Widths:
    """The widths for other parameters: draws around `before` are as far, in logarithms, from `after`."""
    ratios = {name: getattr(after, name) / value for name, value in before.as_dict().items()}
    draws = (
        replace(draw, **{name: value * ratios[name] for name, value in draw.as_dict().items()})
        for draw in widths.params
    )
    return replace(widths, params=tuple(draws))


def expect(params: purchase.Params, spent: spend.SpendFit, history: History, days: float) -> Expected:
    """Orders and revenue of these customers, each with an order day, within the horizon."""
    x, t_x, T = _columns(history).times()
    model = purchase.model_of(params)
    alive = model.p_alive(params, x, t_x, T)
    orders = alive * model.expected_purchases_alive(params, days / WEEK, x, T)
    value = orders * spend.expected_spend(spent.params, history)
    return Expected(history.order_days - 1, history.first_age, alive, orders, value)


def order_ends(widths: Widths, expected: Expected) -> tuple[FloatArray, FloatArray]:
    """Ends of each customer's orders, 0 ≤ low ≤ expected ≤ high: whole numbers, or the expected one.

    Row by row: a shard of the rows gets the same bits as the whole.
    """
    return _by_block(widths, expected, outcomes.order_quantile, widths.order_level, lambda part: (1.0, part.orders))


def value_ends(widths: Widths, expected: Expected) -> tuple[FloatArray, FloatArray]:
    """Ends of each customer's value, in the unit of `expected.value`: 0 ≤ low ≤ expected ≤ high."""
    return _by_block(
        widths, expected, outcomes.money_quantile, widths.value_level, lambda part: (part.each, part.value)
    )


def needed_levels(widths: Widths, expected: Expected, orders: NDArray[Any], value: NDArray[Any]) -> tuple[float, float]:
    """The levels of orders and of value with which SHARE of these customers' outcomes would have been held."""
    table = outcomes.table(widths.params, widths.spent.params, widths.days)
    at, each = outcomes.rows(table, expected.alive, expected.x, expected.T), expected.each

    def orders_held(level: float) -> float:
        return coverage(*_ends(table, at, outcomes.order_quantile, level, 1.0, expected.orders), orders)

    def value_held(level: float) -> float:
        return coverage(*_ends(table, at, outcomes.money_quantile, level, each, expected.value), value)

    return _level(orders_held), _level(value_held)


def total_orders(widths: Widths, orders: float) -> tuple[float, float]:
    """The interval of all orders of a group of customers, of whom so many are expected."""
    return _total(orders, orders, widths.order_spread, widths, widths.order_error, widths.order_freedom)


def total_value(widths: Widths, orders: float, value: float, years: float = 1.0) -> tuple[float, float]:
    """The interval of the value of a group of customers, of whom so many orders and so much value are expected.

    `years`: a value that reaches beyond the horizon, in values of the horizon. Nobody has watched it for so long: what
    is uncertain within the horizon is stretched as a random walk, by the root of the years.
    """
    return _total(value, orders, widths.value_spread, widths, widths.value_error, widths.value_freedom, years)


def coverage(low: FloatArray, high: FloatArray, actual: NDArray[Any]) -> float:
    """The share of outcomes within their intervals; NaN for none."""
    return float(np.mean((low <= actual) & (actual <= high))) if len(actual) else float("nan")


Quantile = Callable[[outcomes.Outcomes, outcomes.Rows, FloatArray], FloatArray]


def _by_block(
    widths: Widths,
    expected: Expected,
    quantile: Quantile,
    level: float,
    scale: Callable[[Expected], tuple[FloatArray | float, FloatArray]],
) -> tuple[FloatArray, FloatArray]:
    """`_ends` of all customers, times the unit and with the middle that `scale` gives."""
    table = outcomes.table(widths.params, widths.spent.params, widths.days)
    low, high = np.empty(expected.x.size), np.empty(expected.x.size)
    for start in range(0, expected.x.size, BLOCK):
        rows = slice(start, start + BLOCK)
        part = expected.take(rows)
        at = outcomes.rows(table, part.alive, part.x, part.T)
        low[rows], high[rows] = _ends(table, at, quantile, level, *scale(part))
    return low, high


def _ends(
    table: outcomes.Outcomes,
    at: outcomes.Rows,
    quantile: Quantile,
    level: float,
    unit: FloatArray | float,
    middle: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Both ends by the rule of the module's docstring, times a unit, and with the middle between them."""
    tail = (1.0 - level) / 2.0
    below = np.where(at.none >= tail, 0.0, tail)
    low = np.minimum(quantile(table, at, below) * unit, middle)
    return low, np.maximum(quantile(table, at, below + level) * unit, middle)


def _level(held: Callable[[float], float]) -> float:
    """The level that holds SHARE, by halving; an end of the range where none does."""
    low, high = LEAST_LEVEL, MOST_LEVEL
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if held(middle) >= SHARE else (middle, high)
    return high


def _total(
    total: float, orders: float, spread: float, widths: Widths, error: float, freedom: float, years: float = 1.0
) -> tuple[float, float]:
    if total <= 0 or orders <= 0:
        return 0.0, 0.0
    outcome = spread / orders
    certain = ndtri((1.0 + SHARE) / 2.0) ** 2 * (np.log1p(outcome) + widths.parameters**2)
    reach = float(np.sqrt(years * (certain + (stdtrit(freedom, (1.0 + SHARE) / 2.0) * error) ** 2)))
    return (0.0 if outcome > 1.0 else total * float(np.exp(-reach))), total * float(np.exp(reach))


def _error(ratios: tuple[float, ...], usual: float, independent: float) -> tuple[float, float]:
    """Standard deviation of the level and its degrees of freedom."""
    off = np.log(np.clip(np.array(ratios, dtype=np.float64), 1.0 / FARTHEST, FARTHEST))
    if not off.size:
        return usual, USUAL_ORIGINS
    count = min(float(off.size), independent)
    freedom = USUAL_ORIGINS + count
    return float(np.sqrt((USUAL_ORIGINS * usual**2 + count * np.mean(off**2)) / freedom)), freedom


def _moves(draws: tuple[purchase.Params, ...], history: History, days: float) -> float:
    """Standard deviation of the logarithm of all expected orders, over parameters that might as well be true."""
    x, t_x, T = _columns(history.take(_every(history.order_days.size, FEW))).times()
    model = purchase.model_of(draws[0])
    totals = [float(np.sum(model.expected_purchases(one, days / WEEK, x, t_x, T))) for one in draws]
    return float(np.std(np.log(np.maximum(totals, LEAST)), ddof=1))


def _draw(
    params: purchase.Params, spent: spend.SpendFit, history: History, expected: Expected, days: float
) -> tuple[NDArray[np.int64], FloatArray]:
    """What may happen to these customers: orders and revenue, one draw each."""
    rng = np.random.default_rng(SEED)
    drawn = purchase.model_of(params).draw_orders(params, days / WEEK, expected.x, expected.T / WEEK, rng)
    orders = np.where(rng.random(drawn.size) < expected.alive, drawn, 0)
    return orders, spend.draw_spend(spent.params, orders, history, rng)


def _mean_order(expected: Expected) -> float:
    """Value an order of all together."""
    return float(np.sum(expected.value)) / max(float(np.sum(expected.orders)), LEAST)


def _spread(happened: NDArray[Any], expected: FloatArray) -> float:
    """Mean square error over the mean; 0 where nothing is expected."""
    total = float(np.sum(expected))
    return float(np.sum((happened - expected) ** 2)) / total if total > 0 else 0.0


def _columns(history: History) -> purchase.Columns:
    return purchase.Columns(
        x=history.order_days - 1,
        t_x=history.first_age - history.last_age,
        T=history.first_age,
        log_gaps=history.log_gaps,
    )


def _every(customers: int, most: int) -> NDArray[np.intp]:
    """At most so many rows, evenly spread."""
    return np.arange(0, customers, max(-(-customers // most), 1))
