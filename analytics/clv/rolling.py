"""The report cards of a choice: what its models would have said at each origin that it was made by, and what happened.

The models are those chosen today; beside them stand those of a month ago, at the same origins. All else is as it was
on the day: parameters are fitted to what was known on its evening, and corrections and intervals know only of origins
whose outcome was known by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

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
    orders, money = [chosen.off(one) for one in chosen.origins], backtest.money_off(log, chosen.purchase, chosen.spend)
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
    level, spend_level = _learned(orders, one.day), _learned(money, one.day)
    less = chosen.level.factor / level.factor  # what is known of errors today, over what was known then
    much_less = less * chosen.spend_level.factor / spend_level.factor
    return replace(
        chosen,
        origins=[chosen.origins[place] for place in known],
        reasons=[],
        season=Season(),
        consensus=chosen.factor_at(one),
        level=level,
        spend_level=spend_level,
        order_ratios=[chosen.order_ratios[place] * less for place in known],
        spend_ratios=[chosen.spend_ratios[place] * much_less for place in known],
        order_levels=[chosen.order_levels[place] for place in known],
        value_levels=[chosen.value_levels[place] for place in known],
    )


def _learned(seen: Sequence[Seen], day: int) -> Level:
    return levels.learn([one for one in seen if one.known_on <= day])


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
