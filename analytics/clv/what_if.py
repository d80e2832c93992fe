"""What happens to value when retention, frequency, order value, margin rate or the cost to win a customer changes.

Not a multiplication of totals: each customer of a sample is expected anew. What is known of her today stays as it is,
P(alive) too; only what comes is changed. With E the orders of a living customer, the model's own (purchase.py, Future):

| lever | BG/NBD, MBG/NBD, MBG/CNBD-k | Pareto/NBD |
|---|---|---|
| leaving × c | p ~ Beta(c·a, β + (1 - c)·a) for Beta(a, β): the mean times c, the same sum | μ times c |
| frequency × f | E(f·t): she leaves at orders, so that all of it comes sooner | λ times f, μ as before |

Both are exact, together as well. As (1 - c)·a is the same for all, it is one change of the shop's (a, b) for everybody,
new customers among them. The other levers are factors: on the revenue of an order, on the margin over revenue (never
above all of it), on the cost of winning a customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from analytics.clv import cells, purchase, shop, spend, tables
from analytics.clv.fitted import Fitted
from analytics.clv.history import LIFETIME_DAYS, WEEK, YEAR, History, Terms
from analytics.clv.intervals import SHARE
from analytics.clv.params import FloatArray

RANGES: Final = {
    "leaving": (0.0, 4.0),
    "frequency": (0.25, 4.0),
    "order_value": (0.25, 4.0),
    "margin_rate": (0.0, 4.0),
    "acquisition_cost": (0.0, 4.0),
}
AMOUNTS: Final = ("clv", "clv_36m", "clv_lifetime", "orders", "revenue", "at_risk")
NOBODY = 1e-9  # leaves: the chance as good as none, relative to the model's own
MONTHS = LIFETIME_DAYS * 12 // 365  # in which a new customer can pay back
FEW = 250  # customers who tell how other parameters move an amount
FEWEST = 50  # of them in each cell
SOME = 8  # of the draws of the parameters
CHANCES = (np.arange(999) + 0.5) / 999.0  # of the level's error, for the interval of a difference


@dataclass(frozen=True, slots=True)
class Levers:
    """Factors; 1 leaves it as it is. Raises ValueError outside of RANGES."""

    leaving: float = 1.0  # chance to leave after an order; by Pareto/NBD the rate of leaving
    frequency: float = 1.0  # orders a year of a living customer
    order_value: float = 1.0  # revenue of an order
    margin_rate: float = 1.0  # margin over revenue; no more than all of the revenue
    acquisition_cost: float = 1.0  # of a new customer

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be between {low} and {high}, not {getattr(self, name)!r}")


AS_IT_IS: Final = Levers()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Sums over the sample, major units."""

    clv: float  # discounted margin within the horizon
    clv_36m: float
    clv_lifetime: float
    orders: float  # within the horizon, as all below
    revenue: float  # not discounted
    at_risk: float  # revenue that leaving from today on takes away
    leave: float  # share of living customers who leave at their next order; by Pareto/NBD within a year
    payback_month: int | None  # of a new customer; 0 if her first order pays, None if a lifetime does not
    draws: tuple[tuple[float, ...], ...]  # AMOUNTS by parameters that might as well be true


@dataclass(frozen=True, slots=True)
class Difference:
    """An 80 % interval around what is expected."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class _Sample:
    """Customers with an order day, in columns."""

    known: History
    revenue: FloatArray  # of an order
    margin: FloatArray  # of an order

    def take(self, most: int) -> "_Sample":
        """At most so many rows, evenly spread."""
        rows = np.arange(0, self.revenue.size, max(-(-self.revenue.size // most), 1))
        return _Sample(self.known.take(rows), self.revenue[rows], self.margin[rows])


def simulate(
    fitted: Fitted, history: History, terms: Terms, levers: Levers = AS_IT_IS, acquisition_cost: float = 0.0
) -> Outcome:
    """The sums of these customers under the levers; as it is they are those of shop.score, to the last bit.

    `acquisition_cost` of a new customer, major units.
    """
    parts = cells.parts(fitted.each, history)
    found = [_sums(one, part, terms, levers, max(FEW // len(parts), FEWEST)) for one, part in parts]
    there = sum(one.there for one in found)
    draws = np.sum([one.draws for one in found], axis=0)
    amounts = np.sum([one.amounts for one in found], axis=0)
    return Outcome(
        **dict(zip(AMOUNTS, amounts.tolist(), strict=True)),
        leave=sum(one.leaving for one in found) / there if there > 0.0 else 0.0,
        payback_month=_payback_month(fitted, levers, acquisition_cost * levers.acquisition_cost),
        draws=tuple(tuple(draw) for draw in draws.tolist()),
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of customers with the same parameters."""

    amounts: FloatArray  # AMOUNTS
    there: float  # living customers
    leaving: float  # of them
    draws: FloatArray  # by parameters that might as well be true × AMOUNTS


