"""How well the parameters of a purchase model are known: Laplace's approximation, in the logarithms of the parameters.

Near its maximum the log-likelihood is a parabola, and the parameters are about as uncertain as a normal
distribution with the inverse of its curvature for a covariance (Laplace 1774; Tierney & Kadane 1986, JASA 81). The
curvature is taken from second differences, of SAMPLE customers at most and scaled up to all of them, so that it
costs the same for a million.

Where the likelihood hardly falls (a parameter on the edge of its range, a handful of customers) that covariance is
infinite or negative. There a standard deviation of WIDEST is taken, and the parameters that it moves are named.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analytics.clv import purchase
from analytics.clv.params import FloatArray

SAMPLE = 5_000  # customers
STEP = 0.02  # in logarithms: the error of a second difference falls with its square, rounding is far below
WIDEST = 1.0  # standard deviation of a logarithm: a factor of 2.7 either way
LOOSE = 0.5  # a parameter whose own standard deviation is above it is named
FARTHEST = 3.0  # standard deviations of a draw
SEED = 1774
FIXED = ("k",)  # parameters that are whole numbers


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Covariance of the logarithms of the parameters."""

    names: tuple[str, ...]
    covariance: FloatArray
    loose: tuple[str, ...]  # parameters that the data hardly tell

    def deviations(self) -> dict[str, float]:
        """Standard deviation of each logarithm: about the relative error of the parameter."""
        return dict(zip(self.names, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))


def uncertainty(params: purchase.Params, columns: purchase.Columns, customers: int | None = None) -> Uncertainty:
    """The uncertainty of parameters that were fitted to so many customers, of whom these are an even sample."""
    names = tuple(name for name in params.as_dict() if name not in FIXED)
    if columns.x.size == 0:
        return Uncertainty(names, WIDEST**2 * np.eye(len(names)), names)
    found = np.array([getattr(params, name) for name in names])
    sample = _sample(columns)
    share = sample.x.size / (customers or columns.x.size)
    model = purchase.model_of(params)

    def log_likelihood(step: FloatArray) -> float:
        moved = replace(params, **dict(zip(names, (found * np.exp(step)).tolist(), strict=True)))
        return model.log_likelihood(moved, sample) / share

    covariance = _inverse(_curvature(log_likelihood, len(names)))
    wide = np.sqrt(np.diag(covariance)) > LOOSE
    return Uncertainty(names, covariance, tuple(name for name, loose in zip(names, wide, strict=True) if loose))


def draws(params: purchase.Params, known: Uncertainty, count: int) -> list[purchase.Params]:
    """So many parameters that might as well be true; the same ones for the same arguments."""
    spread, axes = np.linalg.eigh(known.covariance)
    normal = np.random.default_rng(SEED).standard_normal((count, len(known.names))).clip(-FARTHEST, FARTHEST)
    steps = (normal * np.sqrt(np.maximum(spread, 0.0))) @ axes.T
    at = np.array([getattr(params, name) for name in known.names])
    return [replace(params, **dict(zip(known.names, values, strict=True))) for values in (at * np.exp(steps)).tolist()]


def _sample(columns: purchase.Columns) -> purchase.Columns:
    """Every n-th customer."""
    rows = slice(None, None, -(-columns.x.size // SAMPLE))
    names = ("x", "t_x", "T", "log_gaps")
    return replace(columns, **{name: getattr(columns, name)[rows] for name in names})


def _curvature(log_likelihood: Any, size: int) -> FloatArray:
    """Minus the second derivatives at zero, one further evaluation for each mixed one; what is not finite is flat."""
    unit = STEP * np.eye(size)
    middle = log_likelihood(np.zeros(size))
    above = [log_likelihood(step) for step in unit]
    below = [log_likelihood(-step) for step in unit]
    second = np.diag([up + down - 2.0 * middle for up, down in zip(above, below, strict=True)])
    for i in range(size):
        for j in range(i):
            across = log_likelihood(unit[i] - unit[j])
            slopes = above[i] - middle + below[j] - middle
            second[i, j] = second[j, i] = slopes - (across - middle)
    return np.asarray(np.where(np.isfinite(second), -second, 0.0) / STEP**2)


def _inverse(curvature: FloatArray) -> FloatArray:
    """The covariance; along an axis where the likelihood does not fall, WIDEST."""
    bends, axes = np.linalg.eigh(curvature)
    return np.asarray((axes / np.maximum(bends, WIDEST**-2)) @ axes.T)
