"""Log-normal spend: orders vary around a customer's own level, levels around the shop's, both in logarithms.

    ln v = m + e,   e ~ N(0, within),   m ~ N(ln median, between)

The one-way random-effects model with unequal numbers of observations (Searle, Casella & McCulloch 1992, Variance
Components, chapter 3), fitted by maximum likelihood. Given n orders with the mean logarithm y, a customer's level is

    m | data ~ N(w·y + (1 - w)·ln median, (1 - w)·between),   w = n·between / (n·between + within)

(Lindley & Smith 1972), and an order of hers brings exp(E[m] + (Var[m] + within) / 2) on average. First orders are
larger or smaller than later ones: they are divided by `first`, the ratio seen in customers who have both, and then
count too.

Real orders are not quite log-normal, and exp(variance / 2) makes much of a small misfit. So the level is settled by
the orders themselves, in the spirit of Duan (1983), Smearing Estimate, JASA 78: `balance` makes what is expected of the
repeat orders there were equal to what they brought. No customer's orders count there at more than CAP times what her
level says, so that one order of ten million does not make everyone rich.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.clv import fitting
from analytics.clv.history import History
from analytics.clv.params import FloatArray, LogNormalParams

CAP = 10.0  # times what her level says
START = (0.5, 0.3)
LOW, HIGH = 1e-6, 1e2  # of a variance: an edge stands for "all the same"
ROUNDING = 1e-9  # of a customer's money: less is the rounding of a difference, not an order


@dataclass(frozen=True, slots=True)
class Levels:
    """What one customer's paid orders say, in columns."""

    orders: FloatArray  # paid order days, the first among them
    mean: FloatArray  # of ln v; 0 without a paid order
    around: FloatArray  # Σ (ln v − mean)²


@dataclass(frozen=True, slots=True)
class _Groups:
    """Customers grouped by their number of paid orders: all that the likelihood needs."""

    customers: float
    orders: FloatArray  # distinct numbers
    counts: FloatArray
    mean: FloatArray  # Σ of the customers' means of ln v
    mean_sq: FloatArray  # Σ of their squares
    around: float  # Σ over all customers
    spare: float  # orders less customers


def fit(history: History) -> LogNormalParams:
    """Maximum likelihood over the customers with a paid order. Raises fitting.DidNotConverge."""
    plain, usual = settle(history)
    return replace(plain, balance=balance(history, usual, usual))


def settle(history: History) -> tuple[LogNormalParams, FloatArray]:
    """The parameters with a balance of 1, and what they say of each customer's orders."""
    if not np.any(history.paid_days > 0):
        raise fitting.DidNotConverge("nobody has a repeat order with money in it")
    value = first_value(history)
    first = _first_ratio(history, value)
    seen = levels(history, value, first)
    groups = _groups(seen)
    if groups.spare <= 0:
        raise fitting.DidNotConverge("nobody has two orders with money in them")
    found = fitting.maximise(
        lambda values: _mean_log_likelihood(groups, *values.tolist()),
        names=("within", "between"),
        start=START,
        low=(LOW, LOW),
        high=(HIGH, HIGH),
    )
    within, between = found.values
    middle = float(np.exp(_middle(groups, within, between)))
    plain = LogNormalParams(median=middle, within=within, between=between, first=first, balance=1.0)
    return plain, _spend_at(plain, *_level(plain, seen))


def expected_spend(params: LogNormalParams, history: History) -> FloatArray:
    """Net revenue to expect of an order, per customer; finite and ≥ 0."""
    return params.balance * usual_spend(params, history)


def usual_spend(params: LogNormalParams, history: History) -> FloatArray:
    """What the logarithms alone say of an order, before the balance."""
    return _spend_at(params, *level(params, history))


def level(params: LogNormalParams, history: History) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of the customer's level m given her paid orders."""
    return _level(params, levels(history, first_value(history), params.first))


def draw_spend(
    params: LogNormalParams, orders: NDArray[np.integer[Any]], history: History, rng: np.random.Generator
) -> FloatArray:
    """A random total of so many future orders of each customer."""
    _, variance = level(params, history)
    return totals(expected_spend(params, history), variance, params.within, orders, rng)


