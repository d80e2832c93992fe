"""What customers will cost, and the textbooks' formula of customer lifetime value. Money in one unit, years of 365
days.

The textbooks multiply averages: average order value × purchase frequency × customer lifespan × margin rate, with the
lifespan as 1 / churn rate (Reichheld & Sasser 1990, Harvard Business Review 68(5)). It knows no interval, no
discount and nobody who is gone, so it stands beside the predicted value and is not it.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from analytics.clv.history import History
from analytics.clv.params import FloatArray

YEAR = 365.0  # days
LONGEST_LIFESPAN = 20.0  # years: without a customer lost, 1 / churn would be for ever
COST_PRIOR = 1.0  # years at the shop's rate that count beside the customer's own


@dataclass(frozen=True, slots=True)
class Shop:
    """The averages that the formulas need of a shop. `churn` and `lifespan` are None before there is a year to see."""

    churn: float | None  # a year
    lifespan: float | None  # years
    margin_rate: float
    order_cost: float  # what handling an order costs
    other_rate: float  # all other costs of a customer a year

    def as_dict(self) -> dict[str, float | None]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


def shop(history: History, *, margin_rate: float, order_cost: float) -> Shop:
    """The averages without other costs, which `with_costs` adds."""
    churn = yearly_churn(history)
    return Shop(
        churn=churn,
        lifespan=None if churn is None else lifespan(churn),
        margin_rate=margin_rate,
        order_cost=order_cost,
        other_rate=0.0,
    )


def with_costs(average: Shop, *, other_costs: float, days: int) -> Shop:
    """`other_costs`: what all customers together have cost so far besides the handling of orders, within the `days`
    since the first order of each.
    """
    return replace(average, other_rate=max(other_costs, 0.0) / (days / YEAR) if days > 0 else 0.0)


def yearly_churn(history: History) -> float | None:
    """Of the customers won more than a year ago who bought within the last two years, the share that did not buy within
    the last one; None where there are none.
    """
    known = (history.order_days > 0) & (history.first_age >= YEAR) & (history.last_age < 2 * YEAR)
    lost = known & (history.last_age >= YEAR)
    return float(np.count_nonzero(lost) / np.count_nonzero(known)) if np.any(known) else None


def lifespan(churn: float) -> float:
    """Years that a customer stays when a share `churn` (0 to 1) leaves each year: 1 / churn, if not too long."""
    return min(1.0 / churn, LONGEST_LIFESPAN) if churn > 0 else LONGEST_LIFESPAN


def years_known(age_days: ArrayLike) -> FloatArray:
    """Years since the first order, at least one: who came last week has not bought 52 times a year."""
    return np.maximum(np.asarray(age_days, dtype=np.float64) / YEAR, 1.0)


@dataclass(frozen=True, slots=True)
class Textbook:
    """The formula and its factors, in columns of one length; NaN where no order stands."""

    order_value: FloatArray  # average, net
    frequency: FloatArray  # orders a year
    lifespan: float  # years, as Shop has it
    margin_rate: float
    value: FloatArray


def textbook(*, value: ArrayLike, orders: ArrayLike, years: ArrayLike, lifespan: float, margin_rate: float) -> Textbook:
    """`value` is net revenue to date of `orders` ≥ 0 made in `years` > 0; of one customer, or summed over many.

    Money taken back counts as none, so that no value is negative.
    """
    revenue, count = np.maximum(np.asarray(value, np.float64), 0.0), np.asarray(orders, np.float64)
    per_order = np.divide(revenue, count, out=np.full(np.shape(count), np.nan), where=count > 0)
    frequency = np.where(count > 0, count / np.asarray(years, np.float64), np.nan)
    worth = per_order * frequency * lifespan * margin_rate
    return Textbook(order_value=per_order, frequency=frequency, lifespan=lifespan, margin_rate=margin_rate, value=worth)


def expected_cost(shop: Shop, *, expected_orders: ArrayLike, other_costs: ArrayLike, age_days: ArrayLike) -> FloatArray:
    """What a customer will cost within the year for which `expected_orders` are expected: handling those orders, and
    her own yearly rate of other costs with COST_PRIOR years at the shop's rate added. Never negative.
    """
    years = np.asarray(age_days, np.float64) / YEAR
    own = np.maximum(np.asarray(other_costs, np.float64), 0.0)
    rate = (own + COST_PRIOR * shop.other_rate) / (years + COST_PRIOR)
    return np.asarray(expected_orders, np.float64) * shop.order_cost + rate


def total(*, profit: float, predicted: float, costs: float) -> float:
    """The value of a customer over her whole time: profit to date and what is expected to come, less its costs."""
    return profit + predicted - costs


def costs_ahead(*, costs_year: float, margin_year: float, margin: float) -> float:
    """Costs within a longer horizon, whose expected `margin` they follow: as many times those of the year as the margin
    is of the year's. Where the year brings no margin, those of the year.
    """
    return costs_year * margin / margin_year if margin_year > 0 else costs_year
