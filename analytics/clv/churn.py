"""Churn risk calibrated against what happened, and what each reason adds to it.

The purchase model gives P(no order in the next N days) from her pace and her silence alone. Here that chance is set
right by what followed earlier days of the same shop, together with facts that the model does not read:

    ln(risk / (1 - risk)) = c₀ + Σ_j c_j · f_j

| feature | f |
|---|---|
| pace | ln odds of the silence that her pace makes normal (bands.py): slow buyers have more of it |
| silence | how much larger the model's ln odds are: what her silence adds to that |
| trend | ln(last two gaps / usual gap), 0 with fewer than three order days; slowing is above 0 |
| once | 1 for who has ordered on one day only |
| refunds | share of what she bought that came back |
| discount | share of what she bought that discounts took off |

c = (0, 1, 1, 0, 0, 0, 0) is the model itself. The fit is a logistic regression with a normal prior around it (ridge,
Hoerl & Kennard 1970; le Cessie & van Houwelingen 1992), so that a shop with little history keeps the model's chance.

Reasons: against the shop's average customer, the ln odds differ by Σ c_j (f_j - mean f_j). Along the straight line
between the two, each feature moves the risk by its share of that sum (Aumann & Shapley 1974): the shares have the sign
of their terms and add up to the difference exactly.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from analytics.clv.params import FloatArray

FEATURES: Final = ("pace", "silence", "trend", "once", "refunds", "discount")
MODEL: Final = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0])  # the purchase model's own chance
PRIOR_SD: Final = np.array([1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
SURE: Final = 1e-6  # chances are kept this far from 0 and 1
FEWEST: Final = 200  # customers who came back, and who did not: fewer tell nothing
STEPS: Final = 50
CLOSE: Final = 1e-9
BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the shop's past says of the chances; `reason` is empty when it was used, else why the model's own stand."""

    weights: tuple[float, ...]  # c₀ and one per feature
    means: tuple[float, ...]  # of the features, over the customers it was fitted to
    customers: int
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "weights": tuple(data["weights"]), "means": tuple(data["means"])})


def features(
    *,
    risk: ArrayLike,
    normal_risk: ArrayLike,
    order_days: ArrayLike,
    usual_gap: ArrayLike,
    recent_gap: ArrayLike,
    refunded: ArrayLike,
    discounted: ArrayLike,
) -> FloatArray:
    """Matrix customers × FEATURES. Gaps in days, NaN where there is none; shares between 0 and 1."""
    normal = _log_odds(normal_risk)
    slowing = np.log(np.asarray(recent_gap, dtype=np.float64) / np.asarray(usual_gap, dtype=np.float64))
    columns = (
        normal,
        _log_odds(risk) - normal,
        np.where(np.isfinite(slowing), slowing, 0.0),
        (np.asarray(order_days) == 1).astype(np.float64),
        np.clip(refunded, 0.0, 1.0),
        np.clip(discounted, 0.0, 1.0),
    )
    return np.column_stack(columns)


def _log_odds(chance: ArrayLike) -> FloatArray:
    return np.asarray(logit(np.clip(np.asarray(chance, dtype=np.float64), SURE, 1.0 - SURE)))


def uncalibrated(matrix: FloatArray, reason: str) -> Calibration:
    """The model's own chance, against the average customer of `matrix`."""
    means = matrix.mean(axis=0) if len(matrix) else np.zeros(len(FEATURES))
    return Calibration(tuple(MODEL.tolist()), tuple(means.tolist()), len(matrix), reason)


def fit(matrix: FloatArray, left: NDArray[np.bool_]) -> Calibration:
    """Learn from customers (rows of `features`) of whom `left` says that no order came. Never raises."""
    gone, stayed = int(np.count_nonzero(left)), int(np.count_nonzero(~left))
    if min(gone, stayed) < FEWEST:
        return uncalibrated(matrix, f"{stayed} came back and {gone} did not, and it takes {FEWEST} of either")
    weights = _maximum(np.column_stack((np.ones(len(matrix)), matrix)), left.astype(np.float64))
    return Calibration(tuple(weights.tolist()), tuple(matrix.mean(axis=0).tolist()), len(matrix))


def _maximum(design: FloatArray, left: FloatArray) -> FloatArray:
    """The largest posterior by Newton's steps; the log posterior is strictly concave, so that halving finds it."""
    weights = MODEL.copy()
    level = _log_posterior(design, left, weights)
    for _ in range(STEPS):
        chance = expit(design @ weights)
        slope = design.T @ (left - chance) - (weights - MODEL) / PRIOR_SD**2
        curve = (design * (chance * (1.0 - chance))[:, None]).T @ design + np.diag(PRIOR_SD**-2.0)
        step = np.linalg.solve(curve, slope)
        if slope @ step < CLOSE:
            break
        weights, level = _uphill(design, left, weights, level, step)
    return weights


