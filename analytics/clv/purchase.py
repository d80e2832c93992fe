"""The models of when customers order, by name, with one set of functions each: a further model is one entry.

For every model E[orders] = P(alive) × E[orders | alive at T], and the second factor is given by (x, T), so that it can
be computed once for each distinct pair. x repeat orders, the last at t_x, watched until T, counted from the first order
in the unit of time of the parameters. Arguments broadcast; results are arrays of float64.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.clv import beta_geometric, bgnbd, mbg_cnbd_k, mbgnbd, pareto_nbd, triples
from analytics.clv.params import BgNbdParams, Fit, FloatArray, MbgCnbdKParams, MbgNbdParams, ParetoNbdParams

WEEK = 7.0  # days
BG_NBD, MBG_NBD, PARETO_NBD, MBG_CNBD_K = "BG/NBD", "MBG/NBD", "Pareto/NBD", "MBG/CNBD-k"

Params = BgNbdParams | MbgNbdParams | ParetoNbdParams | MbgCnbdKParams
Q = TypeVar("Q", BgNbdParams, MbgNbdParams, ParetoNbdParams, MbgCnbdKParams)
Geometric = TypeVar("Geometric", BgNbdParams, MbgNbdParams, MbgCnbdKParams)


@dataclass(frozen=True, slots=True)
class Columns:
    """Histories to fit, in columns of one length with at least one customer."""

    x: NDArray[np.integer[Any]]  # repeat order days
    t_x: NDArray[np.integer[Any]]  # days from the first order day to the last
    T: NDArray[np.integer[Any]]  # days from the first order day to the business day
    log_gaps: FloatArray  # Σ ln of the days between consecutive order days; NaN where not known
    days: float = WEEK  # to the unit of time of the parameters

    def tally(self) -> beta_geometric.Tally:
        """For the models of the BG family."""
        return beta_geometric.tally_days(x=self.x, t_x=self.t_x, T=self.T, days=self.days)

    def triples(self) -> triples.Triples:
        """For the models whose likelihood needs x, t_x and T together."""
        return triples.of_days(x=self.x, t_x=self.t_x, T=self.T, days=self.days)

    def times(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """x, t_x and T in the unit of time."""
        return self.x.astype(np.float64), self.t_x / self.days, self.T / self.days

    def gaps(self) -> FloatArray:
        """Σ ln of each customer's gaps in the unit of time."""
        return np.asarray(self.log_gaps - self.x * np.log(self.days))


@dataclass(frozen=True, slots=True)
class Future(Generic[Q]):
    """What comes when the chance to leave or the pace changes today.

    Within t come `times` × the orders that the model with `params` expects within `speed` × t of the same history.
    """

    params: Q
    speed: float
    times: float


def _leaving_at_orders(params: Geometric, leaving: float, frequency: float) -> Future[Geometric]:
    """A pace f times as fast is time that runs f times as fast: nothing but an order takes anybody away."""
    a, b = beta_geometric.scaled_chance(params.a, params.b, leaving)
    return Future(replace(params, a=a, b=b), speed=frequency, times=1.0)


def _leaving_any_time(params: ParetoNbdParams, leaving: float, frequency: float) -> Future[ParetoNbdParams]:
    """μ times c is time that runs c times as fast, in which λ, to which the orders are in proportion, is f/c of it."""
    return Future(params, speed=leaving, times=frequency / leaving)


def _leaves_at_order(params: Geometric, _t: float, x: ArrayLike, _T: ArrayLike) -> FloatArray:
    """Of living customers at the next order: E[p], p ~ Beta(a, b + x + m), m = 1 where the first order is a chance."""
    passed = np.asarray(x, dtype=np.float64) + (0.0 if isinstance(params, BgNbdParams) else 1.0)
    return np.asarray(params.a / (params.a + params.b + passed))


def _leaves_within(params: ParetoNbdParams, t: float, _x: ArrayLike, T: ArrayLike) -> FloatArray:
    """Of living customers within t: 1 - E[e^(-μt)], μ ~ Gamma(s, β + T)."""
    return np.asarray(-np.expm1(-params.s * np.log1p(t / (params.beta + np.asarray(T, dtype=np.float64)))))


@dataclass(frozen=True, slots=True)
class PurchaseModel(Generic[Q]):
    """One model's functions, each with the parameters first; named and documented in the model's own module."""

    name: str
    params: type[Q]
    fit: Callable[[Columns], Fit[Q]]  # raises fitting.DidNotConverge
    log_likelihood: Callable[[Q, Columns], float]  # total, time in the unit of the parameters
    p_alive: Callable[[Q, ArrayLike, ArrayLike, ArrayLike], FloatArray]  # x, t_x, T
    p_pause: Callable[[Q, ArrayLike, ArrayLike, ArrayLike], FloatArray]  # x, t_x, T
    p_silent: Callable[[Q, ArrayLike, ArrayLike, ArrayLike, ArrayLike], FloatArray]  # t, x, t_x, T
    p_silent_alive: Callable[[Q, ArrayLike, ArrayLike, ArrayLike], FloatArray]  # t, x, T
    expected_purchases: Callable[[Q, ArrayLike, ArrayLike, ArrayLike, ArrayLike], FloatArray]  # t, x, t_x, T
    expected_purchases_alive: Callable[[Q, ArrayLike, ArrayLike, ArrayLike], FloatArray]  # t, x, T
    unconditional_expected_purchases: Callable[[Q, ArrayLike], FloatArray]  # t
    pmf: Callable[[Q, ArrayLike, ArrayLike], FloatArray]  # x, t
    draw_orders: Callable[[Q, ArrayLike, ArrayLike, ArrayLike, np.random.Generator], NDArray[np.int64]]  # t, x, T, rng
    future: Callable[[Q, float, float], Future[Q]]  # factors > 0 on the chance to leave and on the pace
    leaves: Callable[[Q, float, ArrayLike, ArrayLike], FloatArray]  # t, x, T


