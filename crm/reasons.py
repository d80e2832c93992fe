"""Why a customer's risk band is what it is, in sentences. Pure: figures in, words out."""

from dataclasses import dataclass
from typing import Final

from analytics.clv import bands

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
            lead="No prediction.",
            text="Every order was returned, so there is nothing to predict from.",
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
        text = f"The chance that this is still a customer is {_in_100(p_alive)} in 100."
        found.insert(2, Reason(icon="heartbeat", lead="Still there?", text=text))
    if fallback:
        text = f"The shop's averages are used instead of a model: {fallback}."
        found.append(Reason(icon="info-circle", lead="Simple estimate.", text=text))
    return found


def _pace(*, silent_days: int, usual_gap_days: float | None, order_days: int) -> Reason:
    now = f"{_days(silent_days)} since the last order"
    if usual_gap_days is None or order_days < 2:
        return Reason(
            icon="clock", lead="One order so far.", text=f"No pace of their own yet; {now}. The shop's pace counts."
        )
    gap = max(1, round(usual_gap_days))
    lead = f"Usually every {_days(gap)}, now {now}."
    ratio = silent_days / usual_gap_days if usual_gap_days else 0.0
    if ratio < LONG_SILENCE:
        return Reason(icon="clock", lead=lead, text="The silence is no longer than usual.")
    return Reason(icon="clock", lead=lead, text=f"That is {ratio:.1f} times the usual gap.")


def _chance(*, order_chance: float, normal_chance: float, horizon_days: int) -> Reason:
    return Reason(
        icon="shopping-cart",
        lead=f"{_in_100(order_chance).capitalize()} in 100 like this order within {horizon_days} days.",
        text=f"With this pace, {_in_100(normal_chance)} in 100 would if they were certainly still customers.",
    )


def _rule(*, band: str, left: float, silence: float) -> Reason:
    """The rule that decided: the share of the normal chance that is left, or a silence too rare for this pace."""
    by_share = "low" if left >= bands.LOW_FROM else "high" if left < bands.HIGH_BELOW else "medium"
    if by_share != band:
        rare, very_rare = round(100 * bands.RARE_SILENCE), round(100 * bands.VERY_RARE_SILENCE)
        return Reason(
            icon="scale",
            lead=f"With this pace, {_in_100(silence)} in 100 stay silent for so long.",
            text=f"Below {rare} in 100 the risk is medium at least, below {very_rare} in 100 it is high.",
        )
    share = f"{round(100 * min(left, 1.0))}% of the normal chance is left"
    low, high = round(100 * bands.LOW_FROM), round(100 * bands.HIGH_BELOW)
    rule = {
        "low": f"From {low}% on the risk is low.",
        "medium": f"Between {high}% and {low}% the risk is medium.",
        "high": f"Below {high}% the risk is high.",
    }[band]
    return Reason(icon="scale", lead=f"{share}.", text=rule)


def _in_100(chance: float) -> str:
    whole = round(100 * chance)
    return "fewer than 1" if whole == 0 and chance > 0 else str(whole)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"
