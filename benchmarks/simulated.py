"""A shop whose truth is known: customers who buy and leave as BG/NBD or MBG/NBD says, counted in whole days."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.clv.history import History
from analytics.clv.params import BgNbdParams, FloatArray, GammaGammaParams, MbgNbdParams

PURCHASE = BgNbdParams(r=0.55, alpha=10.0, a=0.9, b=2.4)  # weeks; 2.5 order days a customer in two years
SPEND = GammaGammaParams(p=6.25, q=3.74, gamma=15.44)
MARGIN_RATE = 0.4
WEEK = 7.0


def shop(
    customers: int,
    *,
    seed: int = 20_05,
    days: int = 730,
    youngest: int = 1,
    purchase: BgNbdParams | MbgNbdParams = PURCHASE,
    spend: GammaGammaParams = SPEND,
) -> History:
    """Customers whose first orders spread evenly over the days `youngest` to `days` before the business day.

    Orders come at any moment, the first one too; several orders on one day are one order day. The parameters
    are in weeks.
    """
    chance = np.random.default_rng(seed)
    age = chance.integers(youngest, days + 1, customers).astype(np.int32)
    order_days, last_day, log_gaps = _order_days(chance, age, purchase)
    rate = chance.gamma(spend.q, 1.0 / spend.gamma, customers)
    first: FloatArray = (chance.gamma(spend.p, 1.0, customers) / rate).round(2)
    again, paid = _repeat_orders(chance, order_days - 1, rate, spend)
    value = first + again
    return History(
        order_days=order_days,
        first_age=age,
        last_age=age - last_day,
        value=value,
        repeat_value=again,
        margin=np.round(MARGIN_RATE * value, 2),
        log_gaps=log_gaps,
        **paid,
    )


def _repeat_orders(
    chance: np.random.Generator, repeat: NDArray[np.int32], rate: FloatArray, spend: GammaGammaParams
) -> tuple[FloatArray, dict[str, Any]]:
    """What each customer's repeat orders bring together, and what a history knows of them one by one."""
    customers = repeat.size
    who = np.repeat(np.arange(customers), repeat)
    each = np.maximum((chance.gamma(spend.p, 1.0, who.size) / rate[who]).round(2), 0.01)
    logs = np.log(each)
    total, level, square = (
        np.bincount(who, column, customers).astype(np.float64) for column in (each, logs, logs * logs)
    )
    return total, {"paid_days": repeat, "log_value": level, "log_value_sq": square}


def _order_days(
    chance: np.random.Generator, age: NDArray[np.int32], purchase: BgNbdParams | MbgNbdParams
) -> tuple[NDArray[np.int32], NDArray[np.int32], FloatArray]:
    """Distinct order days, the last of them counted from the first, and Σ ln of the days between them."""
    customers = age.size
    gap = WEEK * purchase.alpha / chance.gamma(purchase.r, 1.0, customers).clip(1e-12)  # mean days
    leaves = chance.beta(purchase.a, purchase.b, customers)
    order_days = np.ones(customers, dtype=np.int32)
    last_day = np.zeros(customers, dtype=np.int32)
    log_gaps: FloatArray = np.zeros(customers)
    clock: FloatArray = chance.random(customers)
    stays = chance.random(customers) >= (leaves if isinstance(purchase, MbgNbdParams) else 0.0)
    active = np.flatnonzero(stays)
    while active.size:
        clock[active] += chance.exponential(gap[active])
        active = active[clock[active] < age[active] + 1]
        today = clock[active].astype(np.int32)
        since = today - last_day[active]
        order_days[active] += since > 0
        log_gaps[active] += np.log(np.maximum(since, 1))
        last_day[active] = today
        active = active[chance.random(active.size) >= leaves[active]]
    return order_days, last_day, log_gaps
