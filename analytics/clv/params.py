"""The parameters of the models, with the papers' symbols, and what a fit found."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Positive:
    """Parameters that are all finite and above zero."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{field.name} must be finite and above zero, not {value!r}")

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class BgNbdParams(_Positive):
    """Orders come at rate λ ~ Gamma(r, α); after each repeat order she leaves with p ~ Beta(a, b).

    α is in the unit of time of the data it was fitted to.
    """

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class MbgNbdParams(_Positive):
    """As BG/NBD, but the chance to leave comes after the first order too."""

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class ParetoNbdParams(_Positive):
    """Orders come at rate λ ~ Gamma(r, α); she leaves unseen at rate μ ~ Gamma(s, β).

    α and β are in the unit of time of the data they were fitted to.
    """

    r: float
    alpha: float
    s: float
    beta: float


@dataclass(frozen=True, slots=True)
class MbgCnbdKParams(_Positive):
    """As MBG/NBD, but each gap is the sum of k steps that come at rate λ: the larger k, the more regular."""

    k: int
    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        super(MbgCnbdKParams, self).__post_init__()
        if self.k != int(self.k):
            raise ValueError(f"k must be a whole number, not {self.k!r}")


@dataclass(frozen=True, slots=True)
class GammaGammaParams(_Positive):
    """One order's spend ~ Gamma(p, rate) with rate ~ Gamma(q, γ); γ is in the unit of money."""

    p: float
    q: float
    gamma: float


@dataclass(frozen=True, slots=True)
class LogNormalParams(_Positive):
    """ln of an order ~ N(m, within), m ~ N(ln median, between); see log_normal.py."""

    median: float  # money
    within: float  # variances of logarithms
    between: float
    first: float  # first orders over later ones
    balance: float  # what repeat orders brought over what the formula says


@dataclass(frozen=True, slots=True)
class CredibilityParams(LogNormalParams):
    """(S + k · mean) / (c + k) for c orders worth S, times `evenness`; see credibility.py."""

    mean: float  # money
    k: float  # orders
    first_money: float  # first orders over later ones, in money
    evenness: float  # as balance


@dataclass(frozen=True, slots=True)
class SbgParams(_Positive):
    """Each customer cancels at a renewal with the chance θ ~ Beta(α, β)."""

    alpha: float
    beta: float


@dataclass(frozen=True, slots=True)
class BgBbParams(_Positive):
    """An opportunity is taken with p ~ Beta(α, β); before each she has left with θ ~ Beta(γ, δ)."""

    alpha: float
    beta: float
    gamma: float
    delta: float


P = TypeVar("P", bound=_Positive)


@dataclass(frozen=True, slots=True)
class Fit(Generic[P]):
    """Parameters at the maximum of the likelihood."""

    params: P
    log_likelihood: float  # summed over customers
    customers: int
    evaluations: int

    def as_dict(self) -> dict[str, float]:
        """JSON-ready; `fit_from_dict` reads it back."""
        return self.params.as_dict() | {name: getattr(self, name) for name in FIGURES}


FIGURES = ("log_likelihood", "customers", "evaluations")


def fit_from_dict(kind: type[P], data: dict[str, Any]) -> Fit[P]:
    """What Fit.as_dict gave. Raises KeyError for a missing figure."""
    params = kind(**{field.name: data[field.name] for field in fields(kind)})
    return Fit(params, **{name: data[name] for name in FIGURES})