_BG = PurchaseModel(
    name=BG_NBD,
    params=BgNbdParams,
    fit=lambda columns: bgnbd.fit(columns.tally()),
    log_likelihood=lambda params, columns: bgnbd.log_likelihood(params, *columns.times()),
    p_alive=bgnbd.p_alive,
    p_pause=bgnbd.p_pause,
    p_silent=bgnbd.p_silent,
    p_silent_alive=bgnbd.p_silent_alive,
    expected_purchases=bgnbd.expected_purchases,
    expected_purchases_alive=bgnbd.expected_purchases_alive,
    unconditional_expected_purchases=bgnbd.unconditional_expected_purchases,
    pmf=bgnbd.pmf,
    draw_orders=bgnbd.draw_orders,
    future=_leaving_at_orders,
    leaves=_leaves_at_order,
)
_MBG = PurchaseModel(
    name=MBG_NBD,
    params=MbgNbdParams,
    fit=lambda columns: mbgnbd.fit(columns.tally()),
    log_likelihood=lambda params, columns: mbgnbd.log_likelihood(params, *columns.times()),
    p_alive=mbgnbd.p_alive,
    p_pause=mbgnbd.p_pause,
    p_silent=mbgnbd.p_silent,
    p_silent_alive=mbgnbd.p_silent_alive,
    expected_purchases=mbgnbd.expected_purchases,
    expected_purchases_alive=mbgnbd.expected_purchases_alive,
    unconditional_expected_purchases=mbgnbd.unconditional_expected_purchases,
    pmf=mbgnbd.pmf,
    draw_orders=mbgnbd.draw_orders,
    future=_leaving_at_orders,
    leaves=_leaves_at_order,
)
_PARETO = PurchaseModel(
    name=PARETO_NBD,
    params=ParetoNbdParams,
    fit=lambda columns: pareto_nbd.fit(columns.triples()),
    log_likelihood=lambda params, columns: pareto_nbd.log_likelihood(params, *columns.times()),
    p_alive=pareto_nbd.p_alive,
    p_pause=pareto_nbd.p_pause,
    p_silent=pareto_nbd.p_silent,
    p_silent_alive=pareto_nbd.p_silent_alive,
    expected_purchases=pareto_nbd.expected_purchases,
    expected_purchases_alive=pareto_nbd.expected_purchases_alive,
    unconditional_expected_purchases=pareto_nbd.unconditional_expected_purchases,
    pmf=pareto_nbd.pmf,
    draw_orders=pareto_nbd.draw_orders,
    future=_leaving_any_time,
    leaves=_leaves_within,
)
_REGULAR = PurchaseModel(
    name=MBG_CNBD_K,
    params=MbgCnbdKParams,
    fit=lambda columns: mbg_cnbd_k.fit(columns.triples(), log_gaps=float(np.sum(columns.gaps()))),
    log_likelihood=lambda params, columns: mbg_cnbd_k.log_likelihood(params, *columns.times(), columns.gaps()),
    p_alive=mbg_cnbd_k.p_alive,
    p_pause=mbg_cnbd_k.p_pause,
    p_silent=mbg_cnbd_k.p_silent,
    p_silent_alive=mbg_cnbd_k.p_silent_alive,
    expected_purchases=mbg_cnbd_k.expected_purchases,
    expected_purchases_alive=mbg_cnbd_k.expected_purchases_alive,
    unconditional_expected_purchases=mbg_cnbd_k.unconditional_expected_purchases,
    pmf=mbg_cnbd_k.pmf,
    draw_orders=mbg_cnbd_k.draw_orders,
    future=_leaving_at_orders,
    leaves=_leaves_at_order,
)

MODELS: dict[str, PurchaseModel[Any]] = {model.name: model for model in (_BG, _MBG, _PARETO, _REGULAR)}
_BY_PARAMS: dict[type[Any], PurchaseModel[Any]] = {model.params: model for model in MODELS.values()}


def model_of(params: Params) -> PurchaseModel[Any]:
    """The model that these parameters belong to. Raises KeyError for parameters of another kind."""
    return _BY_PARAMS[type(params)]


def as_dict(params: Params) -> dict[str, Any]:
    """JSON-ready, with the model's name; `from_dict` reads it back to the same bits."""
    return {"model": model_of(params).name} | params.as_dict()


def from_dict(data: dict[str, Any]) -> Params:
    """The parameters that as_dict gave. Raises KeyError for an unknown model, TypeError for a missing figure."""
    figures = {name: value for name, value in data.items() if name != "model"}
    params: Params = MODELS[data["model"]].params(**figures)
    return params
