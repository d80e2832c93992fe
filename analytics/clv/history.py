"""What the engine is told about the customers and about the shop's terms."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.clv.params import FloatArray

WEEK, YEAR = 7.0, 365.0  # days
LONG_DAYS = 3 * 365
LIFETIME_DAYS = 10 * 365  # a lifetime is counted to ten years: what lies beyond is worth little and known less

UNKNOWN: NDArray[Any] = np.empty(0)  # a column that was not given
DETAILS: dict[str, float] = {
    "log_gaps": np.nan,
    "paid_days": 0,
    "log_value": 0.0,
    "log_value_sq": 0.0,
    "prior_age": -1,
    "refunded": 0.0,
    "discounted": 0.0,
    "cell": 0,
}


def _unknown() -> NDArray[Any]:
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class History:
    """Customers in columns of one length, as of one business day; the length may be 0.

    A customer whose every order was refunded has order_days == 0 and both ages 0. Money is in major units
    and may be zero or negative. The columns with a default may be left out: gaps are then not known (NaN), no order
    day is known to be paid, nobody has a third-last order day, nothing came back, and all are in cell 0. Raises
    ValueError for what cannot be.
    """

    order_days: NDArray[np.int32]  # distinct local days with an order that stands
    first_age: NDArray[np.int32]  # days from the first order day to the business day
    last_age: NDArray[np.int32]  # days from the last order day to the business day
    value: FloatArray  # net revenue of all order days
    repeat_value: FloatArray  # net revenue of the order days after the first
    margin: FloatArray  # margin to date
    log_gaps: FloatArray = field(default_factory=_unknown)  # Σ ln of the days between consecutive order days
    paid_days: NDArray[np.int32] = field(default_factory=_unknown)  # order days after the first with net revenue v > 0
    log_value: FloatArray = field(default_factory=_unknown)  # Σ ln v over them
    log_value_sq: FloatArray = field(default_factory=_unknown)  # Σ (ln v)²
    prior_age: NDArray[np.int32] = field(default_factory=_unknown)  # as last_age, of the third-last; -1 for fewer
    refunded: FloatArray = field(default_factory=_unknown)  # net revenue that came back after the day of its order
    discounted: FloatArray = field(default_factory=_unknown)  # share of what she bought that discounts took off
    cell: NDArray[np.integer[Any]] = field(default_factory=_unknown)  # of customers alike from the start (cells.py)

    def __post_init__(self) -> None:
        for name, default in DETAILS.items():
            if getattr(self, name) is UNKNOWN:
                object.__setattr__(self, name, np.full(self.order_days.shape, default))
        columns = [getattr(self, name) for name in self.__slots__[1:]]
        if self.order_days.ndim != 1 or any(column.shape != self.order_days.shape for column in columns):
            raise ValueError("the columns of a history must have one length")
        if any(np.any(column < 0) for column in (self.order_days, self.first_age, self.last_age)):
            raise ValueError("order days and ages cannot be negative")
        later = self.first_age > self.last_age
        if np.any(np.where(self.order_days > 1, ~later, (self.order_days == 1) & (self.first_age != self.last_age))):
            raise ValueError("the last order day must follow the first if there are two, and be it if there is one")
        if not all(np.all(np.isfinite(column)) for column in (self.value, self.repeat_value, self.margin)):
            raise ValueError("money must be finite")

    def take(self, rows: NDArray[np.intp]) -> "History":
        """The history of these rows only."""
        return History(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings that matter to the engine."""

    horizon_days: int = 365  # of expected orders and of the value that pages sort by
    churn_horizon_days: int = 90
    discount_rate: float = 0.10  # a year
    margin_rate: float = 0.40  # where the shop's own orders do not tell

    @property
    def horizons(self) -> tuple[int, int, int]:
        """The horizon, 36 months and a lifetime in days, rising."""
        return self.horizon_days, max(self.horizon_days, LONG_DAYS), max(self.horizon_days, LIFETIME_DAYS)
