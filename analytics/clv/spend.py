"""The models of spend by name: what an order of a customer will bring.

Each is fitted to a History alone, or refuses with its reason; each gives the net revenue to expect of a future order
day of every customer, and random totals of several of them. PREFERENCE is the order in which a shop should try them as
long as its own past does not say otherwise (docs/models.md).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from analytics.clv import averages, credibility, fitting, gamma_gamma, log_normal
from analytics.clv.history import History
from analytics.clv.params import CredibilityParams, FloatArray, GammaGammaParams, LogNormalParams

CREDIBILITY, LOG_NORMAL, GAMMA_GAMMA, SHRUNKEN_MEAN = "Credibility", "Log-normal", "Gamma-Gamma", "Shrunken mean"
FARTHEST_MEAN = 3.0  # a model that expects further than this factor from the shop's mean order is not used
SAMPLE = 50_000  # customers whose mean order is compared
USUAL_WITHIN, USUAL_BETWEEN = 0.5, 0.35  # variances of ln v where a shop is too small to tell, for random totals only


@dataclass(frozen=True, slots=True)
class ShrunkenMeanParams:
    """The shop's mean order, capped (averages.py); 0 without money."""

    mean_spend: float


Params = CredibilityParams | LogNormalParams | GammaGammaParams | ShrunkenMeanParams


@dataclass(frozen=True, slots=True)
class SpendFit:
    """What one model learned."""

    name: str
    params: Params
    customers: int  # who bought again

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; from_dict reads it back to the same bits."""
        return {"model": self.name, "customers": self.customers} | asdict(self.params)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """What as_dict gave. Raises KeyError for an unknown model or a missing figure."""
        kind = MODELS[data["model"]].kind
        return cls(data["model"], kind(**{field.name: data[field.name] for field in fields(kind)}), data["customers"])


@dataclass(frozen=True, slots=True)
class SpendModel:
    """One model's functions."""

    kind: type[Any]
    fewest: int  # customers who bought again that it needs
    fit: Callable[[History], Any]
    expected_spend: Callable[[Any, History], FloatArray]
    draw_spend: Callable[[Any, NDArray[np.integer[Any]], History, np.random.Generator], FloatArray]


def fit(name: str, history: History) -> SpendFit:
    """Fit the named model. Raises fitting.DidNotConverge with the reason why the shop should not use it."""
    model = MODELS[name]
    known = _known(history)
    bought_again = int(np.count_nonzero(known.order_days > 1))
    if bought_again < model.fewest:
        raise fitting.DidNotConverge(f"customers who bought again: {bought_again}, but {name} needs {model.fewest}")
    try:
        params = model.fit(known)
    except fitting.DidNotConverge as problem:
        raise fitting.DidNotConverge(f"{name}: {problem}") from problem
    _check(name, params, known)
    return SpendFit(name, params, bought_again)


def preferred(history: History) -> tuple[SpendFit, str]:
    """The first model by PREFERENCE that can be fitted, and why those before it could not; never raises."""
    reasons: list[str] = []
    for name in PREFERENCE:
        try:
            return fit(name, history), "; ".join(reasons)
        except fitting.DidNotConverge as problem:
            reasons.append(str(problem))
    return fit(SHRUNKEN_MEAN, history), "; ".join(reasons)


def expected_spend(params: Params, history: History) -> FloatArray:
    """Net revenue to expect of each customer's next order day: finite, ≥ 0, each row by itself."""
    return _model(params).expected_spend(params, history)


def draw_spend(
    params: Params, orders: NDArray[np.integer[Any]], history: History, rng: np.random.Generator
) -> FloatArray:
    """Random net revenue of `orders` future order days of each customer; its mean is orders · expected_spend."""
    return _model(params).draw_spend(params, orders, history, rng)


def typical(params: Params, order_days: NDArray[np.integer[Any]]) -> History:
    """Customers with so many order days, each of which brought what is expected of a newcomer."""
    days = np.asarray(order_days, dtype=np.int32)
    each = max(float(expected_spend(params, NEWCOMER)[0]), 1e-9)
    x = (days - 1).astype(np.float64)
    return History(
        order_days=days,
        first_age=np.minimum(days - 1, 1),
        last_age=np.zeros_like(days),
        value=each * (x + 1.0),
        repeat_value=each * x,
        margin=np.zeros_like(x),
        paid_days=days - 1,
        log_value=x * float(np.log(each)),
        log_value_sq=x * float(np.log(each)) ** 2,
    )


