"""Histories made of single orders, so that a test knows each order's value."""

import numpy as np

from analytics.clv.history import History


def of_orders(customers):
    """One customer per list of net values, an order a week, the first one first; an empty list is someone refunded."""
    return of_table(
        np.array([len(values) for values in customers], dtype=np.int32),
        np.array([value for values in customers for value in values], dtype=np.float64),
    )


def of_table(order_days, values):
    """The same for long columns: the customers' numbers of orders, and all their orders' values one after the other."""
    owner = np.repeat(np.arange(order_days.size), order_days)
    starts = np.cumsum(order_days) - order_days
    repeat = np.ones(values.size, dtype=bool)
    repeat[starts[order_days > 0]] = False
    paid = repeat & (values > 0)
    logs = np.log(np.where(paid, values, 1.0))
    total = lambda column: np.bincount(owner, weights=column, minlength=order_days.size).astype(np.float64)  # noqa: E731
    age = np.where(order_days > 0, 10 + 7 * np.maximum(order_days - 1, 0), 0).astype(np.int32)
    return History(
        order_days=order_days.astype(np.int32),
        first_age=age,
        last_age=np.where(order_days > 0, 10, 0).astype(np.int32),
        value=total(values),
        repeat_value=total(values * repeat),
        margin=0.4 * total(values),
        paid_days=total(paid).astype(np.int32),
        log_value=total(logs),
        log_value_sq=total(logs**2),
    )


def log_normal_shop(customers, *, median=40.0, within=0.4, between=0.3, first=1.0, seed=3, most=12):
    """Customers of a log-normal shop, and the mean order that each of them truly brings."""
    chance = np.random.default_rng(seed)
    order_days = 1 + chance.negative_binomial(0.7, 0.25, customers).clip(max=most - 1).astype(np.int32)
    level = np.log(median) + np.sqrt(between) * chance.standard_normal(customers)
    owner = np.repeat(np.arange(customers), order_days)
    values = np.exp(level[owner] + np.sqrt(within) * chance.standard_normal(owner.size))
    values[np.cumsum(order_days) - order_days] *= first
    return of_table(order_days, values), np.exp(level + within / 2)
