"""What a contract is worth: the margin of what is agreed, and of the renewals that may come.

A renewal pays when its term begins; what is left of a running term is earned evenly until its end. Terms that begin
within HORIZON_YEARS count, so that no rate of discount, not even none, makes a value infinite. Money is in major
units, days are counted from the day of the valuation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.clv.params import FloatArray
from analytics.clv.renewals import Curve

HORIZON_YEARS: Final = 20
DRAWS: Final = 400
SEED: Final = 20070223
DAYS_OF_YEAR: Final = 365.0
Draws = NDArray[np.float32]  # (rows, DRAWS)
LOW, HIGH = 10.0, 90.0  # percentiles: an interval of 80 %


@dataclass(frozen=True, slots=True)
class Contracts:
    """Columns of one length: contracts that have not ended."""

    renewals: FloatArray  # behind the term that is decided upon next
    months: FloatArray  # of a term to come
    margin: FloatArray  # of a term to come
    left: FloatArray  # margin of what is agreed, from today on
    left_days: FloatArray  # until what is agreed ends; 0 when it is over
    renews: FloatArray  # chance of the next renewal; 0 when it was cancelled

    def __len__(self) -> int:
        return len(self.renewals)


@dataclass(frozen=True, slots=True)
class Worth:
    left: FloatArray  # discounted
    stake: FloatArray  # what is lost if the next renewal does not come
    beyond: FloatArray  # what is expected of renewals: chance × stake

    @property
    def value(self) -> FloatArray:
        return self.left + self.beyond


def worth(contracts: Contracts, curves: Sequence[Curve], rate: float) -> Worth:
    """`curves`: the model of each contract; `rate`: of discount, a year."""
    alpha = np.array([curve.params.alpha for curve in curves])
    beta = np.array([curve.params.beta for curve in curves])
    stake = contracts.margin * _at_due(contracts, rate) * _terms_once_renewed(contracts, alpha, beta, rate)
    return Worth(left=_left(contracts, rate), stake=stake, beyond=contracts.renews * stake)


def draws(contracts: Contracts, curves: Sequence[Curve], keys: Sequence[int], rate: float) -> Draws:
    """The value of each contract as it may come out, (contracts, DRAWS): unknown parameters, then chance.

    Each contract has numbers of its own by its key, so that its interval does not depend on who stands beside it; the
    parameters are drawn once for each model, because contracts of one model share its error.
    """
    parameters = {id(one): one.draws(DRAWS, np.random.default_rng(SEED)) for one in curves}
    left, growth, most = _left(contracts, rate), _per_term(contracts, rate), _most_terms(contracts)
    first = contracts.margin * _at_due(contracts, rate)
    found = np.empty((len(contracts), DRAWS), dtype=np.float32)
    for place, (curve, key) in enumerate(zip(curves, keys, strict=True)):
        random = np.random.default_rng([SEED, key])
        alpha, beta = parameters[id(curve)]
        n = contracts.renewals[place]
        usual = curve.params.beta + n
        chance = contracts.renews[place] * (beta + n) / (alpha + beta + n) / (usual / (curve.params.alpha + usual))
        renewed = random.random(DRAWS) < chance
        leaves = np.maximum(random.beta(alpha, beta + n + 1.0), 1e-12)
        terms = np.minimum(
            np.floor(np.log(random.random(DRAWS)) / np.log1p(-np.minimum(leaves, 1 - 1e-12))) + 1, most[place]
        )
        found[place] = left[place] + renewed * first[place] * _annuity(growth[place], terms)
    return found


def interval(values: Draws) -> tuple[FloatArray, FloatArray]:
    """The bounds of 80 % of the draws in each row."""
    low, high = np.percentile(values, [LOW, HIGH], axis=1)
    return low, high


def _terms_once_renewed(contracts: Contracts, alpha: FloatArray, beta: FloatArray, rate: float) -> FloatArray:
    """Discounted terms to expect from the next renewal on, that one included, if it comes."""
    most, growth = _most_terms(contracts), _per_term(contracts, rate)
    here, total = np.ones(len(contracts)), np.ones(len(contracts))
    for further in range(1, int(most.max(initial=1))):
        n = contracts.renewals + further
        here = here * growth * (beta + n) / (alpha + beta + n)
        total += np.where(further < most, here, 0.0)
    return total


def _most_terms(contracts: Contracts) -> FloatArray:
    return np.maximum(np.floor(HORIZON_YEARS * 12.0 / contracts.months), 1.0)


def _per_term(contracts: Contracts, rate: float) -> FloatArray:
    return np.asarray((1.0 + rate) ** (-contracts.months / 12.0))


def _at_due(contracts: Contracts, rate: float) -> FloatArray:
    return np.asarray((1.0 + rate) ** (-contracts.left_days / DAYS_OF_YEAR))


def _left(contracts: Contracts, rate: float) -> FloatArray:
    return np.asarray(contracts.left * (1.0 + rate) ** (-contracts.left_days / 2.0 / DAYS_OF_YEAR))


def _annuity(growth: float, terms: FloatArray) -> FloatArray:
    """1 + growth + growth² + … of so many terms."""
    return terms if growth >= 1.0 else np.asarray((1.0 - growth**terms) / (1.0 - growth))