def _uphill(
    design: FloatArray, left: FloatArray, weights: FloatArray, level: float, step: FloatArray
) -> tuple[FloatArray, float]:
    share = 1.0
    while (found := _log_posterior(design, left, weights + share * step)) < level and share > CLOSE:
        share /= 2.0
    return (weights + share * step, found) if found >= level else (weights, level)


def _log_posterior(design: FloatArray, left: FloatArray, weights: FloatArray) -> float:
    z = design @ weights
    return float(np.sum(left * z - np.logaddexp(0.0, z)) - 0.5 * np.sum(((weights - MODEL) / PRIOR_SD) ** 2))


def risk(found: Calibration, matrix: FloatArray) -> FloatArray:
    """P(no order within the horizon), one per row."""
    weights = np.array(found.weights)
    return np.asarray(expit(weights[0] + matrix @ weights[1:]))


def average_risk(found: Calibration) -> float:
    """The risk of the average customer, against whom reasons are told."""
    return float(risk(found, np.array([found.means]))[0])


def contributions(found: Calibration, matrix: FloatArray) -> FloatArray:
    """What each feature adds to the average customer's risk: customers × FEATURES, rows add up to the difference."""
    weights = np.array(found.weights)
    terms = (matrix - np.array(found.means)) * weights[1:]
    moved = terms.sum(axis=1)
    start = weights[0] + float(np.array(found.means) @ weights[1:])
    difference = expit(start + moved) - expit(start)
    flat = np.full(moved.shape, expit(start) * expit(-start))  # the limit where nothing moves
    steep = np.divide(difference, moved, out=flat, where=np.abs(moved) > 1e-9)
    return np.asarray(terms * steep[:, None])


def brier(chance: ArrayLike, happened: ArrayLike) -> float:
    """Mean squared difference of chance and outcome (Brier 1950): 0 is perfect, 0.25 a coin; NaN for nobody."""
    difference = np.asarray(chance, dtype=np.float64) - np.asarray(happened, dtype=np.float64)
    return float(np.mean(difference**2)) if difference.size else float("nan")


@dataclass(frozen=True, slots=True)
class Bin:
    """Customers of like risk: how many, what was said of them on average, and how many did leave."""

    customers: int
    said: float
    happened: float


def reliability(chance: FloatArray, happened: NDArray[np.bool_], bins: int = BINS) -> list[Bin]:
    """The reliability curve: customers by rising risk in at most `bins` groups of like size."""
    order = np.argsort(chance, kind="stable")
    groups = (part for part in np.array_split(order, bins) if part.size)
    return [Bin(part.size, float(np.mean(chance[part])), float(np.mean(happened[part]))) for part in groups]


@dataclass(frozen=True, slots=True)
class Learned:
    """A calibration and how it did on the latest origin, learned from the earlier ones only."""

    calibration: Calibration
    tested_on: int  # customers of the latest origin; 0 when there was nothing to learn from before it
    brier: float | None  # of the chances that are used
    brier_model: float | None  # of the purchase model's own
    curve: tuple[Bin, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        curve = tuple(Bin(**each) for each in data["curve"])
        return cls(**{**data, "calibration": Calibration.from_dict(data["calibration"]), "curve": curve})


Origin = tuple[FloatArray, NDArray[np.bool_]]  # `features` as of a day, and who left within the horizon after it


def learn(origins: Sequence[Origin]) -> Learned:
    """Calibrate on the customers of all origins, oldest first, if the earlier ones would have helped the latest."""
    if not origins:
        nobody = uncalibrated(np.empty((0, len(FEATURES))), "there is no earlier day to compare with what followed")
        return Learned(nobody, 0, None, None)
    whole = fit(*_together(origins))
    if len(origins) == 1:
        return Learned(whole, 0, None, None)
    matrix, left = origins[-1]
    before = fit(*_together(origins[:-1]))
    said, model = risk(before, matrix), risk(uncalibrated(matrix, ""), matrix)
    ours, own = brier(said, left), brier(model, left)
    if before.reason or ours > own:
        worse = f"on the latest past day it was no better than the model: Brier {ours:.4f} against {own:.4f}"
        why = before.reason or worse
        return Learned(uncalibrated(_together(origins)[0], why), len(left), own, own, tuple(reliability(model, left)))
    return Learned(whole, len(left), ours, own, tuple(reliability(said, left)))


def _together(origins: Sequence[Origin]) -> Origin:
    matrices, outcomes = zip(*origins, strict=True)
    return np.concatenate(matrices), np.concatenate(outcomes)
