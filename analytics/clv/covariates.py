"""What is known of a customer from the first order on: Fader & Hardie (2007), Incorporating time-invariant
covariates into the Pareto/NBD and BG/NBD models, brucehardie.com/notes/019.

Acquisition channel, first category, company or person: customers alike in them are one cell (cells.py) with indicators
z, and (their section 3)

    α = α₀·exp(-γ₁'z),   a = a₀·exp(γ₂'z),   b = b₀·exp(γ₃'z),

so that exp(γ₁'z) multiplies the mean pace r/α. A normal prior on γ, which counts like a few customers, draws each cell
to the shop's parameters and makes them unique. A cell is scored by the ordinary functions with the cell's parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from analytics.clv import beta_geometric, fitting, purchase
from analytics.clv.history import WEEK, History
from analytics.clv.params import BgNbdParams, FloatArray, MbgNbdParams

PRIOR_SPREAD = 0.5  # standard deviation of γ before the data speak
FARTHEST = 3.0  # |γ|
LEAST_GAIN = 2.0  # of the log-likelihood of customers who were not fitted to
SURE = 0.01  # of the likelihood ratio test
MOST_CUSTOMERS = 100_000  # that are learned from: of more, evenly spread ones
STEPS = 12  # of Newton's method
LONGEST = 1.0  # of a step, in logarithms
SMALL = 0.1  # a step that leaves the curvature as it was
SHORT = 1e-5  # a step after which the search proper takes over
DIFFERENCE = 1e-4  # of logarithms, for the curvature

P = TypeVar("P", BgNbdParams, MbgNbdParams)


@dataclass(frozen=True, slots=True)
class Cells:
    """Customers alike: the cell of each, and the indicators of each cell. Cell 0 is the shop's own, without any."""

    names: tuple[str, ...]  # of the K indicators
    z: FloatArray  # cells × K
    code: NDArray[np.integer[Any]]  # per customer

    @classmethod
    def of(cls, code: NDArray[np.integer[Any]]) -> Self:
        """Cells that have nothing to do with each other: an indicator for each but cell 0."""
        others = int(np.max(code, initial=0))
        names = tuple(f"cell {number}" for number in range(1, others + 1))
        return cls(names, np.vstack([np.zeros(others), np.eye(others)]), code)


