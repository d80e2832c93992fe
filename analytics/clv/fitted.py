"""What a night learned about a shop, and its JSON form."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from analytics.clv.params import BgNbdParams, Fit, GammaGammaParams, MbgNbdParams, fit_from_dict

MBG_NBD, SHOP_AVERAGES = "MBG/NBD", "Shop averages"
GAMMA_GAMMA, SHRUNKEN_MEAN = "Gamma-Gamma", "Shrunken mean"
TYPED = ("purchase", "bgnbd", "mbgnbd", "gamma_gamma")


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything that scoring needs, and what was fitted on the way."""

    unit: ClassVar[str] = "weeks"

    model: str  # MBG_NBD or SHOP_AVERAGES
    reason: str  # why the shop's averages are used; empty otherwise
    n: int  # customers with an order that stands
    repeat_customers: int
    purchase: MbgNbdParams  # what scoring uses
    bgnbd: Fit[BgNbdParams] | None
    mbgnbd: Fit[MbgNbdParams] | None
    spend_model: str  # GAMMA_GAMMA or SHRUNKEN_MEAN
    spend_reason: str
    gamma_gamma: Fit[GammaGammaParams] | None
    mean_spend: float  # net revenue per order day, capped
    margin_rate: float  # of the shop

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; from_dict reads it back to the same bits."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in TYPED}
        return plain | {
            "unit": self.unit,
            "purchase": self.purchase.as_dict(),
            "bgnbd": self.bgnbd and self.bgnbd.as_dict(),
            "mbgnbd": self.mbgnbd and self.mbgnbd.as_dict(),
            "gamma_gamma": self.gamma_gamma and self.gamma_gamma.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """What as_dict gave. Raises KeyError for a missing figure, ValueError for another unit of time."""
        if data["unit"] != cls.unit:
            raise ValueError(f"parameters must be in {cls.unit}, not in {data['unit']}")
        return cls(
            **{name: data[name] for name in cls.__slots__ if name not in TYPED},
            purchase=MbgNbdParams(**data["purchase"]),
            bgnbd=fit_from_dict(BgNbdParams, data["bgnbd"]),
            mbgnbd=fit_from_dict(MbgNbdParams, data["mbgnbd"]),
            gamma_gamma=fit_from_dict(GammaGammaParams, data["gamma_gamma"]),
        )
