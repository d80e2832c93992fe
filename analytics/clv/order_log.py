"""Order days and when each fact about them became known, so that any day can be looked at as it looked then.

A history as of a past day must not know of what came later: an order that is returned in May is an order in April.
So a refund takes its money from the day of its order, but only from the day of the refund on. `history` gives the
columns of the purchase summaries (analytics/services/summaries.py) as of any day, `outcomes` what happened after it.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.clv.history import History
from analytics.clv.params import FloatArray

NO_ORDER_DAY = 2**31 - 1  # of money paid back for no order that is known: it comes after every order day

Days = NDArray[np.int32]  # whole days since 1970-01-01, negative before


@dataclass(frozen=True, slots=True)
class DaySums:
    """One row per customer and order day, sorted by both: what is known of it. Money in minor units."""

    customer: NDArray[np.int32]
    day: Days  # NO_ORDER_DAY for unmatched returns
    orders: NDArray[np.int32]  # that stand; a day with none is no order day
    value: FloatArray
    margin: FloatArray
    refunded: FloatArray  # what of the value came back on a later day, or without an order

    @property
    def standing(self) -> NDArray[np.intp]:
        """The rows that are order days."""
        return np.flatnonzero((self.orders > 0) & (self.day != NO_ORDER_DAY))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What happened within a horizon, by customer code: order days that stand, and their net value in major units."""

    order_days: NDArray[np.int64]
    value: FloatArray

    def take(self, rows: NDArray[np.intp]) -> "Outcomes":
        return Outcomes(self.order_days[rows], self.value[rows])


