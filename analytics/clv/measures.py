"""How good predictions were: predicted and actual columns in, one figure each out.

Columns have one length with at least one row; actual figures are what happened, order days or money.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.clv.params import FloatArray

Numbers = NDArray[np.integer[Any]] | FloatArray
GROUPS = 10
SMALLEST = 1e-6  # chance that is given to anything


class Group(NamedTuple):
    """Customers who stand next to each other by what was predicted: how many, and the means."""

    customers: int
    predicted: float
    actual: float


def level(predicted: float, actual: float) -> float:
    """ln(predicted / actual), 0 when both are none; money below zero counts as none. Never infinite."""
    if predicted <= 0 and actual <= 0:
        return 0.0
    small = 1e-6 * max(abs(predicted), abs(actual))
    return float(np.log(max(predicted, small) / max(actual, small)))


def mean_absolute_error(predicted: FloatArray, actual: Numbers) -> float:
    return float(np.mean(np.abs(predicted - actual)))


def brier(chance: FloatArray, happened: NDArray[np.bool_]) -> float:
    """Brier (1950): the mean square of chance − 1 or 0; 0.25 is what "one half" for everyone gets."""
    return float(np.mean((chance - happened) ** 2))


def log_score(expected: FloatArray, none: FloatArray, actual: Numbers) -> float:
    """Mean ln of the chance given to what each customer did: the higher, the better; never infinite.

    No order has the model's chance of none. The number of order days of those who ordered is judged as a geometric one
    with the mean that the model expects of them. Of whatever shape the truth is, chance and mean that are right score
    best (Gneiting 2011, Making and Evaluating Point Forecasts, JASA 106: a scoring function of exponential form is
    consistent for the mean).
    """
    silent = np.clip(none, SMALLEST, 1.0 - SMALLEST)
    further = np.maximum(expected / (1.0 - silent) - 1.0, SMALLEST)  # order days after the first of those who order
    more = np.maximum(actual - 1.0, 0.0)
    ordered = np.log1p(-silent) + more * np.log(further) - (more + 1.0) * np.log1p(further)
    return float(np.mean(np.where(actual > 0, ordered, np.log(silent))))


def groups(predicted: FloatArray, actual: Numbers, count: int = GROUPS) -> list[Group]:
    """Equal parts of the customers by rising prediction: calibration by decile. No more parts than customers."""
    parts = np.array_split(np.argsort(predicted, kind="stable"), min(count, predicted.size))
    return [Group(part.size, float(np.mean(predicted[part])), float(np.mean(actual[part]))) for part in parts]


def gain(found: list[Group]) -> list[float]:
    """The share of all that happened which the best predicted parts hold: of the first, the first two, … all.

    Nothing for no outcome at all.
    """
    sums = np.array([group.customers * group.actual for group in reversed(found)])
    total = float(np.sum(sums))
    return (np.cumsum(sums) / total).tolist() if total > 0 else []


def gini(predicted: FloatArray, actual: Numbers) -> float:
    """How well the order of predictions is the order of outcomes: 1 perfect, 0 by chance; 0 when all did the same.

    The area between the gain curve of the predictions and the diagonal, over that of the outcomes themselves. Customers
    with one and the same prediction share what they did.
    """
    best = _area(actual.astype(np.float64), actual)
    return _area(predicted, actual) / best if best > 0 else 0.0


def _area(by: FloatArray, actual: Numbers) -> float:
    total = float(np.sum(actual))
    if total <= 0:
        return 0.0
    _, place, counts = np.unique(-by, return_inverse=True, return_counts=True)
    height = np.append(0.0, np.cumsum(np.bincount(place, weights=actual))) / total
    width = counts / actual.size
    return float(np.sum(width * (height[1:] + height[:-1]) / 2) - 0.5)
