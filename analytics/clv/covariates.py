"""What is known of a customer from the first order on: Fader & Hardie (2007), Incorporating time-invariant
covariates into the Pareto/NBD and BG/NBD models, brucehardie.com/notes/019.

Acquisition channel, first category, company or person: customers alike in all of them are one cell with
indicators z, and (their section 3)

    α = α₀·exp(-γ₁'z),   a = a₀·exp(γ₂'z),   b = b₀·exp(γ₃'z),

so that exp(γ₁'z) multiplies the mean pace r/α. Each level has its own indicator; a normal prior on γ, which counts
like a few customers, draws each level to the shop's parameters and makes them unique. Rare and unknown levels have
no indicator: they are the shop's. A cell is scored by the ordinary functions with the cell's parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from analytics.clv import beta_geometric, fitting
from analytics.clv.params import BgNbdParams, FloatArray, MbgNbdParams

FEWEST = 200  # customers of a level or of a cell with parameters of its own
MOST_CELLS = 60  # the largest ones; the others are the shop's
PRIOR_SPREAD = 0.5  # standard deviation of γ before the data speak
FARTHEST = 3.0  # |γ|
LEAST_GAIN = 2.0  # of the log-likelihood of customers who were not fitted to
SURE = 0.01  # of the likelihood ratio test
MOST_CUSTOMERS = 250_000  # that are learned from: of more, evenly spread ones

P = TypeVar("P", BgNbdParams, MbgNbdParams)


@dataclass(frozen=True, slots=True)
class Factor:
    """One property of the customers: a place in `levels` for each, negative where it is not known."""

    name: str
    levels: tuple[str, ...]
    codes: NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Cells:
    """Customers alike: the cell of each, and the indicators of each cell. Cell 0 is the shop's own, without any."""

    names: tuple[str, ...]  # of the K indicators, "channel: e-mail"
    z: FloatArray  # cells × K
    code: NDArray[np.intp]  # per customer


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


def cells(factors: Sequence[Factor], *, customers: int, fewest: int = FEWEST, most: int = MOST_CELLS) -> Cells:
    """Cells of customers with the same levels. Levels and cells of fewer than `fewest` customers join cell 0's side.

    A factor that does not tell customers apart gives no indicator.
    """
    columns: list[NDArray[np.bool_]] = []
    names: list[str] = []
    for factor in factors:
        for place, level in enumerate(factor.levels):
            has = factor.codes == place
            if fewest <= np.count_nonzero(has) < customers:
                columns.append(has)
                names.append(f"{factor.name}: {level}")
    if not columns:
        return Cells((), np.zeros((1, 0)), np.zeros(customers, dtype=np.intp))
    return _numbered(tuple(names), np.column_stack(columns), fewest, most)


def _numbered(names: tuple[str, ...], has: NDArray[np.bool_], fewest: int, most: int) -> Cells:
    """Number the distinct rows of indicators that are frequent enough."""
    packed = np.packbits(has, axis=1)
    words = np.zeros((packed.shape[0], -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    words[:, : packed.shape[1]] = packed
    keys = words.view(np.uint64)
    key = keys[:, 0] if keys.shape[1] == 1 else np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    _, first, place, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    plain = ~has[first].any(axis=1)
    kept = np.flatnonzero((count >= fewest) & ~plain)
    kept = np.sort(kept[np.argsort(-count[kept], kind="stable")][: most - 1])
    number = np.zeros(count.size, dtype=np.intp)
    number[kept] = np.arange(1, kept.size + 1)
    z = np.vstack([np.zeros(has.shape[1]), has[first[kept]].astype(np.float64)])
    return Cells(names, z, number[place])


def fit(kind: type[P], histories: Histories, known: Cells) -> CovariateFit[P]:
    """Maximum likelihood with the prior on γ, without judging whether it helps. Raises fitting.DidNotConverge."""
    everyone = np.ones(known.code.size, dtype=np.bool_)
    plain = _plain(kind, histories, everyone)
    found, gamma = _climb(kind, histories, known, everyone, plain)
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
        p_value=float(chi2.sf(max(ratio, 0.0), gamma.size)) if gamma.size else 1.0,
        gain=float("nan"),
        reason="" if gamma.size else "all customers are alike",
    )


def judged(kind: type[P], histories: Histories, known: Cells) -> CovariateFit[P]:
    """As `fit`, with the reason why the cells do not help, if they do not.

    They help if the likelihood ratio test says so and if, fitted to every other customer, they make the histories of
    the rest more likely than one set of parameters for all does. Of more than MOST_CUSTOMERS customers as many are
    learned from. Raises fitting.DidNotConverge.
    """
    rows = np.arange(0, known.code.size, -(-known.code.size // MOST_CUSTOMERS) or 1)
    histories, known = histories.take(rows), Cells(known.names, known.z, known.code[rows])
    whole = fit(kind, histories, known)
    if whole.reason or whole.p_value > SURE:
        return _with(whole, whole.gain, whole.reason or f"chance would do as well (p = {whole.p_value:.2g})")
    learned = np.arange(known.code.size) % 2 == 0
    plain = _plain(kind, histories, learned)
    base, gamma = _climb(kind, histories, known, learned, plain)
    params = _params(kind, base, gamma, known.z)
    alone = _level(kind, histories, known, ~learned, (plain,) * len(params))
    gain = _level(kind, histories, known, ~learned, params) - alone
    return _with(
        whole, gain, "" if gain > LEAST_GAIN else f"customers not fitted to are not better known ({gain:+.1f})"
    )


def _with(found: CovariateFit[P], gain: float, reason: str) -> CovariateFit[P]:
    return replace(found, gain=gain, reason=reason)


def _plain(kind: type[P], histories: Histories, rows: NDArray[np.bool_]) -> P:
    r, alpha, a, b = beta_geometric.fit(histories.tally(rows), m=_m(kind)).values
    return kind(r=r, alpha=alpha, a=a, b=b)


def _climb(
    kind: type[P], histories: Histories, known: Cells, rows: NDArray[np.bool_], plain: P
) -> tuple[FloatArray, FloatArray]:
    """(r, α₀, a₀, b₀) and γ, 3 × K, from the plain fit; α₀ in the unit of the parameters."""
    inhabited = [np.flatnonzero((known.code == cell) & rows) for cell in range(known.z.shape[0])]
    tallies = [(known.z[cell], histories.tally(mine)) for cell, mine in enumerate(inhabited) if mine.size]
    customers, scale = int(np.count_nonzero(rows)), _scale(histories, rows)
    width: int = 3 * len(known.names)
    found = fitting.maximise(
        lambda values: _penalised(tallies, values, customers, scale, _m(kind)),
        names=(*beta_geometric.NAMES, *(f"{what} of {name}" for what in ("pace", "a", "b") for name in known.names)),
        start=(plain.r, plain.alpha / scale, plain.a, plain.b, *([1.0] * width)),
        low=(*beta_geometric.LOW, *([np.exp(-FARTHEST)] * width)),
        high=(*beta_geometric.HIGH, *([np.exp(FARTHEST)] * width)),
    )
    r, alpha, a, b = found.values[:4]
    return np.array([r, alpha * scale, a, b]), np.log(found.values[4:]).reshape(3, -1)


def _penalised(
    tallies: list[tuple[FloatArray, beta_geometric.Tally]], values: FloatArray, customers: int, scale: float, m: int
) -> tuple[float, FloatArray]:
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