@dataclass(frozen=True, slots=True)
class OrderLog:
    """Facts sorted by (customer, order_day, seen_on), each of the three at most once together; `build` makes it.

    An order is +1 order and its value, seen on its own day. A refund is minus its value on the day of its order, seen
    on the day of the refund; −1 order is seen on the day on which the whole order has come back. A return without a
    known order has money only, and NO_ORDER_DAY.
    """

    customers: int  # codes are 0 to customers − 1
    end: int  # the last day that the log tells about
    unit: float  # minor units to the major one
    customer: NDArray[np.int32]
    order_day: Days
    seen_on: Days
    orders: NDArray[np.int32]
    value: FloatArray  # minor units
    margin: FloatArray  # minor units
    cell: NDArray[np.int16] = field(
        default_factory=lambda: np.empty(0, np.int16)
    )  # by code (cells.py); empty: all in 0

    @property
    def start(self) -> int:
        """The first order day; the day after the end when there is none."""
        return int(np.min(self.order_day, initial=self.end + 1))

    def until(self, day: int) -> "OrderLog":
        """The log as it was on that day: nothing that was not known then."""
        rows = np.flatnonzero(self.seen_on <= day)
        names = ("customer", "order_day", "seen_on", "orders", "value", "margin")
        return replace(self, end=min(day, self.end), **{name: getattr(self, name)[rows] for name in names})

    def days(self, as_of: int) -> DaySums:
        """What is known of each customer's days on the evening of `as_of`."""
        rows = np.flatnonzero(self.seen_on <= as_of)
        customer, day = self.customer[rows], self.order_day[rows]
        first = np.ones(rows.size, dtype=np.bool_)
        first[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
        starts = np.flatnonzero(first)
        return DaySums(
            customer=customer[starts],
            day=day[starts],
            orders=_sums(self.orders[rows], starts),
            value=_sums(self.value[rows], starts),
            margin=_sums(self.margin[rows], starts),
            refunded=_sums(np.where(self.seen_on[rows] != self.order_day[rows], -self.value[rows], 0.0), starts),
        )

    def history(self, as_of: int) -> tuple[History, NDArray[np.intp]]:
        """Everyone with an order by then, as she looked on the evening of `as_of`, and their customer codes."""
        found, rows = history_of(self.days(as_of), customers=self.customers, as_of=as_of, unit=self.unit)
        return (replace(found, cell=self.cell[rows]) if self.cell.size else found), rows

    def outcomes(self, as_of: int, horizon_days: int) -> Outcomes:
        """What happened in (as_of, as_of + horizon_days], as it is known at the end of the log, by customer code.

        Refunds count with the day of their order, returns without an order with their own.
        """
        last = as_of + horizon_days
        found = self.days(self.end)
        inside = (found.day > as_of) & (found.day <= last)
        standing = inside & (found.orders > 0)
        lost = (self.order_day == NO_ORDER_DAY) & (self.seen_on > as_of) & (self.seen_on <= last)
        value = self._by_customer(found.customer[inside], found.value[inside])
        value += self._by_customer(self.customer[lost], self.value[lost])
        return Outcomes(
            order_days=np.bincount(found.customer[standing], minlength=self.customers), value=value / self.unit
        )

    def _by_customer(self, customer: NDArray[np.int32], amounts: FloatArray) -> FloatArray:
        return np.bincount(customer, weights=amounts, minlength=self.customers).astype(np.float64)


def build(
    *,
    customer: ArrayLike,
    order_day: ArrayLike,
    seen_on: ArrayLike,
    orders: ArrayLike,
    value: ArrayLike,
    margin: ArrayLike,
    customers: int,
    end: int,
    unit: float = 100.0,
) -> OrderLog:
    """A log of facts in any order, columns of one length; facts with the same three keys are added up.

    Money is in whole minor units, so that sums are exact. Raises ValueError for columns that do not fit together.
    """
    keys = [np.asarray(key).astype(np.int32) for key in (customer, order_day, seen_on)]
    amounts: list[NDArray[Any]] = [np.asarray(money, dtype=np.float64) for money in (value, margin)]
    amounts.insert(0, np.asarray(orders).astype(np.int32))
    _check(keys, amounts, customers)
    order = np.lexsort(keys[::-1])
    keys = [key[order] for key in keys]
    first = np.ones(order.size, dtype=np.bool_)
    first[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    starts = np.flatnonzero(first)
    columns: list[NDArray[Any]] = [key[starts] for key in keys]
    return OrderLog(customers, end, unit, *columns, *(_sums(amount[order], starts) for amount in amounts))


def _check(keys: list[NDArray[Any]], amounts: list[NDArray[Any]], customers: int) -> None:
    columns = [*keys, *amounts]
    if any(column.shape != (columns[0].size,) for column in columns):
        raise ValueError("the columns of a log must have one length")
    customer, order_day, seen_on = keys
    if np.any((customer < 0) | (customer >= customers)):
        raise ValueError("a customer's code must be one of those counted")
    if np.any((seen_on < order_day) & (order_day != NO_ORDER_DAY)):
        raise ValueError("nothing is known of an order before its day")


def _sums(column: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[Any]:
    if not starts.size:
        return column[:0]
    return np.add.reduceat(column, starts, dtype=column.dtype)


def history_of(days: DaySums, *, customers: int, as_of: int, unit: float) -> tuple[History, NDArray[np.intp]]:
    """The columns of the summaries, from the days known on `as_of`; and whose they are."""

    def total(customer: NDArray[np.int32], amounts: NDArray[Any]) -> FloatArray:
        return np.bincount(customer, weights=amounts, minlength=customers).astype(np.float64)

    standing = days.standing
    who, day, net = days.customer[standing], days.day[standing], days.value[standing] / unit
    count = np.bincount(who, minlength=customers)
    start = np.cumsum(count) - count
    first, last, prior = (_ages(day, start, place, count, as_of) for place in (0, count - 1, count - 3))
    again = np.flatnonzero(who[1:] == who[:-1]) + 1
    paid = again[net[again] > 0]
    logs = np.log(net[paid])
    after_first = (count[days.customer] > 1) & (days.day > as_of - first[days.customer])
    columns = {
        "order_days": count.astype(np.int32),
        "first_age": np.maximum(first, 0),
        "last_age": np.maximum(last, 0),
        "value": total(days.customer, days.value) / unit,
        "repeat_value": total(days.customer[after_first], days.value[after_first]) / unit,
        "margin": total(days.customer, days.margin) / unit,
        "log_gaps": total(who[again], np.log(day[again] - day[again - 1])),
        "paid_days": np.bincount(who[paid], minlength=customers).astype(np.int32),
        "log_value": total(who[paid], logs),
        "log_value_sq": total(who[paid], logs * logs),
        "prior_age": prior,
        "refunded": total(days.customer, days.refunded) / unit,
    }
    known = np.bincount(days.customer[days.day != NO_ORDER_DAY], minlength=customers)
    rows = np.flatnonzero(known)
    return History(**{name: column[rows] for name, column in columns.items()}), rows


def _ages(
    day: Days, start: NDArray[np.intp], place: NDArray[np.intp] | int, count: NDArray[np.intp], as_of: int
) -> Days:
    """Days from each customer's order day in that place to `as_of`; −1 where there is none."""
    there = (count > 0) & (np.asarray(place) >= 0)
    ages = np.full(count.shape, -1, dtype=np.int32)
    ages[there] = as_of - day[(start + place)[there]]
    return ages
