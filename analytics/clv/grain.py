"""Parameters corrected for the grain of a day.

BG/NBD and MBG/NBD know moments, the histories know days: two orders of one day are one, an order day hides
part of a day, someone can leave after the second order of a day. On a million customers this moves α by ten and
more standard errors. The raw fit stays what the papers have. From there Newton's method climbs the likelihood
of the merged days (order_days.py), with the outer products of the customers' slopes as its curvature (Berndt,
Hall, Hall & Hausman 1974, Estimation and inference in nonlinear structural models, Annals of Economic and
Social Measurement 3(4)). Each customer is in a pair (x, T) and, if she came back, in a pair (x, t_x): the pairs
are integrated once per step, and the customers only mix them.
"""

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from analytics.clv import beta_geometric, fitting, order_days, tables
from analytics.clv.order_days import Posterior
from analytics.clv.params import BgNbdParams, FloatArray, MbgNbdParams

BLOCK = 16_384  # customers worked on at once
SAMPLE = 60_000  # repeat buyers from whom the curvature is known to 1 %
MOST_STEPS = 15
SETTLED = 0.5  # standard errors: a step this short is the last, and what it leaves is a hundredth
LONGEST = 1.0  # of a step, in ln(values)
LEAST_SHARE = 0.1  # of a step that led too far
RIDGE = 1e-9  # on the curvature, for directions that the data do not know
MOST_CUSTOMERS = 250_000  # whose days are gone through: of more, evenly spread ones tell how far the grain moves
AT_EDGE = 1e-3  # a raw parameter so near to the end of its range, relatively, stays there
HESSIAN_STEP = 1e-3
BELOW = 1e-9  # of the likelihood per customer: less is rounding

P = TypeVar("P", bound=BgNbdParams | MbgNbdParams)


@dataclass(frozen=True, slots=True)
class Days:
    """Histories in whole days: the distinct pairs, and for each repeat buyer her place among them."""

    customers: int
    mean_age: float
    alive_x: FloatArray
    alive_age: FloatArray
    left_x: FloatArray
    left_t_x: FloatArray
    rows_alive: NDArray[np.intp]
    rows_left: NDArray[np.intp]
    once: NDArray[np.intp]  # places of the pairs with x = 0
    once_count: FloatArray


@dataclass(frozen=True, slots=True)
class Level:
    """Mean log-likelihood per customer at some values, and by ln(r, α, a, b) its slope and the slopes' products."""

    level: float
    slope: FloatArray
    products: FloatArray  # 4 × 4