def _sums(fitted: Fitted, history: History, terms: Terms, levers: Levers, few: int) -> _Sums:
    sample = _sample(fitted, history, levers)
    alive = fitted.levels.orders * _alive(fitted.purchase, sample.known)
    future = _future(fitted.purchase, levers)
    each, ages, place = tables.pairs(sample.known.order_days - 1, sample.known.first_age)
    orders, discounted = _ahead(future, terms, each, ages / WEEK)
    staying, _ = _ahead(_future(fitted.purchase, levers, leaving=NOBODY), terms, each, ages / WEEK)
    lost = np.maximum(staying[0] - orders[0], 0.0)
    expected = alive * orders[0][place]
    amounts = np.array(
        [
            *(np.sum(sample.margin * (alive * column[place])) for column in discounted),
            np.sum(expected),
            np.sum(sample.revenue * expected),
            np.sum(sample.revenue * (alive * lost[place])),
        ]
    )
    leaving = float(np.sum(alive * _leave(future, sample.known)))
    draws = _draws(fitted, sample.take(few), terms, levers, amounts)
    return _Sums(amounts, float(np.sum(alive)), leaving, draws)


def differences(fitted: Fitted, before: Outcome, after: Outcome) -> dict[str, Difference]:
    """By name of AMOUNTS: what the levers add, with an interval; both outcomes are of the same sample.

    Two things move it: the parameters, by the draws of Fitted.widths, each with its own P(alive), and the level, as
    one error e^ε of the baseline and of what becomes of it, ε as for totals (intervals.py) with a t distribution. The
    interval leaves out a tenth at each end of the products. The chance of what happens is not in it: it is the same
    customers' with and without the levers. Neither is how well the levers can be moved.
    """
    return {name: _difference(fitted, before, after, place) for place, name in enumerate(AMOUNTS)}


def _difference(fitted: Fitted, before: Outcome, after: Outcome, place: int) -> Difference:
    expected = float(getattr(after, AMOUNTS[place]) - getattr(before, AMOUNTS[place]))
    if fitted.widths is None:
        return Difference(expected, expected, expected)
    pairs = zip(after.draws, before.draws, strict=True)
    moved = np.array([with_it[place] - without[place] for with_it, without in pairs])
    is_orders = AMOUNTS[place] == "orders"
    error = fitted.widths.order_error if is_orders else fitted.widths.value_error
    freedom = fitted.widths.order_freedom if is_orders else fitted.widths.value_freedom
    levels = np.exp(error * stdtrit(freedom, CHANCES))
    low, high = np.quantile(np.outer(moved, levels), [(1.0 - SHARE) / 2.0, (1.0 + SHARE) / 2.0])
    return Difference(min(float(low), expected), expected, max(float(high), expected))


def _sample(fitted: Fitted, history: History, levers: Levers) -> _Sample:
    """Those who can be expected to do something, and what their orders bring under the levers."""
    known = history.take(np.flatnonzero(history.order_days > 0))
    revenue = fitted.levels.spend * spend.expected_spend(fitted.spend.params, known) * levers.order_value
    rate = np.minimum(shop.margin_rates(fitted, known) * levers.margin_rate, 1.0)
    return _Sample(known, revenue, revenue * rate)


