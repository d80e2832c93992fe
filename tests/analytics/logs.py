"""Plain factories of order logs: days are small numbers, money whole minor units."""

import numpy as np

from analytics.clv import order_log
from analytics.clv.order_log import NO_ORDER_DAY


def make_order(customer=0, day=0, *, value=1000, margin=400):
    return (customer, day, day, 1, value, margin)


def make_refund(customer=0, day=0, *, seen, value=1000, margin=400, whole=True):
    """Money back on `seen` for the order of `day`; the order too when the whole of it came back."""
    return (customer, day, seen, -1 if whole else 0, -value, -margin)


def make_return(customer=0, seen=0, *, value=300, margin=120):
    return (customer, NO_ORDER_DAY, seen, 0, -value, -margin)


def make_log(*facts, customers=None, end=None, unit=100.0):
    """A log of such facts. By default its end is the last day of any."""
    columns = list(zip(*facts, strict=True)) or [()] * 6
    names = ("customer", "order_day", "seen_on", "orders", "value", "margin")
    return order_log.build(
        **dict(zip(names, columns, strict=True)),
        customers=max(columns[0], default=-1) + 1 if customers is None else customers,
        end=max(columns[2], default=0) if end is None else end,
        unit=unit,
    )


# Orders of each month of the year beside those of a mean month, where a shop has a season
CHRISTMAS = (0.8, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 1.0, 1.2, 1.6, 2.0)
EVEN = (1.0,) * 12
MONDAY_2021 = 18_628  # 2021-01-01


def make_shop(*, customers=3000, days=730, seed=1, months=EVEN, regularity=1, sigma=0.5, start=MONDAY_2021):
    """A shop of MBG/NBD customers who come evenly over its days; with `regularity` above 1 they buy more evenly.

    A season stretches their clocks. Spend is log-normal around a level of her own.
    """
    rng = np.random.default_rng(seed)
    month = (start + np.arange(days)).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    clock = np.append(0.0, np.cumsum(np.array(months)[month]))
    who, at = np.arange(customers), np.interp(rng.random(customers) * days, np.arange(days + 1), clock)
    pace, leaving = rng.gamma(0.55, 1 / 70, customers), rng.beta(0.8, 2.4, customers)
    level = np.exp(sigma * rng.standard_normal(customers))
    codes, orders = [], []
    while who.size:
        codes.append(who)
        orders.append(np.searchsorted(clock, at, side="right") - 1)
        stay = rng.random(who.size) >= leaving[who]
        who, at = who[stay], at[stay]
        at = at + rng.gamma(regularity, 1 / (regularity * pace[who]))
        who, at = who[at < clock[-1]], at[at < clock[-1]]
    customer, day = np.concatenate(codes), start + np.concatenate(orders)
    value = np.rint(5000 * level[customer] * np.exp(sigma * rng.standard_normal(customer.size)))
    return order_log.build(
        customer=customer,
        order_day=day,
        seen_on=day,
        orders=np.ones(customer.size),
        value=value,
        margin=np.rint(0.4 * value),
        customers=customers,
        end=start + days - 1,
    )