@dataclass(frozen=True, slots=True)
class Correction(Generic[P]):
    """The parameters to predict with, and how they came about."""

    params: P  # corrected, or the raw ones
    reason: str  # why the raw ones are kept; empty if they were corrected
    steps: int
    log_likelihood: float  # of the merged days, summed over customers (of a large shop: as a part of it tells)
    moved: float  # from the raw parameters, in standard errors
    covariance: FloatArray  # of ln(r, α, a, b), 4 × 4; NaN where the raw ones are kept

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, for the record: standard errors are relative, and None where nothing was corrected."""
        errors = np.sqrt(np.diag(self.covariance)).tolist()
        return self.params.as_dict() | {
            "reason": self.reason,
            "steps": self.steps,
            "log_likelihood": self.log_likelihood if np.isfinite(self.log_likelihood) else None,
            "moved": self.moved,
            "standard_errors": None if self.reason else dict(zip(beta_geometric.NAMES, errors, strict=True)),
        }


def tally(*, x: NDArray[np.int32], t_x: NDArray[np.int32], T: NDArray[np.int32]) -> Days:
    """Group customers by pairs; whole days, columns of one length, at least one customer."""
    alive_x, ages, place = tables.pairs(x, T)
    again = np.flatnonzero(x > 0)
    left_x, left_t_x, rows_left = tables.pairs(x[again], t_x[again])
    once = np.flatnonzero(alive_x == 0)
    return Days(
        customers=x.size,
        mean_age=float(np.mean(T)) or 1.0,
        alive_x=alive_x.astype(np.float64),
        alive_age=ages.astype(np.float64),
        left_x=left_x.astype(np.float64),
        left_t_x=left_t_x.astype(np.float64),
        rows_alive=place[again],
        rows_left=rows_left,
        once=once,
        once_count=np.bincount(place, minlength=alive_x.size)[once].astype(np.float64),
    )


def correct(params: P, data: Days, *, days: float) -> Correction[P]:
    """From the raw fit to the maximum of the merged days' likelihood; never raises for a raw fit of these data.

    `days` is the parameters' unit of time in days. A parameter that the raw fit left at the end of its range
    stays there. Where the climb does not settle or ends below its start, the raw parameters come back with the
    reason.
    """
    m = _m(params)
    start = np.log([params.r, params.alpha * days, params.a, params.b])
    low, high = _edges(data)
    free = (start > low + AT_EDGE) & (start < high - AT_EDGE)
    first = at = likelihood(data, start, m=m)
    logs, steps, share = start, 0, 1.0
    step, length = _step(at, free, data.customers)
    while SETTLED <= length < np.inf and steps < MOST_STEPS:
        before = at
        logs, steps = np.clip(logs + share * step, low, high), steps + 1
        at = likelihood(data, logs, m=m)
        share *= _overshot(step, before, at)
        step, length = _step(at, free, data.customers)
    step = share * step
    reason = _doubt(first, at, length)
    if reason:
        return Correction(params, reason, steps, first.level * data.customers, 0.0, np.full((4, 4), np.nan))
    logs = np.clip(logs + step, low, high)
    moved = logs - start
    r, alpha, a, b = np.exp(logs).tolist()
    return Correction(
        params=replace(params, r=r, alpha=alpha / days, a=a, b=b),
        reason="",
        steps=steps,
        log_likelihood=at.level * data.customers + 0.5 * length**2,
        moved=float(np.sqrt(moved @ at.products @ moved * data.customers)),
        covariance=_inverse(at.products, free) / data.customers,
    )


def corrected(
    params: P, *, x: NDArray[np.int32], t_x: NDArray[np.int32], T: NDArray[np.int32], days: float
) -> Correction[P]:
    """As `correct` for a shop of any size: of a large one, the raw fit of a part is corrected, and moves the whole's.

    The raw and the corrected fit of one part err alike, so that how far they are from each other is known ten times as
    well as either: within 0.3 standard errors of a million customers from a quarter of them. Never raises.
    """
    stride = -(-x.size // MOST_CUSTOMERS)
    data = tally(x=x[::stride], t_x=t_x[::stride], T=T[::stride])
    if stride == 1:
        return correct(params, data, days=days)
    some = beta_geometric.tally_days(x=x[::stride], t_x=t_x[::stride], T=T[::stride], days=days)
    try:
        raw = beta_geometric.fit(some, m=_m(params)).values
    except fitting.DidNotConverge as problem:
        return Correction(params, f"a part of the customers: {problem}", 0, np.nan, 0.0, np.full((4, 4), np.nan))
    part = correct(replace(params, **dict(zip(beta_geometric.NAMES, raw, strict=True))), data, days=days)
    if part.reason:
        return replace(part, params=params)
    share = x.size / data.customers
    moved = {name: value / raw[place] for place, (name, value) in enumerate(part.params.as_dict().items())}
    return Correction(
        params=replace(params, **{name: value * moved[name] for name, value in params.as_dict().items()}),
        reason="",
        steps=part.steps,
        log_likelihood=part.log_likelihood * share,
        moved=part.moved * float(np.sqrt(share)),
        covariance=part.covariance / share,
    )


def likelihood(data: Days, logs: FloatArray, *, m: int) -> Level:
    """At ln(r, α, a, b), α in days; m = 0 for BG/NBD, 1 for MBG/NBD."""
    r, alpha, a, b = np.exp(logs).tolist()
    values = order_days.Values(r=r, alpha=alpha, a=a, b=b, m=m)
    alive = order_days.alive(values, data.alive_x, data.alive_age)
    left = order_days.left(values, data.left_x, data.left_t_x)
    once = _once(data, alive, *order_days.left_at_once(values))
    again = _again(data, alive, left)
    n = data.customers
    return Level((once[0] + again[0]) / n, (once[1] + again[1]) / n, (once[2] + again[2]) / n)


def _once(data: Days, alive: Posterior, left: float, left_slope: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Those who bought once: one row per age."""
    z = alive.log[data.once] - left
    slope = left_slope + expit(z)[:, np.newaxis] * (alive.slope[data.once] - left_slope)
    level = np.sum(data.once_count * (left + np.logaddexp(0.0, z)))
    return float(level), data.once_count @ slope, (slope * data.once_count[:, np.newaxis]).T @ slope