def _alive(params: purchase.Params, known: History) -> FloatArray:
    t_x, T = (known.first_age - known.last_age) / WEEK, known.first_age / WEEK
    return purchase.model_of(params).p_alive(params, (known.order_days - 1).astype(np.float64), t_x, T)


def _future(params: purchase.Params, levers: Levers, leaving: float = 1.0) -> purchase.Future[Any]:
    """`leaving` is a further factor on the chance to leave."""
    chance = max(levers.leaving * leaving, NOBODY)
    found: purchase.Future[Any] = purchase.model_of(params).future(params, chance, levers.frequency)
    return found


def _ahead(
    future: purchase.Future[Any], terms: Terms, x: NDArray[np.int64], T: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """As tables.by_horizon for the terms' horizons: time that runs `speed` times as fast is discounted slower."""
    rate = float(np.log1p(terms.discount_rate)) * WEEK / YEAR
    horizons = [future.speed * (days / WEEK) for days in terms.horizons]
    orders, discounted = tables.by_horizon(future.params, horizons, rate / future.speed, x, T)
    return future.times * orders, future.times * discounted


def _plain(future: purchase.Future[Any], days: Sequence[int], x: ArrayLike, T: ArrayLike) -> FloatArray:
    """Orders of living customers, horizons × customers."""
    t = future.speed * (np.array(days)[:, np.newaxis] / WEEK)
    expected = purchase.model_of(future.params).expected_purchases_alive(future.params, t, x, T)
    return np.asarray(future.times * expected)


def _leave(future: purchase.Future[Any], known: History) -> FloatArray:
    """The chance of each to leave, were she there."""
    year = future.speed * YEAR / WEEK
    return purchase.model_of(future.params).leaves(future.params, year, known.order_days - 1, known.first_age / WEEK)


def _payback_month(fitted: Fitted, levers: Levers, cost: float) -> int | None:
    """The first month by whose end her first order and the expected repeat orders have brought the cost as margin.

    She is a customer of the whole shop, whatever her cell.
    """
    future = _future(fitted.purchase, levers)
    revenue = fitted.levels.spend * fitted.mean_spend * levers.order_value
    margin = revenue * min(fitted.margin_rate * levers.margin_rate, 1.0)
    weeks = np.arange(MONTHS + 1) * (YEAR / 12.0 / WEEK)
    model = purchase.model_of(future.params)
    again = future.times * model.unconditional_expected_purchases(future.params, future.speed * weeks)
    paid = np.flatnonzero(margin * (1.0 + fitted.levels.orders * again) >= cost)
    return int(paid[0]) if paid.size else None


def _draws(fitted: Fitted, few: _Sample, terms: Terms, levers: Levers, found: FloatArray) -> FloatArray:
    """`found` times what a draw of the parameters expects of a few customers over what the fitted ones do.

    Their values are compared undiscounted: the draws are many and move a value by a few percent.
    """
    if fitted.widths is None:
        return np.empty((0, found.size))
    usual = _few_amounts(fitted.purchase, few, terms, levers)
    drawn = (_few_amounts(params, few, terms, levers) for params in fitted.widths.params[:SOME])
    ratios = [np.divide(amounts, usual, out=np.ones(usual.size), where=usual > 0.0) for amounts in drawn]
    return np.asarray(found * np.array(ratios))


def _few_amounts(params: purchase.Params, few: _Sample, terms: Terms, levers: Levers) -> FloatArray:
    """AMOUNTS, the values undiscounted."""
    x, T = (few.known.order_days - 1).astype(np.float64), few.known.first_age / WEEK
    alive = _alive(params, few.known)
    orders = alive * _plain(_future(params, levers), terms.horizons, x, T)
    staying = alive * _plain(_future(params, levers, leaving=NOBODY), [terms.horizon_days], x, T)[0]
    revenue = few.revenue * orders[0]
    lost = np.maximum(few.revenue * staying - revenue, 0.0)
    margins = np.sum(few.margin * orders, axis=1)
    return np.array([*margins.tolist(), np.sum(orders[0]), np.sum(revenue), np.sum(lost)])