@dataclass(frozen=True, slots=True)
class Histories:
    """Repeat order days, the day of the last and the age in whole days; columns of one length."""

    x: NDArray[np.int32]
    t_x: NDArray[np.int32]
    T: NDArray[np.int32]
    days: float  # to the unit of time of the parameters

    def take(self, rows: NDArray[np.intp]) -> "Histories":
        return Histories(self.x[rows], self.t_x[rows], self.T[rows], self.days)

    def tally(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> beta_geometric.Tally:
        return beta_geometric.tally_days(x=self.x[rows], t_x=self.t_x[rows], T=self.T[rows], days=self.days)


@dataclass(frozen=True, slots=True)
class CovariateFit(Generic[P]):
    """Parameters per cell, and whether knowing the cells helps."""

    names: tuple[str, ...]
    gamma: FloatArray  # 3 × K: γ₁, γ₂, γ₃
    params: tuple[P, ...]  # per cell; the first is the shop's own
    customers: int  # learned from
    log_likelihood: float  # summed over them, without the prior
    ratio: float  # likelihood ratio statistic against one set of parameters for all
    p_value: float  # of it, with 3K degrees of freedom
    gain: float  # of the log-likelihood of the half of the customers that was not fitted to; NaN if not looked at
    reason: str  # why the cells are better left alone; empty if they help


@dataclass(frozen=True, slots=True)
class ByCell:
    """What a shop's cells have shown; JSON in and out. Without cells there is nothing to say."""

    params: tuple[purchase.Params, ...] = ()  # of each cell; empty where one set does as well for all
    customers: tuple[int, ...] = ()  # of each cell
    p_value: float | None = None  # that chance alone makes such a difference
    gain: float | None = None  # of the log-likelihood of customers who were not fitted to
    reason: str = ""  # why one set does as well

    def as_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"params": [purchase.as_dict(one) for one in self.params], "customers": list(self.customers)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        params = tuple(purchase.from_dict(one) for one in data["params"])
        return cls(**{**data, "params": params, "customers": tuple(data["customers"])})


ALIKE = ByCell()


def learn(params: purchase.Params, known: History) -> ByCell:
    """Parameters of each cell of these customers, each with an order day, if they are better than `params`, which were
    fitted to all. Never raises.
    """
    if not np.any(known.cell):
        return ALIKE
    customers = tuple(np.bincount(known.cell).tolist())
    if not isinstance(params, BgNbdParams | MbgNbdParams):
        model = purchase.model_of(params).name
        return ByCell(customers=customers, reason=f"{model} has one set of parameters for all")
    days = Histories(known.order_days - 1, known.first_age - known.last_age, known.first_age, WEEK)
    kind: type[Any] = type(params)
    try:
        found = judged(kind, days, Cells.of(known.cell), params)
    except fitting.DidNotConverge as problem:
        return ByCell(customers=customers, reason=str(problem))
    gain = found.gain if np.isfinite(found.gain) else None
    return ByCell(() if found.reason else found.params, customers, found.p_value, gain, found.reason)


def fit(kind: type[P], histories: Histories, known: Cells, near: P | None = None) -> CovariateFit[P]:
    """Maximum likelihood with the prior on γ, without judging whether it helps. Raises fitting.DidNotConverge.

    `near`: parameters that do for all customers, or nearly so; a start.
    """
    everyone = np.ones(known.code.size, dtype=np.bool_)
    plain = _plain(kind, histories, everyone, near)
    found, gamma = _climb(kind, histories, known, everyone, plain, np.zeros((3, len(known.names))))
    params = _params(kind, found, gamma, known.z)
    level = _level(kind, histories, known, everyone, params)
    ratio = 2.0 * (level - _level(kind, histories, known, everyone, (plain,) * len(params)))
    return CovariateFit(
        names=known.names,
        gamma=gamma,
        params=params,
        customers=known.code.size,
        log_likelihood=level,
        ratio=ratio,
        p_value=float(chdtrc(gamma.size, max(ratio, 0.0))) if gamma.size else 1.0,
        gain=float("nan"),
        reason="" if gamma.size else "all customers are alike",
    )


def judged(kind: type[P], histories: Histories, known: Cells, near: P | None = None) -> CovariateFit[P]:
    """As `fit`, with the reason why the cells do not help, if they do not.

    They help if the likelihood ratio test says so and if, fitted to every other customer, they make the histories of
    the rest more likely than one set of parameters for all does. Of more than MOST_CUSTOMERS customers as many are
    learned from. Raises fitting.DidNotConverge.
    """
    rows = np.arange(0, known.code.size, -(-known.code.size // MOST_CUSTOMERS) or 1)
    histories, known = histories.take(rows), Cells(known.names, known.z, known.code[rows])
    whole = fit(kind, histories, known, near)
    if whole.reason or whole.p_value > SURE:
        chance = f"{whole.p_value:.2f}"
        return _with(whole, whole.gain, whole.reason or f"chance would do as well (p = {chance})")
    learned = np.arange(known.code.size) % 2 == 0
    plain = _plain(kind, histories, learned, near)
    base, gamma = _climb(kind, histories, known, learned, whole.params[0], whole.gamma)
    params = _params(kind, base, gamma, known.z)
    alone = _level(kind, histories, known, ~learned, (plain,) * len(params))
    gain = _level(kind, histories, known, ~learned, params) - alone
    return _with(whole, gain, "" if gain > LEAST_GAIN else "customers who were not fitted to are not better known")


def _with(found: CovariateFit[P], gain: float, reason: str) -> CovariateFit[P]:
    return replace(found, gain=gain, reason=reason)


def _plain(kind: type[P], histories: Histories, rows: NDArray[np.bool_], near: P | None) -> P:
    data = histories.tally(rows)
    start = (near.r, near.alpha / data.scale, near.a, near.b) if near else beta_geometric.START
    r, alpha, a, b = beta_geometric.fit(data, m=_m(kind), start=start).values
    return kind(r=r, alpha=alpha, a=a, b=b)


def _climb(
    kind: type[P], histories: Histories, known: Cells, rows: NDArray[np.bool_], near: P, gamma: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(r, α₀, a₀, b₀) and γ, 3 × K, from a place near them; α₀ in the unit of the parameters."""
    inhabited = [np.flatnonzero((known.code == cell) & rows) for cell in range(known.z.shape[0])]
    tallies = [(known.z[cell], histories.tally(mine)) for cell, mine in enumerate(inhabited) if mine.size]
    customers, scale = int(np.count_nonzero(rows)), _scale(histories, rows)
    width: int = gamma.size
    m = _m(kind)
    logs = np.concatenate([np.log([near.r, near.alpha / scale, near.a, near.b]), gamma.ravel()])
    start = np.exp(_newton(lambda at, bends: _bend(tallies, at, customers, scale, m, bends), logs))
    found = fitting.maximise(
        lambda values: _penalised(tallies, values, customers, scale, m),
        names=(*beta_geometric.NAMES, *(f"{what} of {name}" for what in ("pace", "a", "b") for name in known.names)),
        start=start.tolist(),
        low=(*beta_geometric.LOW, *([np.exp(-FARTHEST)] * width)),
        high=(*beta_geometric.HIGH, *([np.exp(FARTHEST)] * width)),
    )
    r, alpha, a, b = found.values[:4]
    return np.array([r, alpha * scale, a, b]), np.log(found.values[4:]).reshape(3, -1)


Tallies = list[tuple[FloatArray, beta_geometric.Tally]]  # z and the histories of each cell


def _newton(bend: Callable[[FloatArray, bool], tuple[FloatArray, FloatArray]], logs: FloatArray) -> FloatArray:
    """Near the maximum, where a search for forty figures is short. Once steps are small the curvature stays."""
    curvature, longest = np.zeros((logs.size, logs.size)), LONGEST
    for _ in range(STEPS):
        slope, bends = bend(logs, longest > SMALL)
        curvature = bends if longest > SMALL else curvature
        if not np.all(np.isfinite(curvature)) or np.linalg.eigvalsh(curvature)[0] <= 0:
            break
        move = np.linalg.solve(curvature, slope)
        longest = float(np.max(np.abs(move)))
        logs = logs + move * min(1.0, LONGEST / longest if longest else 1.0)
        if longest < SHORT:
            break
    return logs


def _bend(
    tallies: Tallies, logs: FloatArray, customers: int, scale: float, m: int, bends: bool
) -> tuple[FloatArray, FloatArray]:
    """Slope of the mean log-likelihood with the prior by (ln r, ln α₀, ln a₀, ln b₀, γ), and minus its curvature.

    A cell's likelihood bends with its own four parameters, whose logarithms are linear in those. Without `bends` the
    curvature is not looked at.
    """
    base, gamma = np.exp(logs[:4]), logs[4:].reshape(3, -1)
    slope = np.concatenate([np.zeros(4), -gamma.ravel() / PRIOR_SPREAD**2])
    curvature = np.diag(np.concatenate([np.zeros(4), np.full(gamma.size, PRIOR_SPREAD**-2.0)]))
    for z, data in tallies:
        by_part = np.hstack([np.eye(4), np.vstack([np.zeros(gamma.size), np.kron(np.diag((-1.0, 1.0, 1.0)), z)])])
        mine = np.log(base * _factors(gamma, z) * (1.0, scale / data.scale, 1.0, 1.0))
        at = _slope(data, mine, m)
        slope += by_part.T @ at
        if bends:
            moved = np.array([_slope(data, mine + step, m) for step in DIFFERENCE * np.eye(4)])
            curvature -= by_part.T @ (moved - at + (moved - at).T) @ by_part / (2.0 * DIFFERENCE)
    return slope / customers, curvature / customers


def _slope(data: beta_geometric.Tally, logs: FloatArray, m: int) -> FloatArray:
    """By ln(r, α, a, b), summed over the customers."""
    values = np.exp(logs)
    return np.asarray(beta_geometric.log_likelihood(data, values, m=m)[1] * values * data.customers)


def _penalised(tallies: Tallies, values: FloatArray, customers: int, scale: float, m: int) -> tuple[float, FloatArray]:
    """Mean log-likelihood with the prior, and its gradient by (r, α₀, a₀, b₀, exp γ), by the chain rule."""
    base, gamma = values[:4], np.log(values[4:]).reshape(3, -1)
    level = -0.5 * float(np.sum(gamma**2)) / PRIOR_SPREAD**2
    by_log, by_gamma = np.zeros(4), -gamma / PRIOR_SPREAD**2
    for z, data in tallies:
        r, alpha, a, b = base * _factors(gamma, z)
        mine = np.array([r, alpha * scale / data.scale, a, b])
        mean, slope = beta_geometric.log_likelihood(data, mine, m=m)
        logs = slope * mine * data.customers
        level += mean * data.customers
        by_log += logs
        by_gamma += np.outer(logs[1:] * (-1.0, 1.0, 1.0), z)
    return level / customers, np.concatenate([by_log, by_gamma.ravel()]) / values / customers


def _factors(gamma: FloatArray, z: FloatArray) -> FloatArray:
    """On (r, α₀, a₀, b₀)."""
    return np.asarray(np.exp(np.concatenate([[0.0], (gamma @ z) * (-1.0, 1.0, 1.0)])))


def _params(kind: type[P], base: FloatArray, gamma: FloatArray, z: FloatArray) -> tuple[P, ...]:
    return tuple(kind(*(base * _factors(gamma, each)).tolist()) for each in z)


def _level(kind: type[P], histories: Histories, known: Cells, rows: NDArray[np.bool_], params: Sequence[P]) -> float:
    """Log-likelihood of these rows, summed, each with the parameters of her cell; times in the parameters' unit."""
    level = 0.0
    for cell, one in enumerate(params):
        mine = np.flatnonzero((known.code == cell) & rows)
        if mine.size:
            data = histories.tally(mine)
            values = np.array([one.r, one.alpha / data.scale, one.a, one.b])
            mean, _ = beta_geometric.log_likelihood(data, values, m=_m(kind))
            level += mean * mine.size - float(np.sum(data.x * data.x_count)) * float(np.log(data.scale))
    return level


def _scale(histories: Histories, rows: NDArray[np.bool_]) -> float:
    return float(np.mean(histories.T[rows])) / histories.days or 1.0


def _m(kind: type[BgNbdParams] | type[MbgNbdParams]) -> int:
    return int(kind is MbgNbdParams)
