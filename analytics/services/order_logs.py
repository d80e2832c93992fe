"""The order log from the database: of everyone, or of a sample that stays the same from night to night."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics.clv import order_log
from analytics.clv.order_log import NO_ORDER_DAY, OrderLog
from core import money, pgcopy
from customers.models import Customer

FACT: Final = {"customer_id": "int8", "order_day": "date", "seen_on": "date", "value": "int8", "margin": "int8"}
EPOCH: Final = int((pgcopy.EPOCH - np.datetime64("1970-01-01", "D")).astype(np.int64))

# `infinity` is the largest int4 in a binary COPY: here an order that did not come back, or a day that is none.
ORDERS: Final = """
SELECT customer_id, placed_on, greatest(coalesce(fully_refunded_on, 'infinity'), placed_on), value_cents, margin_cents
FROM customers_order WHERE status = 'paid' AND placed_on <= %(as_of)s AND customer_id IS NOT NULL{sample}
"""
REFUNDS: Final = """
SELECT o.customer_id, o.placed_on, greatest(r.refunded_on, o.placed_on), -r.value_cents, -r.margin_cents
FROM customers_refund r JOIN customers_order o ON o.id = r.order_id AND o.customer_id = r.customer_id
WHERE o.status = 'paid' AND o.placed_on <= %(as_of)s AND r.refunded_on <= %(as_of)s{sample}
"""
RETURNS: Final = """
SELECT customer_id, date 'infinity', returned_on, -value_cents, -margin_cents
FROM customers_unmatchedreturn WHERE returned_on <= %(as_of)s AND customer_id IS NOT NULL{sample}
"""

DISCOUNTS: Final = """
SELECT o.customer_id, o.placed_on, sum(l.discount_cents)::bigint
FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
WHERE o.status = 'paid' AND o.placed_on <= %(as_of)s AND l.counts AND l.discount_cents <> 0
    AND o.customer_id IS NOT NULL{sample}
GROUP BY 1, 2
"""
DISCOUNT: Final = {"customer_id": "int8", "day": "date", "cents": "int8"}

# Knuth's multiplicative hash of the id, in 31 bits: the same in every database. A smaller sample is part of a larger.
SAMPLE: Final = " AND ({table}customer_id %% 2147483648) * 2654435761 %% 2147483648 < %(below)s"
WHOLE: Final = 2**31

Columns = dict[str, NDArray[Any]]


def read(*, as_of: date, currency: str, sample: int | None = None) -> tuple[OrderLog, NDArray[np.int64]]:
    """What is known on the evening of `as_of`, and the ids of the customers by their codes.

    With `sample` at most about so many customers: all of them, half, a quarter and so on, chosen by their ids.
    """
    parts = ((ORDERS, ""), (REFUNDS, "o."), (RETURNS, ""))
    orders, refunds, returns = (_read(query, table, FACT, as_of=as_of, sample=sample) for query, table in parts)
    return _log(orders, refunds, returns, end=_number(as_of), unit=10.0 ** money.exponent(currency))


def _read(query: str, table: str, types: Mapping[str, str], *, as_of: date, sample: int | None) -> Columns:
    """The facts of the sampled customers; `table` is the prefix of the column that names them."""
    below = WHOLE if sample is None else WHOLE // one_in(sample)
    if below == WHOLE:
        return pgcopy.read(query.format(sample=""), {"as_of": as_of}, types)
    return pgcopy.read(query.format(sample=SAMPLE.format(table=table)), {"as_of": as_of, "below": below}, types)


@dataclass(frozen=True, slots=True)
class Discounts:
    """What discounts took off, by customer code and day, in major units."""

    customer: NDArray[np.intp]
    day: NDArray[np.int64]
    amount: NDArray[np.float64]

    def share(self, log: OrderLog, day: int) -> NDArray[np.float64]:
        """Of what each customer of the log had bought by that day at full price; 0 for who bought nothing."""
        known = self.day <= day
        taken = np.bincount(self.customer[known], self.amount[known], log.customers).astype(np.float64)
        history, rows = log.history(day)
        full = taken.copy()
        full[rows] += np.maximum(history.value + history.refunded, 0.0)
        return np.divide(taken, full, out=np.zeros(log.customers), where=full > 0)


def read_discounts(*, as_of: date, currency: str, sample: int | None, ids: NDArray[np.int64]) -> Discounts:
    """The discounts of the customers that `read` gave, `ids` in the order of their codes."""
    found = _read(DISCOUNTS, "o.", DISCOUNT, as_of=as_of, sample=sample)
    return Discounts(
        customer=np.searchsorted(ids, found["customer_id"]),
        day=_since_1970(found["day"]),
        amount=found["cents"] / 10.0 ** money.exponent(currency),
    )


def one_in(sample: int) -> int:
    """Of how many customers one is read when about so many are wanted: 1, 2, 4 and so on."""
    return 1 << halvings(Customer.objects.count(), sample)


def halvings(customers: int, sample: int) -> int:
    """How often to halve so many customers until they fit: a step, so that a growing shop keeps its sample."""
    return max(0, -(-customers // max(sample, 1)) - 1).bit_length()


def _log(
    orders: Columns, refunds: Columns, returns: Columns, *, end: int, unit: float
) -> tuple[OrderLog, NDArray[np.int64]]:
    back = _since_1970(orders["seen_on"])
    came_back = np.flatnonzero(back <= end)
    nothing = np.zeros(came_back.size, dtype=np.int64)
    gone = {name: column[came_back] for name, column in orders.items()} | {"value": nothing, "margin": nothing}
    orders = orders | {"seen_on": orders["order_day"]}
    facts = (orders, gone, refunds, returns)
    together = {name: np.concatenate([part[name] for part in facts]) for name in FACT}
    ids, codes = np.unique(together["customer_id"], return_inverse=True)
    counts = (1, -1, 0, 0)
    log = order_log.build(
        customer=codes,
        order_day=_since_1970(together["order_day"]),
        seen_on=_since_1970(together["seen_on"]),
        orders=np.repeat(counts, [part["customer_id"].size for part in facts]),
        value=together["value"],
        margin=together["margin"],
        customers=ids.size,
        end=end,
        unit=unit,
    )
    return log, ids


def _since_1970(days: NDArray[Any]) -> NDArray[np.int64]:
    known = days.astype(np.int64)
    return np.where(known == NO_ORDER_DAY, NO_ORDER_DAY, known + EPOCH)


def _number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
