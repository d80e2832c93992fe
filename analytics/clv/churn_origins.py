"""What the calibration of the churn risk learns from: earlier days of the shop, and who came back after each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analytics.clv import backtest, cells, churn, covariates, fitting, purchase, risk
from analytics.clv.order_log import OrderLog
from analytics.clv.params import FloatArray

Discounted = Callable[[int], FloatArray]  # day → share that discounts took off, by customer code


def learn(log: OrderLog, *, model: str, horizon_days: int, discounted: Discounted) -> churn.Learned:
    """Calibrate the risk of the named purchase model on the log's own past. Never raises for a valid log."""
    at, _ = backtest.origins(log, longest=horizon_days)
    if any(origin.horizon_days < horizon_days for origin in at):
        return churn.learn([])  # three horizons are more than the history has
    found = (_origin(log, origin, model, discounted) for origin in at)
    return churn.learn([each for each in found if each is not None])


def _origin(log: OrderLog, origin: backtest.Origin, model: str, discounted: Discounted) -> churn.Origin | None:
    split = backtest.split(log, origin)
    if split.bought_again < backtest.FEWEST_REPEAT:
        return None
    try:
        params = purchase.MODELS[model].fit(backtest.columns(split.history)).params
    except fitting.DidNotConverge:
        return None
    known = replace(split.history, discounted=discounted(origin.day)[_codes(log, origin.day)])
    each = covariates.learn(params, known).params or (params,)
    said = cells.by_cell(each, known, lambda one, part: risk.by_model(one, part, origin.horizon_days))
    return risk.features(said, known), split.order_days == 0


def _codes(log: OrderLog, day: int) -> NDArray[np.intp]:
    """The customers of `backtest.split`, in its order."""
    history, rows = log.history(day)
    return rows[history.order_days > 0]
