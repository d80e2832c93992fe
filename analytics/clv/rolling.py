"""The report cards of a choice: what its models would have said at each origin that it was made by, and what happened.

The models are those chosen today; beside them stand those of a month ago, at the same origins. All else is as it was
on the day: parameters are fitted to what was known on its evening, and corrections and intervals know only of origins
whose outcome was known by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from analytics.clv import backtest, levels, measures, report_card
from analytics.clv.backtest import Origin, OriginScores
from analytics.clv.choice import Choice
from analytics.clv.levels import Level, Seen
from analytics.clv.order_log import OrderLog
from analytics.clv.report_card import Card, Plain, Total
from analytics.clv.season import Season


def cards(log: OrderLog, chosen: Choice) -> list[Card]:
    """One card for each origin of the choice, oldest first; none for a choice that could not look back."""
    if not chosen.origins:
        return []
    orders, money = _orders_off(chosen), backtest.money_off(log, chosen.purchase, chosen.spend)
    splits = (backtest.split(log, Origin(one.day, one.horizon_days)) for one in chosen.origins)
    return [
        report_card.judge(found, as_of(chosen, one, orders=orders, money=money))
        for found, one in zip(splits, chosen.origins, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class LastMonth:
    """The models of a month ago, and what they would have said at each origin; None where they could not be fitted."""

    model: str
    spend_model: str
    said: list[Plain | None]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; from_dict reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "said": [Plain(**one) if one else None for one in data["said"]]})


def last_month(log: OrderLog, chosen: Choice, found: Sequence[Card], before: Choice) -> LastMonth:
    """What `before`, the choice of a month ago, makes of the origins of `chosen`, whose cards are `found`."""
    said: list[Plain | None] = [None] * len(found)
    if _models(before) == _models(chosen):
        said = [_plain(card) for card in found]
    elif all(before.purchase in one.purchase for one in chosen.origins):
        theirs = replace(chosen, purchase=before.purchase, spend=before.spend, season=before.season)
        said = [_plain(card) for card in cards(log, theirs)]
    return LastMonth(before.purchase, before.spend, said)


def _models(chosen: Choice) -> tuple[str, str, bool]:
    """What of a choice makes a difference on past days; corrections are learned anew for each."""
    return chosen.purchase, chosen.spend, chosen.season.is_known


def _plain(card: Card) -> Plain:
    return Plain(card.orders.predicted, card.spend.predicted if card.spend else None, card.mae)


def as_of(chosen: Choice, one: OriginScores, *, orders: Sequence[Seen], money: Sequence[Seen]) -> Choice:
    """The same models with what the evening of that origin knew. `orders` and `money` say how far origins were off."""
    known = [place for place, other in enumerate(chosen.origins) if other.day + other.horizon_days <= one.day]
    level = _learned(orders, one.day).factor * _season(chosen, one)
    return replace(
        chosen,
        origins=[chosen.origins[place] for place in known],
        reasons=[],
        season=Season(),
        level=Level(level, "", len(known)),
        spend_level=_learned(money, one.day),
        order_ratios=[chosen.order_ratios[place] for place in known],
        spend_ratios=[chosen.spend_ratios[place] for place in known],
        order_levels=[chosen.order_levels[place] for place in known],
        value_levels=[chosen.value_levels[place] for place in known],
    )


def _learned(seen: Sequence[Seen], day: int) -> Level:
    return levels.learn([one for one in seen if one.known_on <= day])


def _season(chosen: Choice, one: OriginScores) -> float:
    """What the season known on that day makes of the prediction; 1 where today's choice uses none."""
    return one.purchase[chosen.purchase].season if chosen.season.is_known else 1.0


def _orders_off(chosen: Choice) -> list[Seen]:
    """ln(actual / predicted) of the order days at each origin, before any correction but the season's."""
    return [
        Seen(
            one.day,
            one.day + one.horizon_days,
            measures.level(one.orders, one.purchase[chosen.purchase].predicted) - float(np.log(_season(chosen, one))),
        )
        for one in chosen.origins
    ]


def card_from(data: Mapping[str, Any]) -> Card:
    """What Card.as_dict gave, by way of JSON."""
    return Card(
        **{
            **data,
            "orders": Total(**data["orders"]),
            "spend": Total(**data["spend"]) if data["spend"] else None,
            "naive": Plain(**data["naive"]),
            "raw": Plain(**data["raw"]) if data["raw"] else None,
            "groups": [measures.Group(*group) for group in data["groups"]],
        }
    )
