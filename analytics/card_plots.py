"""What the page of the report card draws: each plot with the words that it says to who cannot see it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics import plots
from analytics.clv.report_card import Total
from analytics.plots import Pair, Range
from analytics.selectors.report_card import ReportCard
from core import money
from core.columns import Scale
from core.models import Business
from core.templatetags import ui

SMALL: Final = 10  # below it a tick has decimals


def of(card: ReportCard, *, business: Business) -> dict[str, SafeString]:
    """The plots by name; one that has nothing to show is left out."""
    drawn = {"orders": _orders(card), "deciles": _deciles(card), "gain": _gain(card)}
    if any(one.spend for one in card.cards):
        drawn["spend"] = _spend(card, business)
    if card.learned.curve:
        drawn["risk"] = _risk(card)
    return drawn


def name_of(day: date) -> str:
    """A past day under a plot: `Mar 25`."""
    return formats.date_format(day, pgettext("short month", "M y"))


def _orders(card: ReportCard) -> SafeString:
    label = _("Order days predicted and actual on each past day. The table has every figure.")
    return _totals([(one.day, one.card.orders) for one in card.days], write=money.compact, label=label)


def _spend(card: ReportCard, business: Business) -> SafeString:
    def write(amount: float) -> str:
        return money.short(amount, business.currency)

    label = _("Spend predicted and actual on each past day. The table has every figure.")
    return _totals([(one.day, one.spend) for one in card.days if one.spend], write=write, label=label)


def _totals(rows: Sequence[tuple[date, Total]], *, write: Callable[[float], str], label: str) -> SafeString:
    scale = plots.scale([value for _day, total in rows for value in (total.high, total.actual)])
    ranges = [
        Range(
            name=name_of(day),
            predicted=max(total.predicted, scale.low),
            low=total.low,
            high=total.high,
            actual=max(total.actual, scale.low),
            text=_("%(day)s: predicted %(said)s (%(low)s to %(high)s), actual %(was)s")
            % {
                "day": name_of(day),
                "said": write(total.predicted),
                "low": write(total.low),
                "high": write(total.high),
                "was": write(total.actual),
            },
        )
        for day, total in rows
    ]
    return plots.ranges(ranges, scale=scale, ticks=[(tick, write(tick)) for tick in scale.ticks], label=label)


def _deciles(card: ReportCard) -> SafeString:
    scale = plots.scale([value for group in card.groups for value in (group.predicted, group.actual)])
    pairs = [
        Pair(
            name=str(place),
            predicted=group.predicted,
            actual=group.actual,
            text=_("Tenth %(place)s: predicted %(said)s, actual %(was)s")
            % {"place": place, "said": _number(group.predicted), "was": _number(group.actual)},
        )
        for place, group in enumerate(card.groups, start=1)
    ]
    label = _("Order days per customer by tenth of the prediction, predicted and actual. The table has every figure.")
    return plots.pairs(pairs, scale=scale, ticks=_ticks(scale), label=label)


def _ticks(scale: Scale) -> list[tuple[float, str]]:
    return [(tick, _number(tick) if 0 < scale.high < SMALL else money.compact(tick)) for tick in scale.ticks]


def _number(value: float) -> str:
    return formats.number_format(value, 1 if value >= 1 else 2)


def _gain(card: ReportCard) -> SafeString:
    shares = [0.0, *card.gain]
    points = [(place / max(len(card.gain), 1), share) for place, share in enumerate(shares)]
    label = _("Share of all order days by share of customers, the best predicted first. The table has every figure.")
    return plots.curve(points, dots=False, names=_shares(), label=label)


def _risk(card: ReportCard) -> SafeString:
    points = [(part.said, part.happened) for part in card.learned.curve]
    label = _("Customers who left by the risk that was given to them. The table has every figure.")
    return plots.curve(points, dots=True, names=_shares(), label=label)


def _shares() -> list[str]:
    return [ui.percent(share) for share in plots.SHARES]
