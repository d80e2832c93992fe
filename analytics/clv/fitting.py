"""Maximum likelihood in the logarithms of positive parameters; what does not converge raises."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from analytics.clv.params import FloatArray

Objective = Callable[[FloatArray], tuple[float, FloatArray]]

EVALUATIONS = 400
GRADIENT = 1e-7  # of the mean log-likelihood per customer; parameters then hold to about 1e-5
ACCEPTED = 1e-5  # the search may end earlier, where rounding hides the slope
PROGRESS = 1e-14  # relative, of the likelihood: less is rounding
DIFFERENCE = 1e-3  # of ln(values), for the curvature
NEWTON_STEPS = 6
LONGEST = 0.5  # of a step in ln(values): a longer one leaves what the curvature knows


class DidNotConverge(Exception):
    """The likelihood has no maximum that the search could reach; the message names why."""


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where the likelihood is largest, in the parameters' own units."""

    values: tuple[float, ...]
    log_likelihood: float  # per customer
    evaluations: int


def maximise(
    log_likelihood: Objective,
    *,
    names: Sequence[str],
    start: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
) -> Maximum:
    """Climb `log_likelihood(values) -> (mean per customer, gradient)` by L-BFGS-B in ln(values).

    A parameter on the edge of its range is an answer (a limit of the model, such as equal chances for
    everyone), as long as the gradient only points outward there. Raises DidNotConverge.
    """
    edges = np.log(np.array([low, high], dtype=np.float64))

    def downhill(logs: FloatArray) -> tuple[float, FloatArray]:
        values = np.exp(logs)
        level, slope = log_likelihood(values)
        if not (np.isfinite(level) and np.all(np.isfinite(slope))):
            raise DidNotConverge(f"the likelihood is not finite at {_named(names, values)}")
        return -level, -slope * values

    first = np.clip(np.log(np.asarray(start, dtype=np.float64)), edges[0], edges[1])
    found, left = _descend(downhill, first, edges)
    used = int(found.nfev)
    if left > ACCEPTED:  # on a long ridge the search forgets its curvature and goes on
        found, left = _descend(downhill, np.asarray(found.x), edges)
        used += int(found.nfev)
    values = np.exp(np.asarray(found.x))
    if left > ACCEPTED:
        raise DidNotConverge(
            f"stopped after {used} evaluations at {_named(names, values)} with a slope of {left:.1e}: {found.message}"
        )
    return Maximum(values=tuple(values.tolist()), log_likelihood=-float(found.fun), evaluations=used)


def _descend(
    downhill: Callable[[FloatArray], tuple[float, FloatArray]], start: FloatArray, edges: FloatArray
) -> tuple[Any, float]:
    """scipy's result, and the slope that is left where no edge is in the way."""
    found = minimize(
        downhill,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(edges[0], edges[1], strict=True)),
        options={"gtol": GRADIENT, "ftol": PROGRESS, "maxfun": EVALUATIONS, "maxiter": EVALUATIONS},
    )
    logs, uphill = np.asarray(found.x), -np.asarray(found.jac)
    return found, float(np.max(np.abs(np.clip(logs + uphill, edges[0], edges[1]) - logs)))


def maximise_from_part(
    log_likelihood: Objective,
    part: Objective,
    *,
    names: Sequence[str],
    start: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
) -> Maximum:
    """As `maximise` for many customers, where `part` is the likelihood of some of them, who cost little.

    The part's maximum is the start and its curvature guides Newton's steps: three of them reach what takes fifteen
    evaluations without. Where they do not arrive, L-BFGS-B goes on from there; what counts as a maximum is the same.
    """
    try:
        found = maximise(part, names=names, start=start, low=low, high=high)
    except DidNotConverge:
        return maximise(log_likelihood, names=names, start=start, low=low, high=high)
    edges = np.log(np.array([low, high], dtype=np.float64))
    first = np.log(found.values)
    logs, level, steps = _newton(log_likelihood, first, _curvature(part, first), edges)
    if level is not None:
        return Maximum(values=tuple(np.exp(logs).tolist()), log_likelihood=level, evaluations=steps)
    values = np.exp(np.clip(logs, edges[0], edges[1]))
    end = maximise(log_likelihood, names=names, start=values.tolist(), low=low, high=high)
    return replace(end, evaluations=end.evaluations + steps)


def _newton(
    log_likelihood: Objective, logs: FloatArray, curvature: FloatArray, edges: FloatArray
) -> tuple[FloatArray, float | None, int]:
    """Where steps with this curvature lead, the likelihood if it is a maximum, and how many steps; none is long."""
    if not np.all(np.isfinite(curvature)) or np.linalg.eigvalsh(curvature)[0] <= 0:
        return logs, None, 0
    move: FloatArray = np.zeros(logs.size)
    before = move
    for step in range(NEWTON_STEPS):
        values = np.exp(logs)
        level, slope = log_likelihood(values)
        uphill = slope * values
        if np.max(np.abs(uphill)) <= GRADIENT and np.all((edges[0] <= logs) & (logs <= edges[1])):
            return logs, float(level), step + 1
        curvature = _learned(curvature, move, before - uphill)
        move, before = np.asarray(np.linalg.solve(curvature, uphill), dtype=np.float64), uphill
        if not np.max(np.abs(move)) < LONGEST:
            return logs, None, step + 1
        logs = logs + move
    return logs, None, NEWTON_STEPS


def _learned(curvature: FloatArray, move: FloatArray, bend: FloatArray) -> FloatArray:
    """The curvature that explains by how much the last move bent the slope (Broyden, Fletcher, Goldfarb & Shanno 1970:
    Nocedal & Wright 2006, Numerical Optimization, eq. 6.19); it stays positive definite. As it was before any move.
    """
    if not float(move @ bend) > 0.0:
        return curvature
    along = curvature @ move
    return np.asarray(curvature + np.outer(bend, bend) / (move @ bend) - np.outer(along, along) / (move @ along))


def _curvature(log_likelihood: Objective, logs: FloatArray) -> FloatArray:
    """Minus the second derivatives by ln(values), from differences of the slope."""

    def uphill(at: FloatArray) -> FloatArray:
        values = np.exp(at)
        return np.asarray(log_likelihood(values)[1] * values)

    steps = DIFFERENCE * np.eye(logs.size)
    bends = np.array([uphill(logs - step) - uphill(logs + step) for step in steps]) / (2.0 * DIFFERENCE)
    return np.asarray((bends + bends.T) / 2.0)


def _named(names: Sequence[str], values: FloatArray) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in zip(names, values, strict=True))
