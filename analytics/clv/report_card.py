"""The report card of a log: what a night on a past day would have said, and what happened then.

Everything is as it was on that day: the models are chosen by origins before it and fitted to what was known on its
evening. Of what came later nothing is looked at but to compare.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from analytics.clv import backtest, cells, choice, fitting, intervals, measures, purchase, shop, spend
from analytics.clv.backtest import DAY, Origin, Split
from analytics.clv.choice import Choice
from analytics.clv.fitted import Fitted
from analytics.clv.history import History
from analytics.clv.intervals import Expected
from analytics.clv.order_log import OrderLog
from analytics.clv.params import FloatArray


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over all customers, with its 80 % interval."""

    predicted: float
    low: float
    high: float
    actual: float


@dataclass(frozen=True, slots=True)
class Plain:
    """What others would have said, without intervals: order days, money, mean absolute error of order days."""

    orders: float
    spend: float | None  # None where they say nothing of money
    mae: float


@dataclass(frozen=True, slots=True)
class Card:
    """One origin. `spend` is None where there is no money."""

    origin: str
    horizon_days: int
    model: str
    spend_model: str
    customers: int
    orders: Total
    spend: Total | None
    mae: float
    coverage_80: float
    naive_mae: float
    naive: Plain
    raw: Plain | None  # BG/NBD and Gamma-Gamma as published; None where BG/NBD cannot be fitted
    silent: float  # share of the customers who did not order
    brier: float
    gini: float
    groups: list[measures.Group]  # by rising prediction
    gain: list[float]
    reasons: list[str]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def card(log: OrderLog, origin: Origin) -> Card:
    """What a night on the origin's day would have said about the days after it.

    Raises ValueError when the log does not reach to their end, or nobody had ordered by then.
    """
    if origin.day + origin.horizon_days > log.end:
        raise ValueError("the horizon reaches past the end of the log")
    found = backtest.split(log, origin)
    return judge(found, choice.decide(log.until(origin.day), longest=origin.horizon_days))


def judge(found: Split, chosen: Choice) -> Card:
    """Fit the chosen models to the history and compare what they say with what happened.

    Raises ValueError when nobody had ordered by then.
    """
    days = found.origin.horizon_days
    fitted = shop.fit(found.history, shop.Terms(horizon_days=days), _plan(found.origin, chosen))
    if (widths := fitted.widths) is None:
        raise ValueError("nobody had ordered by then")
    told = cells.by_cell(fitted.each, found.history, lambda one, part: _told(one, part, days))
    predicted = float(np.sum(told.orders))
    spent, actual = float(np.sum(told.value)), float(np.sum(found.value))
    naive = backtest.naive(found.history, days)
    grouped = measures.groups(told.orders, found.order_days)
    has_money = bool(np.any(found.history.value != 0) or np.any(found.value != 0))
    return Card(
        origin=backtest.date_of(found.origin.day),
        horizon_days=days,
        model=fitted.model,
        spend_model=fitted.spend.name,
        customers=found.order_days.size,
        orders=Total(predicted, *intervals.total_orders(widths, predicted), float(np.sum(found.order_days))),
        spend=Total(spent, *intervals.total_value(widths, predicted, spent), actual) if has_money else None,
        mae=measures.mean_absolute_error(told.orders, found.order_days),
        coverage_80=intervals.coverage(told.low, told.high, found.order_days),
        naive_mae=measures.mean_absolute_error(naive, found.order_days),
        naive=_naive(found, naive, has_money=has_money),
        raw=_raw(found, has_money=has_money),
        silent=float(np.mean(found.order_days == 0)),
        brier=measures.brier(told.silent, found.order_days == 0),
        gini=measures.gini(told.orders, found.order_days),
        groups=grouped,
        gain=measures.gain(grouped),
        reasons=[*chosen.reasons, *(reason for reason in (fitted.reason, fitted.spend_reason) if reason)],
    )


def _plan(origin: Origin, chosen: Choice) -> shop.Plan:
    factor = chosen.factor(origin.day + 1, origin.horizon_days)
    corrections = shop.Levels(orders=factor, spend=chosen.spend_level.factor)
    return shop.Plan(chosen.purchase, chosen.spend, corrections, past=chosen.past(origin.horizon_days))


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of each customer, with the corrections."""

    orders: FloatArray
    value: FloatArray
    low: FloatArray  # of the orders
    high: FloatArray
    silent: FloatArray  # P(no order)


def _told(fitted: Fitted, history: History, days: int) -> _Told:
    plain = intervals.expect(fitted.purchase, fitted.spend, history, days)
    orders = plain.orders * fitted.levels.orders
    value = plain.value * (fitted.levels.orders * fitted.levels.spend)
    expected = Expected(plain.x, plain.T, plain.alive, orders, value)
    low, high = intervals.order_ends(fitted.widths, expected) if fitted.widths else (orders, orders)
    model, t = purchase.model_of(fitted.purchase), days * fitted.levels.orders * DAY
    silent = model.p_silent(fitted.purchase, t, *backtest.columns(history).times())
    return _Told(orders, value, low, high, silent)


def _naive(found: Split, orders: FloatArray, *, has_money: bool) -> Plain:
    """Everyone goes on at the pace so far, and spends on an order day what she has spent so far."""
    each = found.history.value / found.history.order_days
    money = float(np.dot(orders, each)) if has_money else None
    return Plain(float(np.sum(orders)), money, measures.mean_absolute_error(orders, found.order_days))


def _raw(found: Split, *, has_money: bool) -> Plain | None:
    columns = backtest.columns(found.history)
    model = purchase.MODELS[purchase.BG_NBD]
    try:
        params = model.fit(columns).params
    except fitting.DidNotConverge:
        return None
    orders = model.expected_purchases(params, found.origin.horizon_days * DAY, *columns.times())
    error = measures.mean_absolute_error(orders, found.order_days)
    return Plain(float(np.sum(orders)), _raw_money(found, orders) if has_money else None, error)


def _raw_money(found: Split, orders: FloatArray) -> float | None:
    try:
        params = spend.fit(spend.GAMMA_GAMMA, found.history).params
    except fitting.DidNotConverge:
        return None
    return float(np.dot(orders, spend.expected_spend(params, found.history)))