def _again(data: Days, alive: Posterior, left: Posterior) -> tuple[float, FloatArray, FloatArray]:
    """Repeat buyers: Σ ln(A + D) and its slope, block by block; the products from an evenly spread sample of rows."""
    there = np.zeros(alive.log.size)
    gone = np.bincount(data.rows_left, minlength=left.log.size).astype(np.float64)
    level = float(gone @ left.log)
    for start in range(0, data.rows_alive.size, BLOCK):
        in_alive, in_left = data.rows_alive[start : start + BLOCK], data.rows_left[start : start + BLOCK]
        z = alive.log[in_alive] - left.log[in_left]
        decay = np.exp(-np.abs(z))
        level += float(np.sum(np.maximum(z, 0.0)) + np.sum(np.log1p(decay)))
        stays = np.where(z > 0, 1.0, decay) / (1.0 + decay)
        there += np.bincount(in_alive, stays, there.size)
        gone -= np.bincount(in_left, stays, gone.size)
    return level, there @ alive.slope + gone @ left.slope, _products(data, alive, left)


def _products(data: Days, alive: Posterior, left: Posterior) -> FloatArray:
    rows = slice(None, None, max(data.rows_alive.size // SAMPLE, 1))
    in_alive, in_left = data.rows_alive[rows], data.rows_left[rows]
    stays = expit(alive.log[in_alive] - left.log[in_left])[:, np.newaxis]
    slope = np.take(left.slope, in_left, axis=0)
    slope += stays * (np.take(alive.slope, in_alive, axis=0) - slope)
    return np.asarray(slope.T @ slope * (data.rows_alive.size / max(in_alive.size, 1)))


def standard_errors(params: BgNbdParams | MbgNbdParams, data: Days, *, days: float) -> dict[str, float]:
    """Of the parameters, relative (of their logarithms), from the curvature of the merged days' likelihood.

    NaN where it is not curved downward there: a parameter at the end of its range, or not at a maximum.
    """
    logs = np.log([params.r, params.alpha * days, params.a, params.b])
    around = [
        [likelihood(data, logs + sign * HESSIAN_STEP * unit, m=_m(params)).slope for sign in (1.0, -1.0)]
        for unit in np.eye(4)
    ]
    curvature = -np.array([above - below for above, below in around]) / (2.0 * HESSIAN_STEP)
    variance = np.diag(np.linalg.pinv((curvature + curvature.T) / 2.0)) / data.customers
    errors = np.sqrt(np.where(variance > 0, variance, np.nan))
    return dict(zip(beta_geometric.NAMES, errors.tolist(), strict=True))


def _step(at: Level, free: NDArray[np.bool_], customers: int) -> tuple[FloatArray, float]:
    """The next step in ln(values), cut to a sensible length, and how long it is in standard errors."""
    if not (np.isfinite(at.level) and np.all(np.isfinite(at.slope)) and np.all(np.isfinite(at.products))):
        return np.zeros(4), np.inf
    step = _inverse(at.products, free) @ at.slope
    length = float(np.sqrt(max(float(step @ at.slope), 0.0) * customers))
    return step * min(1.0, LONGEST / max(float(np.max(np.abs(step))), LONGEST)), length


def _overshot(step: FloatArray, before: Level, after: Level) -> float:
    """What share of the step would have reached the top along it, LEAST_SHARE to 1.

    The slopes' products are the curvature of a model that is true; of one that is not, steps may lead twice too far.
    """
    climb, rest = float(step @ before.slope), float(step @ after.slope)
    return float(np.clip(climb / (climb - rest), LEAST_SHARE, 1.0)) if rest < 0.0 < climb else 1.0


def _inverse(products: FloatArray, free: NDArray[np.bool_]) -> FloatArray:
    """Over the free parameters, 0 for the others."""
    inner = products[np.ix_(free, free)]
    whole = np.zeros((4, 4))
    whole[np.ix_(free, free)] = np.linalg.inv(inner + RIDGE * np.eye(inner.shape[0]))
    return whole


def _doubt(first: Level, last: Level, length: float) -> str:
    if not np.isfinite(length):
        return "the likelihood of the merged days is not finite"
    if length >= SETTLED:
        return f"did not settle in {MOST_STEPS} steps"
    return "" if last.level >= first.level - BELOW else "the raw parameters are more likely"


def _edges(data: Days) -> tuple[FloatArray, FloatArray]:
    """The range of the raw fit, α in days."""
    unit = np.log([1.0, data.mean_age, 1.0, 1.0])
    return np.log(beta_geometric.LOW) + unit, np.log(beta_geometric.HIGH) + unit


def _m(params: BgNbdParams | MbgNbdParams) -> int:
    return int(isinstance(params, MbgNbdParams))
