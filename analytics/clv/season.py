"""The shop's own season: how far each month of the year lies above or below what the purchase model expects.

Month by month the repeat order days that came are set against those that the fitted model expects of customers of that
age (the tracking of Fader, Hardie & Lee 2005, figure 3). So growth in customers and their fading away are taken out,
and what is left is the month. A season is believed as far as it came back the year after: months that can be compared
with the same month a year before are its test, and with fewer than six of them there is no season.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from analytics.clv import purchase
from analytics.clv.order_log import OrderLog
from analytics.clv.params import FloatArray

MONTHS = 12
FEWEST_PAIRS = 6  # months with the same month a year before
FEWEST_EXPECTED = 10.0  # repeat order days in a month that is counted
PRIOR = 20.0  # repeat order days, as expected, added to each month
STRICT = 4.0  # the share of squared error that may be left is 1 − STRICT / pairs: chance alone passes one time in 100
FARTHEST = 2.0  # what a season makes of a horizon at most, or at least its inverse
NONE = (1.0,) * MONTHS


@dataclass(frozen=True, slots=True)
class Season:
    """Index by month of the year, January first; all 1 when there is none, and then `reason` says why.

    `reference` is the mean index of the history that it was learned from, weighted by the order days expected in it: a
    model that was fitted to a year with one Christmas has a twelfth of it in its pace already.
    """

    index: tuple[float, ...] = NONE
    reference: float = 1.0
    reason: str = ""
    pairs: int = 0  # months that were compared with a year before
    left: float | None = None  # squared error of a year ahead with the season over that without

    @property
    def is_known(self) -> bool:
        return self.index != NONE

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; from_dict reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "index": tuple(data["index"])})


@dataclass(frozen=True, slots=True)
class Tracking:
    """Repeat order days of each day of a history: those that came, and those that the model expects in a mean year."""

    start: int
    actual: FloatArray
    expected: FloatArray


def track(log: OrderLog, as_of: int, params: purchase.Params) -> Tracking:
    """Day by day from the first order day to `as_of`, as the log looked on that evening."""
    days = log.days(as_of)
    standing = days.standing
    who, day = days.customer[standing], days.day[standing].astype(np.int64)
    if not day.size:
        return Tracking(as_of + 1, np.empty(0), np.empty(0))
    start = int(np.min(day))
    first = np.append(True, who[1:] != who[:-1])
    length = as_of - start + 1
    newcomers = np.bincount(day[first] - start, minlength=length)
    ages = np.arange(length) / purchase.WEEK
    reached = purchase.model_of(params).unconditional_expected_purchases(params, ages)
    pace = np.append(0.0, np.diff(reached))
    return Tracking(
        start=start,
        actual=np.bincount(day[~first] - start, minlength=length).astype(np.float64),
        expected=np.convolve(newcomers, pace)[:length],
    )


def learn(tracking: Tracking) -> Season:
    """The season of a tracked history."""
    month, ratio, weight = _log_ratios(tracking)
    before, after = _pairs(month)
    if before.size < FEWEST_PAIRS:
        pairs = before.size
        return Season(
            reason=f"Months to compare with a year before: {pairs}; a season takes {FEWEST_PAIRS}.", pairs=pairs
        )
    both = 1.0 / (1.0 / weight[before] + 1.0 / weight[after])
    drift = float(np.average(ratio[after] - ratio[before], weights=both))
    level = ratio - drift * (month - month[0]) / MONTHS
    centre = _means_by_month(month, level, weight)
    left = _left(level[before], level[after], both)
    if left > 1.0 - STRICT / before.size:
        return Season(reason="The months of a year do not come back the year after.", pairs=before.size, left=left)
    believed = max(0.0, 1.0 - left) ** 0.5
    index = np.exp(believed * (centre - np.mean(centre)))
    index /= np.mean(index)
    past = index[_month_of_year(tracking.start + np.arange(tracking.expected.size))]
    reference = float(np.average(past, weights=tracking.expected))
    return Season(index=tuple(index.tolist()), reference=reference, pairs=before.size, left=left)


def factor(season: Season, first: int, days: int) -> float:
    """What the season makes of the order days expected in the `days` from `first` on: their mean index over that of
    the history.
    """
    if not season.is_known or days <= 0:
        return 1.0
    ahead = np.array(season.index)[_month_of_year(np.arange(first, first + days))]
    return float(np.clip(np.mean(ahead) / season.reference, 1.0 / FARTHEST, FARTHEST))


def _log_ratios(tracking: Tracking) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Whole months (numbered from January 1970) with enough to go by, ln(actual / expected) and what was expected."""
    days = tracking.start + np.arange(tracking.actual.size)
    month = _month(days)
    number = month - (month[0] if month.size else 0)
    actual, expected = (
        np.bincount(number, weights=sums).astype(np.float64) for sums in (tracking.actual, tracking.expected)
    )
    enough = (expected >= FEWEST_EXPECTED) & _is_whole(days, number)
    places = np.flatnonzero(enough)
    ratio = np.log((actual[places] + PRIOR) / (expected[places] + PRIOR))
    return places + (month[0] if month.size else 0), ratio, expected[places]


def _is_whole(days: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each month's first and last day are there."""
    whole = np.ones(int(np.max(number, initial=-1)) + 1, dtype=np.bool_)
    if days.size:
        whole[0] = _month(days[0] - 1) != _month(days[0])
        whole[-1] &= bool(_month(days[-1] + 1) != _month(days[-1]))
    return whole


def _pairs(month: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of months that stand a year before another, and of those others."""
    after = np.flatnonzero(np.isin(month - MONTHS, month))
    return np.searchsorted(month, month[after] - MONTHS), after


def _means_by_month(month: NDArray[np.int64], level: FloatArray, weight: FloatArray) -> FloatArray:
    """The mean of each month of the year; where a month was never seen, the mean of all."""
    seen = np.bincount(month % MONTHS, weights=weight, minlength=MONTHS)
    sums = np.bincount(month % MONTHS, weights=weight * level, minlength=MONTHS)
    return np.asarray(
        np.divide(sums, seen, out=np.full(MONTHS, float(np.average(level, weights=weight))), where=seen > 0)
    )


def _left(before: FloatArray, after: FloatArray, weight: FloatArray) -> float:
    """Squared error of "as a year before, as far as believed" over that of "as the mean month", each month left out
    of what it is judged by.
    """
    errors, plain = 0.0, 0.0
    for place in range(before.size):
        others = np.where(np.arange(before.size) == place, 0.0, weight)
        b, a = before - np.average(before, weights=others), after - np.average(after, weights=others)
        slope = np.sum(others * b * a) / max(float(np.sum(others * b * b)), 1e-12)
        errors += weight[place] * float(a[place] - min(max(slope, 0.0), 1.0) * b[place]) ** 2
        plain += weight[place] * float(a[place]) ** 2
    return float(errors / plain) if plain > 0 else 1.0


def _month(days: Any) -> Any:
    """The month of each day, numbered from January 1970."""
    return np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _month_of_year(days: NDArray[np.int64]) -> NDArray[np.int64]:
    month: NDArray[np.int64] = _month(days) % MONTHS
    return month
