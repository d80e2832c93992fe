"""Fit and score one shop in a process of its own; prints one line of JSON (run by model_work.py).

    model_once.py same|night FILE

`same` is the work of the peers: BG/NBD and Gamma-Gamma, then P(alive), orders over a year, spend an order and the
discounted value over twelve months. `night` is all that a night does with the arrays.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from analytics.clv import bgnbd, discount, gamma_gamma, purchase, shop, tables
from analytics.clv.history import WEEK, YEAR, History, Terms
from analytics.clv.params import FloatArray

TERMS = Terms()


def fit_same(history: History) -> tuple[Any, Any]:
    columns = purchase.Columns(
        x=history.order_days - 1,
        t_x=history.first_age - history.last_age,
        T=history.first_age,
        log_gaps=history.log_gaps,
    )
    return bgnbd.fit(columns.tally()).params, gamma_gamma.fit(columns.x, _mean_spend(history)).params


def score_same(fitted: tuple[Any, Any], history: History) -> FloatArray:
    """The discounted value, after all that it is made of."""
    bought, spent = fitted
    x, T = history.order_days - 1, history.first_age
    alive = bgnbd.p_alive(bought, x, (T - history.last_age) / WEEK, T / WEEK)
    each, ages, place = tables.pairs(x, T)
    rate = float(np.log1p(TERMS.discount_rate)) * WEEK / YEAR
    plain, discounted = discount.discounted_purchases_alive(bought, YEAR / WEEK, rate, each, ages / WEEK)
    orders = alive * plain[place]
    money = gamma_gamma.expected_spend(spent, x, _mean_spend(history))
    assert np.all(np.isfinite(orders))
    return np.asarray(alive * discounted[place] * money)


def fit_night(history: History) -> shop.Fitted:
    return shop.fit(history, TERMS)


def score_night(fitted: shop.Fitted, history: History) -> FloatArray:
    return np.asarray(shop.score(fitted, history, TERMS).clv / fitted.margin_rate)


WAYS: dict[str, tuple[Callable[..., Any], Callable[..., FloatArray], Callable[[Any], Any]]] = {
    "same": (fit_same, score_same, lambda fitted: fitted[0]),
    "night": (fit_night, score_night, lambda fitted: fitted.fits[purchase.BG_NBD].params),
}


def main(way: str, path: str) -> None:
    fit, score, params = WAYS[way]
    with np.load(path) as columns:
        history = History(**columns)
    loaded_mb = peak_mb()
    cpu_before = time.process_time()
    started = time.perf_counter()
    fitted = fit(history)
    learned = time.perf_counter()
    value = score(fitted, history)
    scored = time.perf_counter()
    found = {
        "fit_s": learned - started,
        "cpu_s": time.process_time() - cpu_before,
        "score_s": scored - learned,
        "discounting_s": 0.0,  # it is in the table that gives the orders
        "loaded_mb": loaded_mb,
        "peak_mb": peak_mb(),
        "parameters": params(fitted).as_dict(),
        "sum_of_value": float(np.nansum(value)),
    }
    print(json.dumps(found))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _mean_spend(history: History) -> FloatArray:
    x = history.order_days - 1
    return np.divide(history.repeat_value, x, out=np.zeros(x.size), where=x > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
