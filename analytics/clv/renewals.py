"""What a business's contracts teach about renewals: one shifted beta-geometric for all plans, one for each length of a
term and one for each plan with enough decisions of its own. A chance is that of a term, so terms of a month and of a
year have little to say about each other.

Every fit gets a few contracts' worth of prior as data (sbg.as_if), so that it exists even where all renewed, nobody
did, or one contract is all there is; the more was decided, the less the prior says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from analytics.clv import sbg
from analytics.clv.params import Fit, FloatArray, SbgParams
from analytics.clv.sbg import Decisions

OF_PLAN, OF_LENGTH, OF_ALL, SHRUNKEN = (
    "sBG of the plan",
    "sBG of the term's length",
    "sBG of all plans",
    "Shrunken renewal rate",
)
Kind = tuple[str, int]  # a plan and the months of its terms
PRIOR: Final = SbgParams(1.0, 4.0)  # four of five renew at first, nine of ten after five renewals
PRIOR_CONTRACTS: Final = 4.0
POOLED_CONTRACTS: Final = 10.0  # what all plans together are worth for one
ENOUGH: Final = 20  # decisions for a model of all plans
ENOUGH_OF_KIND: Final = 30  # for one of a plan, or of a term's length
PRIOR_AGES: Final = 5
UNDECIDED_DECISIONS: Final = 4.0  # what "half as likely as before the term ended" is worth
STEP: Final = 1e-4  # of the numerical second derivatives, in ln(parameter)
WIDEST: Final = 1.5  # standard deviation of ln(parameter) that is believed at most


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted model, what it rests on, and how uncertain ln(α, β) is."""

    name: str
    reason: str  # why it is not the fuller model; empty for the fullest
    params: SbgParams
    decisions: int
    renewed: int
    spread: tuple[tuple[float, float], tuple[float, float]]  # covariance of ln α and ln β

    def as_dict(self) -> dict[str, Any]:
        told = {"name": self.name, "reason": self.reason, "decisions": self.decisions, "renewed": self.renewed}
        return told | self.params.as_dict()

    def draws(self, number: int, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """(α, β) as they may be, `number` times."""
        steps = np.linalg.cholesky(np.asarray(self.spread)) @ random.standard_normal((2, number))
        logs = np.log([[self.params.alpha], [self.params.beta]]) + steps
        low, high = np.log(sbg.LOW[0]), np.log(sbg.HIGH[0])
        alpha, beta = np.exp(np.clip(logs, low, high))
        return alpha, beta


@dataclass(frozen=True, slots=True)
class Learned:
    pooled: Curve
    lengths: Mapping[int, Curve]
    plans: Mapping[Kind, Curve]

    def of(self, kind: Kind) -> Curve:
        """The plan's own where it has enough decisions, else that of all terms as long, else that of all."""
        return self.plans.get(kind) or self.lengths.get(kind[1], self.pooled)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: what was learned, and which of it holds for each plan that is not named is `pooled`."""
        return {
            "pooled": self.pooled.as_dict(),
            "lengths": {str(months): one.as_dict() for months, one in self.lengths.items()},
            "plans": [{"plan": plan, "months": months} | one.as_dict() for (plan, months), one in self.plans.items()],
        }


def learn(decisions: Mapping[Kind, Decisions]) -> Learned:
    """From what was decided in each plan. Never fails: without any decision the prior is what is known."""
    everything = _together(decisions.values())
    reason = sbg.undecidable(everything) or _too_few(everything, ENOUGH)
    pooled = _curve(SHRUNKEN if reason else OF_ALL, reason, everything, PRIOR, PRIOR_CONTRACTS)
    if _too_few(everything, ENOUGH):
        return Learned(pooled=pooled, lengths={}, plans={})
    by_length = {
        months: _together(own for (_plan, length), own in decisions.items() if length == months)
        for months in sorted({length for _plan, length in decisions})
    }
    lengths = {
        months: _curve(OF_LENGTH, "", own, pooled.params, POOLED_CONTRACTS)
        for months, own in by_length.items()
        if not _too_few(own, ENOUGH_OF_KIND)
    }
    plans = {
        (plan, months): _curve(OF_PLAN, "", own, lengths[months].params, POOLED_CONTRACTS)
        for (plan, months), own in sorted(decisions.items())
        if not _too_few(own, ENOUGH_OF_KIND)
    }
    return Learned(pooled=pooled, lengths=lengths, plans=plans)


def _together(parts: Iterable[Decisions]) -> Decisions:
    return reduce(add, parts, sbg.of_pairs([], []))


def still_renews(p: ArrayLike, days_over: ArrayLike, late_days: ArrayLike, late_renewed: ArrayLike) -> FloatArray:
    """The chance that a term renews although nobody decided upon it for so many days after its end.

    `late_days` and `late_renewed`: how many days after the end decisions came so far, and whether they were renewals.
    Of those that came at least as late, the share that renewed, shrunk to half of `p` as if four were known; waiting
    longer never makes a renewal more likely.
    """
    days, counts = np.unique(np.asarray(late_days, dtype=np.int64), return_counts=True)
    kept = np.zeros(days.size)
    np.add.at(kept, np.searchsorted(days, late_days), np.asarray(late_renewed, dtype=np.float64))
    at_least = np.append(np.cumsum(counts[::-1])[::-1], 0)  # decisions that came so late or later
    renewed = np.append(np.cumsum(kept[::-1])[::-1], 0.0)
    half = np.asarray(p, dtype=np.float64)[:, None] / 2.0
    chances = (renewed + UNDECIDED_DECISIONS * half) / (at_least + UNDECIDED_DECISIONS)
    reached = np.searchsorted(days, np.asarray(days_over, dtype=np.int64), side="left")
    rows = np.arange(half.size)
    return np.asarray(np.minimum.accumulate(chances, axis=1)[rows, reached])


def _too_few(decisions: Decisions, least: int) -> str:
    return f"fewer than {least} decisions" if decisions.total < least else ""


def _curve(name: str, reason: str, decisions: Decisions, prior: SbgParams, contracts: float) -> Curve:
    ages = max(PRIOR_AGES, decisions.renewed.size)
    told = decisions + sbg.as_if(prior, contracts=contracts, ages=ages)
    found = sbg.fit(told)
    return Curve(
        name=name,
        reason=reason,
        params=found.params,
        decisions=round(decisions.total),
        renewed=round(float(np.sum(decisions.renewed))),
        spread=_spread(found, told),
    )


def _spread(found: Fit[SbgParams], told: Decisions) -> tuple[tuple[float, float], tuple[float, float]]:
    """The inverse of the observed information in ln(α, β), from differences of the gradient; no wider than WIDEST."""
    logs = np.log([found.params.alpha, found.params.beta])
    rows = []
    for place in range(2):
        shift = STEP * (np.arange(2) == place)
        above, below = (_slope_in_logs(told, logs + sign * shift) for sign in (1, -1))
        rows.append((above - below) / (2 * STEP))
    information = -(np.array(rows) + np.array(rows).T) / 2.0
    sizes, directions = np.linalg.eigh(information)
    variances = 1.0 / np.maximum(sizes, WIDEST**-2)
    spread = (directions * variances) @ directions.T
    return (float(spread[0, 0]), float(spread[0, 1])), (float(spread[1, 0]), float(spread[1, 1]))


def _slope_in_logs(told: Decisions, logs: FloatArray) -> FloatArray:
    values = np.exp(logs)
    return sbg.slope(SbgParams(*values.tolist()), told) * values
