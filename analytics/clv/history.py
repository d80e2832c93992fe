"""What the engine is told about the customers and about the shop's terms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.clv.params import FloatArray


@dataclass(frozen=True, slots=True)
class History:
    """Customers in columns of one length, as of one business day; the length may be 0.

    A customer whose every order was refunded has order_days == 0 and both ages 0. Money is in major units
    and may be zero or negative. Raises ValueError for what cannot be.
    """

    order_days: NDArray[np.int32]  # distinct local days with an order that stands
    first_age: NDArray[np.int32]  # days from the first order day to the business day
    last_age: NDArray[np.int32]  # days from the last order day to the business day
    value: FloatArray  # net revenue of all order days
    repeat_value: FloatArray  # net revenue of the order days after the first
    margin: FloatArray  # margin to date

    def __post_init__(self) -> None:
        columns = (self.first_age, self.last_age, self.value, self.repeat_value, self.margin)
        if self.order_days.ndim != 1 or any(column.shape != self.order_days.shape for column in columns):
            raise ValueError("the columns of a history must have one length")
        if any(np.any(column < 0) for column in (self.order_days, self.first_age, self.last_age)):
            raise ValueError("order days and ages cannot be negative")
        later = self.first_age > self.last_age
        if np.any(np.where(self.order_days > 1, ~later, (self.order_days == 1) & (self.first_age != self.last_age))):
            raise ValueError("the last order day must follow the first if there are two, and be it if there is one")
        if not all(np.all(np.isfinite(column)) for column in columns[2:]):
            raise ValueError("money must be finite")

    def take(self, rows: NDArray[np.intp]) -> "History":
        """The history of these rows only."""
        return History(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings that matter to the engine."""

    horizon_days: int = 365
    churn_horizon_days: int = 90
    discount_rate: float = 0.10  # a year
    margin_rate: float = 0.40  # where the shop's own orders do not tell
