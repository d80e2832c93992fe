"""What a night learned about a shop, and its JSON form."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

from analytics.clv import churn, intervals, purchase, spend
from analytics.clv.covariates import ALIKE, ByCell
from analytics.clv.intervals import Widths
from analytics.clv.params import Fit, GammaGammaParams, fit_from_dict

SHOP_AVERAGES = "Shop averages"
TYPED = ("purchase", "fits", "spend", "gamma_gamma", "levels", "widths", "calibration", "cells")


def symbols(model: str) -> tuple[str, ...]:
    """The parameters' names of a purchase or spend model in the order of its paper. Raises KeyError."""
    kind = spend.MODELS[model].kind if model in spend.MODELS else purchase.MODELS[model].params
    return tuple(each.name for each in fields(kind))


@dataclass(frozen=True, slots=True)
class Levels:
    """Factors on what the models expect, where the shop's own past shows that they help; 1 changes nothing."""

    orders: float = 1.0
    spend: float = 1.0

    def as_dict(self) -> dict[str, float]:
        return {"orders": self.orders, "spend": self.spend}


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything that scoring needs, and what was fitted on the way."""

    unit: ClassVar[str] = "weeks"

    model: str  # the purchase model that scoring uses, or SHOP_AVERAGES
    reason: str  # why it is not the model that was asked for; empty otherwise
    n: int  # customers with an order that stands
    repeat_customers: int
    purchase: purchase.Params  # what scoring uses
    fits: Mapping[str, Fit[Any]]  # purchase models by name: BG/NBD and MBG/NBD for the record, and the one in use
    corrected: Mapping[str, dict[str, Any]]  # BG/NBD and MBG/NBD freed of the grain of a day, see grain.py
    spend: spend.SpendFit  # what scoring uses
    spend_reason: str  # why it is not the model that was asked for; empty otherwise
    gamma_gamma: Fit[GammaGammaParams] | None  # for the record
    mean_spend: float  # net revenue per order day, capped
    margin_rate: float  # of the shop
    levels: Levels = field(default_factory=Levels)
    widths: Widths | None = None  # of the intervals for the horizon; None for a shop without customers
    calibration: churn.Calibration | None = None  # of the churn risk; without it the purchase model's own chance stands
    cells: ByCell = ALIKE  # what scoring uses instead of `purchase`, where it has parameters

    @property
    def each(self) -> tuple[Self, ...]:
        """By cell, with its parameters as `purchase`; this alone where they are the same for all."""
        moved = (self.widths and intervals.moved(self.widths, self.purchase, one) for one in self.cells.params)
        pairs = zip(self.cells.params, moved, strict=True)
        return tuple(replace(self, purchase=one, widths=widths, cells=ALIKE) for one, widths in pairs) or (self,)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; from_dict reads it back to the same bits."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in TYPED}
        return plain | {
            "unit": self.unit,
            "purchase": purchase.as_dict(self.purchase),
            "fits": {name: found.as_dict() for name, found in self.fits.items()},
            "spend": self.spend.as_dict(),
            "gamma_gamma": self.gamma_gamma and self.gamma_gamma.as_dict(),
            "levels": self.levels.as_dict(),
            "widths": self.widths and self.widths.as_dict(),
            "calibration": self.calibration and self.calibration.as_dict(),
            "cells": self.cells.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """What as_dict gave. Raises KeyError for a missing figure, ValueError for another unit of time."""
        if data["unit"] != cls.unit:
            raise ValueError(f"parameters must be in {cls.unit}, not in {data['unit']}")
        return cls(
            **{name: data[name] for name in cls.__slots__ if name not in TYPED},
            purchase=purchase.from_dict(data["purchase"]),
            fits={name: fit_from_dict(purchase.MODELS[name].params, found) for name, found in data["fits"].items()},
            spend=spend.SpendFit.from_dict(data["spend"]),
            gamma_gamma=data["gamma_gamma"] and fit_from_dict(GammaGammaParams, data["gamma_gamma"]),
            levels=Levels(**data["levels"]),
            widths=data["widths"] and Widths.from_dict(data["widths"]),
            calibration=data["calibration"] and churn.Calibration.from_dict(data["calibration"]),
            cells=ByCell.from_dict(data["cells"]) if "cells" in data else ALIKE,  # earlier engines knew none
        )