def mean_spend(history: History) -> float:
    """The shop's mean net revenue of an order day, each customer's at most at ten times the median."""
    known = _known(history)
    return averages.capped_mean(known.value / known.order_days, known.order_days)


def _known(history: History) -> History:
    """Those with an order that stands."""
    rows = np.flatnonzero(history.order_days > 0)
    return history if rows.size == history.order_days.size else history.take(rows)


def _model(params: Params) -> SpendModel:
    return next(model for model in MODELS.values() if model.kind is type(params))


def _check(name: str, params: Params, known: History) -> None:
    """Refuse a model that expects something else of these customers' orders than they brought."""
    if name == SHRUNKEN_MEAN:
        return
    if isinstance(params, GammaGammaParams) and params.q <= 1.0:
        raise fitting.DidNotConverge(
            f"{name}: q = {params.q:.3g} ≤ 1, so that the mean spend of all customers does not exist"
        )
    shop = mean_spend(known.take(np.arange(0, known.order_days.size, 1 + known.order_days.size // SAMPLE)))
    newcomer = float(expected_spend(params, NEWCOMER)[0])
    if not shop / FARTHEST_MEAN <= newcomer <= shop * FARTHEST_MEAN:
        raise fitting.DidNotConverge(f"{name}: its mean of {newcomer:.4g} an order is far from the shop's {shop:.4g}")


def _zbar(history: History) -> tuple[FloatArray, FloatArray]:
    """x and z̄; money taken back counts as none."""
    x = np.maximum(history.order_days - 1, 0).astype(np.float64)
    return x, np.divide(np.maximum(history.repeat_value, 0.0), x, out=np.zeros(x.size), where=x > 0)


def _gamma_gamma_fit(history: History) -> GammaGammaParams:
    return gamma_gamma.fit(*_zbar(history)).params


def _gamma_gamma_spend(params: GammaGammaParams, history: History) -> FloatArray:
    return gamma_gamma.expected_spend(params, *_zbar(history))


def _gamma_gamma_draw(
    params: GammaGammaParams, orders: NDArray[np.integer[Any]], history: History, rng: np.random.Generator
) -> FloatArray:
    x, zbar = _zbar(history)
    rate = rng.gamma(params.q + params.p * x) / (params.gamma + x * zbar)
    return np.asarray(rng.gamma(params.p * orders) / rate)


def _shrunken_fit(history: History) -> ShrunkenMeanParams:
    return ShrunkenMeanParams(mean_spend(history))


def _shrunken_spend(params: ShrunkenMeanParams, history: History) -> FloatArray:
    x = np.maximum(history.order_days - 1, 0)
    return averages.shrunken_spend(params.mean_spend, x, np.maximum(history.repeat_value, 0.0))


def _shrunken_draw(
    params: ShrunkenMeanParams, orders: NDArray[np.integer[Any]], history: History, rng: np.random.Generator
) -> FloatArray:
    known = np.maximum(history.order_days, 1) * USUAL_BETWEEN / USUAL_WITHIN
    return log_normal.totals(_shrunken_spend(params, history), USUAL_BETWEEN / (1.0 + known), USUAL_WITHIN, orders, rng)


_NONE, _NOTHING = np.zeros(1, dtype=np.int32), np.zeros(1)
NEWCOMER = History(_NONE, _NONE, _NONE, _NOTHING, _NOTHING, _NOTHING)  # nothing is known of her

MODELS = {
    CREDIBILITY: SpendModel(CredibilityParams, 50, credibility.fit, credibility.expected_spend, credibility.draw_spend),
    LOG_NORMAL: SpendModel(LogNormalParams, 50, log_normal.fit, log_normal.expected_spend, log_normal.draw_spend),
    GAMMA_GAMMA: SpendModel(GammaGammaParams, 200, _gamma_gamma_fit, _gamma_gamma_spend, _gamma_gamma_draw),
    SHRUNKEN_MEAN: SpendModel(ShrunkenMeanParams, 0, _shrunken_fit, _shrunken_spend, _shrunken_draw),
}
PREFERENCE = (CREDIBILITY, LOG_NORMAL, GAMMA_GAMMA, SHRUNKEN_MEAN)
