"""Plain factories of order logs: days are small numbers, money whole minor units."""

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
