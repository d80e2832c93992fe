"""What a contract is worth: the margin of what is agreed, and of the renewals that may come.

A renewal pays when its term begins; what is left of a running term is earned evenly until its end. Terms that begin
within HORIZON_YEARS count, so that no rate of discount, not even none, makes a value infinite. Of a shorter horizon
counts the share of each term that lies within. Money is in major units, days are counted from the day of the valuation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.clv.params import FloatArray
from analytics.clv.renewals import Curve

HORIZON_YEARS: Final = 20
DRAWS: Final = 400
SEED: Final = 20070223
WHOLE: Final = float("inf")  # days: all terms that begin within HORIZON_YEARS
DAYS_OF_YEAR: Final = 365.0
DAYS_OF_MONTH: Final = DAYS_OF_YEAR / 12
Draws = NDArray[np.float64]  # (rows, DRAWS)
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
    return _worth(contracts, curves, rate, WHOLE)


def within(contracts: Contracts, curves: Sequence[Curve], rate: float, days: float) -> FloatArray:
    """The expected value of so many days: of each term the share that lies within them."""
    return _worth(contracts, curves, rate, days).value


def draws(
    contracts: Contracts, curves: Sequence[Curve], keys: Sequence[int], rate: float, days: Sequence[float] = (WHOLE,)
) -> list[Draws]:
    """The value of each contract as it may come out, (contracts, DRAWS): unknown parameters, then chance. One array for
    each of the horizons `days`, of the same outcomes.

    Each contract has numbers of its own by its key, so that its interval does not depend on who stands beside it; the
    parameters are drawn once for each model, because contracts of one model share its error.
    """
    parameters = {id(one): one.draws(DRAWS, np.random.default_rng(SEED)) for one in curves}
    left, first = [_left(contracts, rate, horizon) for horizon in days], contracts.margin * _at_due(contracts, rate)
    found = [np.empty((len(contracts), DRAWS), dtype=np.float64) for _horizon in days]
    for place, (curve, key) in enumerate(zip(curves, keys, strict=True)):
        terms = _terms_drawn(contracts, place, curve, parameters[id(curve)], np.random.default_rng([SEED, key]))
        for own, kept, horizon in zip(found, left, days, strict=True):
            own[place] = kept[place] + first[place] * _worth_of_terms(contracts, place, rate, horizon)[terms]
    return found


def _terms_drawn(
    contracts: Contracts,
    place: int,
    curve: Curve,
    parameters: tuple[FloatArray, FloatArray],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """How many terms come after what is agreed, DRAWS times; 0: the next renewal does not come."""
    alpha, beta = parameters
    n, most = contracts.renewals[place], _most_terms(contracts.months[place])
    usual = curve.params.beta + n
    chance = contracts.renews[place] * (beta + n) / (alpha + beta + n) / (usual / (curve.params.alpha + usual))
    renewed = random.random(DRAWS) < chance
    leaves = np.clip(random.beta(alpha, beta + n + 1.0), 1e-12, 1 - 1e-12)
    terms = np.minimum(np.floor(np.log(random.random(DRAWS)) / np.log1p(-leaves)) + 1, most)
    return np.where(renewed, terms, 0).astype(np.int64)


def interval(values: Draws, expected: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The bounds of 80 % of the draws in each row, drawn out to what is expected where that lies beyond.

    Where nine of ten outcomes are the same, such as every renewal within the horizon, both percentiles are that one
    outcome, and what may go wrong once in twenty times moves the expectation away from it.
    """
    low, high = np.percentile(values, [LOW, HIGH], axis=1)
    return np.minimum(low, expected), np.maximum(high, expected)


def _worth(contracts: Contracts, curves: Sequence[Curve], rate: float, days: float) -> Worth:
    alpha = np.array([curve.params.alpha for curve in curves])
    beta = np.array([curve.params.beta for curve in curves])
    terms = _terms_once_renewed(contracts, alpha, beta, rate, days)
    stake = contracts.margin * _at_due(contracts, rate) * terms
    return Worth(left=_left(contracts, rate, days), stake=stake, beyond=contracts.renews * stake)


def _terms_once_renewed(
    contracts: Contracts, alpha: FloatArray, beta: FloatArray, rate: float, days: float
) -> FloatArray:
    """Discounted terms to expect from the next renewal on, that one included, if it comes."""
    most, growth = _most_terms(contracts.months), _per_term(contracts.months, rate)
    here, total = np.ones(len(contracts)), _share(contracts.months, contracts.left_days, 0, days)
    for further in range(1, int(most.max(initial=1))):
        n = contracts.renewals + further
        here = here * growth * (beta + n) / (alpha + beta + n)
        total += np.where(further < most, here, 0.0) * _share(contracts.months, contracts.left_days, further, days)
    return total


def _worth_of_terms(contracts: Contracts, place: int, rate: float, days: float) -> FloatArray:
    """What 0, 1, 2 … terms once renewed are worth for one contract, in terms as of the next renewal."""
    months, left_days = contracts.months[place], contracts.left_days[place]
    further = np.arange(int(_most_terms(months)))
    each = _per_term(months, rate) ** further * _share(months, left_days, further, days)
    return np.append(0.0, np.cumsum(each))


def _share(months: FloatArray, left_days: FloatArray, further: ArrayLike, days: float) -> FloatArray:
    """How much of a term lies within the days; `further`: how many renewed terms come before it."""
    length = months * DAYS_OF_MONTH
    return np.asarray(np.clip((days - left_days) / length - np.asarray(further), 0.0, 1.0))


def _most_terms(months: FloatArray) -> FloatArray:
    return np.maximum(np.floor(HORIZON_YEARS * 12.0 / months), 1.0)


def _per_term(months: FloatArray, rate: float) -> FloatArray:
    return np.asarray((1.0 + rate) ** (-months / 12.0))


def _at_due(contracts: Contracts, rate: float) -> FloatArray:
    return np.asarray((1.0 + rate) ** (-contracts.left_days / DAYS_OF_YEAR))


def _left(contracts: Contracts, rate: float, days: float) -> FloatArray:
    """What is agreed is earned evenly; the part within the days counts from its middle."""
    inside = np.minimum(contracts.left_days, days)
    share = np.divide(inside, contracts.left_days, out=np.ones(len(contracts)), where=contracts.left_days > 0)
    return np.asarray(contracts.left * share * (1.0 + rate) ** (-inside / 2.0 / DAYS_OF_YEAR))
