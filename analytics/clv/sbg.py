"""Shifted beta-geometric: Fader & Hardie (2007), How to project customer retention, J. Interactive Marketing 21(1).

Each customer cancels at each renewal with a chance of her own, θ ~ Beta(α, β), that never changes. Those who are
likely to cancel go first, so that the retention rate of a cohort rises with its age.

Data are counts by age: of the contracts that were decided upon after n renewals (n = 0, 1, …), how many were renewed
and how many were not. Contracts still running add what they have decided so far: cohorts of any length, contracts
known only from some renewal on, and several cohorts may be added up.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln

from analytics.clv import fitting, staying
from analytics.clv.params import Fit, FloatArray, SbgParams

NAMES: Final = ("alpha", "beta")
LOW: Final = (1e-4, 1e-4)
HIGH: Final = (1e5, 1e5)  # beyond it everybody has the same chance
START: Final = (1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Decisions:
    """Renewals and cancellations by age: element n counts what was decided after n renewals."""

    renewed: FloatArray
    cancelled: FloatArray

    def __post_init__(self) -> None:
        both = np.concatenate([self.renewed, self.cancelled])
        if self.renewed.shape != self.cancelled.shape or self.renewed.ndim != 1:
            raise ValueError("renewals and cancellations must be columns of one length")
        if not np.all(np.isfinite(both)) or np.any(both < 0):
            raise ValueError("counts must be finite and not below zero")

    @property
    def total(self) -> float:
        return float(np.sum(self.renewed) + np.sum(self.cancelled))

    def __add__(self, other: Self) -> "Decisions":
        size = max(self.renewed.size, other.renewed.size)
        mine, theirs = (
            np.pad([one.renewed, one.cancelled], [(0, 0), (0, size - one.renewed.size)]) for one in (self, other)
        )
        return Decisions(*(mine + theirs))


def of_cohort(customers: ArrayLike) -> Decisions:
    """The decisions of a cohort from how many of it are left: at the start, after the first renewal, and so on."""
    left = np.asarray(customers, dtype=np.float64)
    return Decisions(left[1:], left[:-1] - left[1:])


def of_pairs(renewals: ArrayLike, is_renewed: ArrayLike) -> Decisions:
    """Count single decisions: after how many renewals each was taken, and whether the contract was renewed."""
    n, kept = np.asarray(renewals, dtype=np.int64), np.asarray(is_renewed, dtype=bool)
    size = int(n.max(initial=-1)) + 1
    counts = (np.bincount(n[choice], minlength=size).astype(np.float64) for choice in (kept, ~kept))
    return Decisions(*counts)


def log_likelihood(params: SbgParams, decisions: Decisions) -> float:
    """Summed over decisions; the product of their eq. 5 and 6 over a cohort, whose factors are the rates of eq. 8."""
    return _mean_log_likelihood(decisions, params.alpha, params.beta)[0] * decisions.total


def slope(params: SbgParams, decisions: Decisions) -> FloatArray:
    """The gradient of the log-likelihood by (α, β)."""
    return _mean_log_likelihood(decisions, params.alpha, params.beta)[1] * decisions.total


def fit(decisions: Decisions) -> Fit[SbgParams]:
    """Maximum likelihood. `customers` of the result counts decisions.

    Raises fitting.DidNotConverge where the data cannot tell: nothing decided, nobody renewed, nobody cancelled, or
    one age only, at which many pairs (α, β) say the same.
    """
    if reason := undecidable(decisions):
        raise fitting.DidNotConverge(reason)
    found = fitting.maximise(
        lambda values: _mean_log_likelihood(decisions, *values.tolist()), names=NAMES, start=START, low=LOW, high=HIGH
    )
    return Fit(
        params=SbgParams(*found.values),
        log_likelihood=found.log_likelihood * decisions.total,
        customers=round(decisions.total),
        evaluations=found.evaluations,
    )


def undecidable(decisions: Decisions) -> str:
    """Why the data alone cannot fit the model; empty where they can."""
    ages = np.count_nonzero(decisions.renewed + decisions.cancelled)
    if not decisions.total:
        return "no contract has come to a renewal"
    if not np.any(decisions.renewed):
        return "no contract was renewed"
    if not np.any(decisions.cancelled):
        return "no contract was cancelled"
    return "all decisions were taken at one age" if ages == 1 else ""


def as_if(params: SbgParams, *, contracts: float, ages: int) -> Decisions:
    """The decisions that so many contracts would take over the first ages if `params` were true: a prior as data."""
    return of_cohort(contracts * survival(params, np.arange(ages + 1)))


def survival(params: SbgParams, t: ArrayLike) -> FloatArray:
    """S(t): the share of a cohort that has renewed t times, t ≥ 0; their eq. 6."""
    alpha, beta = params.alpha, params.beta
    return np.asarray(np.exp(betaln(alpha, beta + np.asarray(t, dtype=np.float64)) - betaln(alpha, beta)))


def p_renew(params: SbgParams, renewals: ArrayLike) -> FloatArray:
    """The chance that somebody who has renewed so many times (n ≥ 0) does so again: (β + n)/(α + β + n), eq. 8."""
    n = np.asarray(renewals, dtype=np.float64)
    return np.asarray((params.beta + n) / (params.alpha + params.beta + n))


def derl(params: SbgParams, renewals: ArrayLike, d: float) -> FloatArray:
    """Discounted expected residual lifetime in terms, just before the decision that follows so many renewals.

    Fader & Hardie (2010), Customer-base valuation in a contractual setting, Marketing Science 29(1), eq. 6:
    Σ_j P(she renews j times more) / (1 + d)^(j - 1) = p · 2F1(1, β + n + 1; α + β + n + 1; 1/(1 + d)), n renewals
    behind her; `d` is the discount rate for one term. Raises ValueError for d ≤ 0 with α ≤ 1, where it is infinite.
    """
    n = np.asarray(renewals, dtype=np.float64)
    if d < 0 or (d == 0 and params.alpha <= 1):
        raise ValueError(f"the residual lifetime is infinite for d = {d:.4g} and α = {params.alpha:.4g}")
    if d == 0:  # Gauss: 2F1(1, b; c; 1) = (c - 1)/(c - 1 - b)
        return np.asarray(p_renew(params, n) * (params.alpha + params.beta + n) / (params.alpha - 1.0))
    return np.asarray(
        p_renew(params, n) * staying.discounted_stay(params.alpha, params.beta + n + 1.0, 1.0 / (1.0 + d))
    )


def _mean_log_likelihood(decisions: Decisions, alpha: float, beta: float) -> tuple[float, FloatArray]:
    """Per decision, with its gradient by (α, β)."""
    n = np.arange(decisions.renewed.size)
    both = decisions.renewed + decisions.cancelled
    level = (
        np.dot(decisions.renewed, np.log(beta + n))
        + np.sum(decisions.cancelled) * np.log(alpha)
        - np.dot(both, np.log(alpha + beta + n))
    )
    shared = np.sum(both / (alpha + beta + n))
    slope = np.array([np.sum(decisions.cancelled) / alpha - shared, np.sum(decisions.renewed / (beta + n)) - shared])
    return float(level) / decisions.total, slope / decisions.total
