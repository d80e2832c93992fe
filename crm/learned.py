"""What a night learned about the shop, in rows of a name and a value. Pure: the run's JSON in, words out."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.clv import fitted
from core import retelling
from core.templatetags import ui

GREEK: Final = {"alpha": "α", "beta": "β", "gamma": "γ"}
WORDS: Final = {  # parameters and models that are named by words
    "mean_spend": gettext_lazy("mean order"),
    "median": gettext_lazy("median order"),
    "within": gettext_lazy("spread of a customer's orders"),
    "between": gettext_lazy("spread between customers"),
    "first": gettext_lazy("first orders over later ones"),
    "balance": gettext_lazy("balance"),
    "mean": gettext_lazy("mean order"),
    "first_money": gettext_lazy("first orders over later ones, in money"),
    "evenness": gettext_lazy("evenness"),
    "Credibility": gettext_lazy("Credibility"),
    "Log-normal": gettext_lazy("Log-normal"),
    "Shrunken mean": gettext_lazy("Shrunken mean"),
    "Shop averages": gettext_lazy("Shop averages"),
}


def rows(
    learned: Mapping[str, Any], settings: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]] = ()
) -> list[tuple[str, str]]:
    """The models with their parameters, and figures of the shop that stand in for them. `kinds`: the run's cells."""
    return [
        (_("Purchases"), called(learned["model"])),
        *_parameters(learned["purchase"]),
        *_by_cell(learned.get("cells", {}), kinds),
        (_("Spend per order"), called(learned["spend"]["model"])),
        *_parameters(learned["spend"]),
        (_("Customers"), formats.number_format(learned["n"], 0, force_grouping=True)),
        (_("Bought again"), formats.number_format(learned["repeat_customers"], 0, force_grouping=True)),
        (_("Margin rate"), ui.percent(learned["margin_rate"], 1)),
        (_("Leaving means"), _leaving(settings["churn_horizon_days"])),
    ]


def _by_cell(found: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The parameters of customers alike, or why all have the same."""
    if found.get("reason"):
        yield (
            _("By channel, category and kind"),
            _("as all: %(reason)s") % {"reason": retelling.retold(found["reason"])},
        )
    names = [_("all others"), *(_kind(kind) for kind in kinds)]
    for name, customers, params in zip(names, found.get("customers", ()), found.get("params", ()), strict=False):
        if customers:
            yield name, _parameters(params)[0][1]


def _kind(kind: Mapping[str, Any]) -> str:
    """“Search, Tea, companies”: what customers of the cell have in common."""
    parts = []
    if kind["channel"] is not None:
        parts.append(kind["channel"] or _("no channel"))
    if kind["category"] is not None:
        parts.append(kind["name"] or _("no category"))
    if kind["company"] is not None:
        parts.append(_("companies") if kind["company"] else _("people"))
    return ", ".join(parts)


def called(name: str) -> str:
    """A model's or a parameter's name as people read it."""
    return str(WORDS.get(name, name))


def _leaving(days: int) -> str:
    return ngettext("%(number)s day without an order", "%(number)s days without an order", days) % {"number": days}


def _parameters(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parameters of a model in the order of its paper, letters in one row: `r · α · a · b` and `1.74 · 14.7 ·
    0.321 · 0.677`. Where some are named by words, each has a row of its own."""
    named = {name: formats.number_format(Decimal(f"{values[name]:.3g}")) for name in fitted.symbols(values["model"])}
    if any(name in WORDS for name in named):
        return [(called(name), value) for name, value in named.items()]
    return [(" · ".join(GREEK.get(name, name) for name in named), " · ".join(named.values()))]
