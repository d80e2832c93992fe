"""Credibility: a customer's own mean order, as far as it can be believed, and the shop's for the rest.

Bühlmann & Straub (1970), Glaubwürdigkeit für Schadensätze, as in Bühlmann & Gisler (2005), A Course in Credibility
Theory, chapter 4. A customer with c orders worth S together is expected to bring

    (S + k · mean) / (c + k),   k = (variance of an order around her level) / (variance of the levels)

an order: her own mean with the credibility c / (c + k). It needs no shape of the distribution, and money stays
money: what big regular buyers bring is not bent by logarithms. Three things differ from the textbook:

* k is not a ratio of variances, of which one order of ten million would be all there is. It is the k with which first
  orders foretell best what the same customers' later orders brought: the least Poisson deviance (Wedderburn 1974,
  Quasi-likelihood functions, Biometrika 61), which the mean minimises whatever the distribution.
* First orders count, divided by the ratio of first to later orders of the customers who have both.
* S is at most CAP times what the customer's log-normal level (log_normal.py) says.

The textbook's balance, that what is expected of all repeat orders is what they brought, is kept by a factor.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from analytics.clv import log_normal
from analytics.clv.history import History
from analytics.clv.params import CredibilityParams, FloatArray

LEAST_K, MOST_K = 0.25, 1e4  # a single order is believed at most at 80 %
SAMPLE = 100_000  # customers who choose k


def fit(history: History) -> CredibilityParams:
    """Variances by maximum likelihood of the logarithms. Raises fitting.DidNotConverge."""
    logs, usual = log_normal.settle(history)
    value = log_normal.first_value(history)
    before, after = _first_and_later(history, value, usual)
    first = _ratio(before, after)
    k = _best_k(before / first, after)
    total, orders = _seen(history, value / first, usual)
    weight = 1.0 / (orders + k)
    mean = float(np.dot(weight, total) / np.dot(weight, orders))
    balance = log_normal.balance(history, usual, _blend(total, orders, k, mean))
    return CredibilityParams(mean=mean, k=k, first_money=first, evenness=balance, **logs.as_dict())


def expected_spend(params: CredibilityParams, history: History) -> FloatArray:
    """Net revenue to expect of an order, per customer; finite and ≥ 0."""
    first = log_normal.first_value(history) / params.first_money
    total, orders = _seen(history, first, log_normal.usual_spend(params, history))
    return params.evenness * _blend(total, orders, params.k, params.mean)


def draw_spend(
    params: CredibilityParams, orders: NDArray[np.integer[Any]], history: History, rng: np.random.Generator
) -> FloatArray:
    """A random total of so many future orders of each customer, spread as the logarithms are."""
    _, variance = log_normal.level(params, history)
    return log_normal.totals(expected_spend(params, history), variance, params.within, orders, rng)


def _blend(total: FloatArray, orders: FloatArray, k: float, mean: float) -> FloatArray:
    return np.asarray((total + k * mean) / (orders + k))


def _seen(history: History, first: FloatArray, usual: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The money of all her orders, with the first at the size of a later one, and how many there are."""
    orders = history.order_days.astype(np.float64)
    total = np.maximum(history.repeat_value, 0.0) + first
    return log_normal.capped(total, orders * usual), orders


def _first_and_later(history: History, value: FloatArray, usual: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The first order and the mean of the later ones, in money, of the customers who have both."""
    both = np.flatnonzero((history.paid_days > 0) & (value > 0))
    x = np.maximum(history.order_days[both] - 1, 1)
    later = log_normal.capped(history.repeat_value[both] / x, usual[both])
    return log_normal.capped(value[both], usual[both]), later


def _ratio(before: FloatArray, after: FloatArray) -> float:
    """First orders over later ones; 1 where there are none."""
    first, later = float(np.sum(before)), float(np.sum(after))
    return first / later if first > 0 and later > 0 else 1.0


def _best_k(first: FloatArray, later: FloatArray) -> float:
    """The k whose (first + k · mean) / (1 + k) foretells `later` best; neither counts above CAP medians."""
    rows = slice(None, None, 1 + later.size // SAMPLE)
    if not np.any(later[rows] > 0):
        return LEAST_K
    usual = float(np.median(later[rows]))
    first, later = log_normal.capped(first[rows], usual), log_normal.capped(later[rows], usual)
    mean = float(np.mean(later))
    first = first * (mean / np.mean(first))

    def deviance(log_k: float) -> float:
        k = np.exp(log_k)  # all forecasts have one sum, so that this part of the deviance is all that varies
        return -float(np.dot(later, np.log((first + k * mean) / (1.0 + k)))) / (mean * later.size)

    found = minimize_scalar(deviance, bounds=(np.log(LEAST_K), np.log(MOST_K)), method="bounded")
    return float(np.exp(found.x))
