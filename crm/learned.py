"""What a night learned about the shop, in rows of a name and a value. Pure: the run's JSON in, words out."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.templatetags import ui

PURCHASE: Final = {"r": "r", "alpha": "α", "a": "a", "b": "b"}
SPEND: Final = {"p": "p", "q": "q", "gamma": "γ"}


def rows(fitted: Mapping[str, Any], settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The models with their parameters, and the figures of the shop that stand in for them."""
    found = [(_("Purchases"), fitted["model"]), _parameters(fitted["purchase"], PURCHASE)]
    found.append((_("Spend per order"), fitted["spend_model"]))
    if fitted["gamma_gamma"]:
        found.append(_parameters(fitted["gamma_gamma"], SPEND))
    return [
        *found,
        (_("Customers"), formats.number_format(fitted["n"], 0, force_grouping=True)),
        (_("Bought again"), formats.number_format(fitted["repeat_customers"], 0, force_grouping=True)),
        (_("Margin rate"), ui.percent(fitted["margin_rate"], 1)),
        (_("Leaving means"), _leaving(settings["churn_horizon_days"])),
    ]


def _leaving(days: int) -> str:
    return ngettext("%(number)s day without an order", "%(number)s days without an order", days) % {"number": days}


def _parameters(values: Mapping[str, float], names: Mapping[str, str]) -> tuple[str, str]:
    """The parameters of a model in the order of its paper: `r, α, a, b` and `1.74, 14.7, 0.321, 0.677`."""
    return ", ".join(names.values()), ", ".join(f"{values[name]:.3g}" for name in names)