def totals(
    mean: FloatArray,
    level_variance: FloatArray,
    within: float,
    orders: NDArray[np.integer[Any]],
    rng: np.random.Generator,
) -> FloatArray:
    """Random totals of `orders` orders that bring `mean` each, level and orders log-normal with these variances.

    A sum of n equal log-normals is nearly log-normal with the same mean and variance (Fenton 1960), which costs one
    number a customer however many orders there are.
    """
    count = np.asarray(orders, dtype=np.float64)
    variance = level_variance + np.log1p(np.expm1(within) / np.maximum(count, 1.0))
    return np.asarray(count * mean * np.exp(np.sqrt(variance) * rng.standard_normal(count.size) - variance / 2.0))


def balance(history: History, usual: FloatArray, expected: FloatArray) -> float:
    """What the repeat orders brought, at most CAP times the usual, over what `expected` says of as many; 1 for none."""
    x = np.maximum(history.order_days - 1, 0).astype(np.float64)
    brought = float(np.sum(capped(history.repeat_value, x * usual)))
    said = float(np.dot(x, expected))
    return brought / said if brought > 0 and said > 0 else 1.0


def capped(total: FloatArray, usual: FloatArray | float) -> FloatArray:
    """Money not below zero and not above CAP times the usual."""
    return np.clip(total, 0.0, CAP * usual)


def first_value(history: History) -> FloatArray:
    """Net revenue of the first order day; zero for none and where only rounding is left."""
    value = history.value - history.repeat_value
    return np.where(value > ROUNDING * np.maximum(np.abs(history.value), np.abs(history.repeat_value)), value, 0.0)


def levels(history: History, value: FloatArray, first: float) -> Levels:
    """Means of ln v and what varies around them, with the first order's `value` divided by `first`."""
    paid = value > 0
    log_first = np.log(np.where(paid, value, first)) - np.log(first)
    orders = history.paid_days.astype(np.float64) + paid
    total = history.log_value + log_first
    mean = total / np.maximum(orders, 1.0)
    return Levels(orders, mean, np.maximum(history.log_value_sq + log_first**2 - total * mean, 0.0))


def _level(params: LogNormalParams, seen: Levels) -> tuple[FloatArray, FloatArray]:
    weight = seen.orders * params.between
    weight /= weight + params.within
    middle = float(np.log(params.median))
    return middle + weight * (seen.mean - middle), (1.0 - weight) * params.between


def _spend_at(params: LogNormalParams, mean: FloatArray, variance: FloatArray) -> FloatArray:
    return np.asarray(np.exp(mean + (variance + params.within) / 2.0))


def _first_ratio(history: History, value: FloatArray) -> float:
    """First orders over later ones of the same customers, in logarithms; 1 where nobody has both."""
    both = np.flatnonzero((value > 0) & (history.paid_days > 0))
    if both.size == 0:
        return 1.0
    later = history.log_value[both] / history.paid_days[both]
    return float(np.exp(np.mean(np.log(value[both]) - later)))


def _groups(seen: Levels) -> _Groups:
    paid = np.flatnonzero(seen.orders > 0)
    number, mean = seen.orders[paid].astype(np.intp), seen.mean[paid]
    counts = np.bincount(number).astype(np.float64)
    there = np.flatnonzero(counts)
    orders = there.astype(np.float64)
    means, squares = (np.bincount(number, weights=w)[there].astype(np.float64) for w in (mean, mean**2))
    return _Groups(
        customers=float(paid.size),
        orders=orders,
        counts=counts[there],
        mean=means,
        mean_sq=squares,
        around=float(np.sum(seen.around[paid])),
        spare=float(np.dot(orders - 1.0, counts[there])),
    )


def _middle(data: _Groups, within: float, between: float) -> float:
    """ln median: the mean of the levels, each weighted by how well it is known."""
    weight = data.orders / (within + data.orders * between)
    return float(np.dot(weight, data.mean) / np.dot(weight, data.counts))


def _mean_log_likelihood(data: _Groups, within: float, between: float) -> tuple[float, FloatArray]:
    """Per customer, with its gradient by (within, between); ln median is where it is largest for them."""
    middle = _middle(data, within, between)
    spread = within + data.orders * between  # n times the variance of a mean of n
    off = data.orders * (data.mean_sq - 2.0 * middle * data.mean + middle**2 * data.counts)
    level = data.spare * np.log(within) + data.around / within + np.sum(data.counts * np.log(spread) + off / spread)
    bend = data.counts / spread - off / spread**2
    slope = np.array([data.spare / within - data.around / within**2 + np.sum(bend), np.dot(data.orders, bend)])
    return float(level) / (-2.0 * data.customers), slope / (-2.0 * data.customers)
