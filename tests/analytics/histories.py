"""Plain factories: one customer by default, one changed fact per line."""

import numpy as np

from analytics.clv import shop


def make_history(*rows):
    """A history of (order_days, first_age, last_age, value, repeat_value, margin) tuples."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    days = [table[:, column].astype(np.int32) for column in range(3)]
    money = [np.ascontiguousarray(table[:, column]) for column in range(3, 6)]
    return shop.History(*days, *money)


def make_customer(*, order_days=3, first_age=200, last_age=20, value=90.0, repeat_value=60.0, margin=36.0, times=1):
    return [(order_days, first_age, last_age, value, repeat_value, margin)] * times


def of(*groups):
    """A history of several make_customer groups."""
    return make_history(*(row for group in groups for row in group))


def score_one(fitted, terms=None, **facts):
    """The scores of one customer as plain numbers."""
    found = shop.score(fitted, of(make_customer(**facts)), terms or shop.Terms())
    return {name: getattr(found, name)[0].item() for name in found.__slots__}
