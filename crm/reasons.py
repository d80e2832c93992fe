"""Why a customer's risk band is what it is, in sentences. Figures in, words out: no query."""

from dataclasses import dataclass
from typing import Final

from django.utils import formats
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.clv import bands
from core import retelling

LONG_SILENCE: Final = 1.25  # usual gaps; below, the silence is what one expects


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One sentence; `lead` is its short form, `icon` a picture for it."""

    icon: str
    lead: str
    text: str


def of_nothing() -> list[Reason]:
    return [
        Reason(
            icon="info-circle",
            lead=_("No prediction."),
            text=_("Every order was returned, so there is nothing to predict from."),
        )
    ]


def of_band(
    *,
    band: str,
    silent_days: int,
    usual_gap_days: float | None,
    order_days: int,
    order_chance: float,
    normal_chance: float,
    silence_chance: float,
    p_alive: float | None,
    horizon_days: int,
    fallback: str,
) -> list[Reason]:
    """The pace, the chance of an order against the normal one, and the rule that makes the band of them.

    Chances are shares of one; `normal_chance` is that of someone with this pace who is certainly still a customer, and
    `silence_chance` says how often such a pace keeps silent for so long.
    """
    found = [
        _pace(silent_days=silent_days, usual_gap_days=usual_gap_days, order_days=order_days),
        _chance(order_chance=order_chance, normal_chance=normal_chance, horizon_days=horizon_days),
        _rule(band=band, left=order_chance / normal_chance if normal_chance else 1.0, silence=silence_chance),
    ]
    if p_alive is not None and order_days > 1:
        text = _("The chance that this is still a customer is %(chance)s in 100.") % {"chance": _in_100(p_alive)}
        found.insert(2, Reason(icon="heartbeat", lead=_("Still there?"), text=text))
    if fallback:
        why = {"reason": retelling.retold(fallback)}
        text = _("The shop's averages are used instead of a model: %(reason)s.") % why
        found.append(Reason(icon="info-circle", lead=_("Simple estimate."), text=text))
    return found


def _pace(*, silent_days: int, usual_gap_days: float | None, order_days: int) -> Reason:
    if usual_gap_days is None or order_days < 2:
        text = _("No pace of their own yet; %(days)s since the last order. The shop's pace counts.")
        return Reason(icon="clock", lead=_("One order so far."), text=text % {"days": _days(silent_days)})
    gap = max(1, round(usual_gap_days))
    lead = _("Usually every %(gap)s, now %(days)s since the last order.")
    lead %= {"gap": _days(gap), "days": _days(silent_days)}
    ratio = silent_days / usual_gap_days if usual_gap_days else 0.0
    if ratio < LONG_SILENCE:
        return Reason(icon="clock", lead=lead, text=_("The silence is no longer than usual."))
    text = _("That is %(ratio)s times the usual gap.") % {"ratio": formats.number_format(round(ratio, 1), 1)}
    return Reason(icon="clock", lead=lead, text=text)


def _chance(*, order_chance: float, normal_chance: float, horizon_days: int) -> Reason:
    lead = _("%(chance)s in 100 like this order within %(days)s.")
    text = _("With this pace, %(chance)s in 100 would if they were certainly still customers.")
    return Reason(
        icon="shopping-cart",
        lead=capfirst(lead % {"chance": _in_100(order_chance), "days": _days(horizon_days)}),
        text=text % {"chance": _in_100(normal_chance)},
    )


def _rule(*, band: str, left: float, silence: float) -> Reason:
    """The rule that decided: the share of the normal chance that is left, or a silence too rare for this pace."""
    by_share = "low" if left >= bands.LOW_FROM else "high" if left < bands.HIGH_BELOW else "medium"
    if by_share != band:
        lead = _("With this pace, %(chance)s in 100 stay silent for so long.")
        text = _("Below %(rare)s in 100 the risk is medium at least, below %(very_rare)s in 100 it is high.")
        rare, very_rare = round(100 * bands.RARE_SILENCE), round(100 * bands.VERY_RARE_SILENCE)
        return Reason(
            icon="scale", lead=lead % {"chance": _in_100(silence)}, text=text % {"rare": rare, "very_rare": very_rare}
        )
    lead = _("%(percent)s%% of the normal chance is left.") % {"percent": round(100 * min(left, 1.0))}
    rule = {
        "low": _("From %(low)s%% on the risk is low."),
        "medium": _("Between %(high)s%% and %(low)s%% the risk is medium."),
        "high": _("Below %(high)s%% the risk is high."),
    }[band]
    values = {"low": round(100 * bands.LOW_FROM), "high": round(100 * bands.HIGH_BELOW)}
    return Reason(icon="scale", lead=lead, text=rule % values)


def _in_100(chance: float) -> str:
    whole = round(100 * chance)
    return _("fewer than 1") if whole == 0 and chance > 0 else str(whole)


def _days(number: int) -> str:
    written = formats.number_format(number, 0, force_grouping=True)
    return ngettext("%(number)s day", "%(number)s days", number) % {"number": written}
