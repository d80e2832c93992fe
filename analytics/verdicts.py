"""How far the figures can be trusted: a grade for each measure of the report card, by stated limits, and why.

Pure: cards and the calibration of the churn risk in, sentences in the reader's language out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from analytics.clv import churn, measures
from analytics.clv.report_card import Card, Total
from core.retelling import retold
from core.templatetags import ui

FEWEST: Final = 2  # past days: one alone may be chance
GOOD_OFF, FAIR_OFF = 0.10, 0.25
GOOD_ERROR, FAIR_ERROR = 0.90, 1.0  # times the baseline's
GOOD_HELD, FAIR_HELD = (0.75, 0.85), (0.65, 0.92)
ABOVE_SILENT: Final = 0.05  # where more order nothing than intervals are to hold, they hold all of those and some
GOOD_BRIER, FAIR_BRIER = 0.90, 1.0  # times what the average alone gets


class Grade(StrEnum):
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    UNKNOWN = "unknown"

    @property
    def label(self) -> Promise:
        return NAMES[self]


NAMES: Final[Mapping[Grade, Promise]] = {
    Grade.GOOD: lazy("Good"),
    Grade.FAIR: lazy("Fair"),
    Grade.POOR: lazy("Poor"),
    Grade.UNKNOWN: lazy("Cannot tell yet"),
}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is judged, in words."""

    label: Promise
    definition: Promise
    limits: Promise


MEASURES: Final[Mapping[str, Measure]] = {
    "orders": Measure(
        label=lazy("Level of orders"),
        definition=lazy(
            "Order days that were predicted for all customers together, beside those that came: how far apart they"
            " were on average, in either direction."
        ),
        limits=lazy("Good within 10%, fair within 25%."),
    ),
    "spend": Measure(
        label=lazy("Level of spend"),
        definition=lazy(
            "Money that was predicted for all customers together, beside what they spent: how far apart the two were on"
            " average, in either direction."
        ),
        limits=lazy("Good within 10%, fair within 25%."),
    ),
    "customers": Measure(
        label=lazy("Error per customer"),
        definition=lazy(
            "How many order days the prediction of one customer was off by on average (mean absolute error), beside a"
            " baseline that lets everyone go on at the pace so far."
        ),
        limits=lazy("Good at most 90% of the baseline's error, fair at most the same."),
    ),
    "intervals": Measure(
        label=lazy("Intervals"),
        definition=lazy(
            "The share of customers whose orders lay within their 80% interval. An interval cannot hold fewer than"
            " those who order nothing, so where they are more than 80%, a little more than their share is good."
        ),
        limits=lazy("Good from 75% to 85%, fair from 65% to 92%."),
    ),
    "risk": Measure(
        label=lazy("Churn risk"),
        definition=lazy(
            "The mean squared difference between the risk that was given and what happened (Brier score, 0 is perfect),"
            " on the latest past day, learned from the days before it; beside giving everyone the average."
        ),
        limits=lazy("Good at most 90% of what the average gets, fair below it."),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    slug: str
    grade: Grade
    sentence: str

    @property
    def measure(self) -> Measure:
        return MEASURES[self.slug]

    @property
    def grade_name(self) -> Promise:
        return NAMES[self.grade]


def judge(cards: Sequence[Card], learned: churn.Learned) -> list[Verdict]:
    """One verdict for each of MEASURES, in their order."""
    return [
        _level("orders", [card.orders for card in cards]),
        _level("spend", [card.spend for card in cards if card.spend is not None]),
        _error(cards),
        _intervals(cards),
        _risk(learned),
    ]


def overall(verdicts: Sequence[Verdict]) -> str:
    """One sentence for all of them: what the figures are good for."""
    grades = {verdict.grade for verdict in verdicts}
    poor = [str(verdict.measure.label) for verdict in verdicts if verdict.grade == Grade.POOR]
    if grades == {Grade.UNKNOWN}:
        return _("The past cannot tell yet how far the predictions can be trusted.")
    if poor:
        return _("Handle the predictions with care. Poor on past days: %(measures)s.") % {"measures": ", ".join(poor)}
    if Grade.FAIR in grades:
        return _("The predictions can be used to rank and to plan; leave a margin where a measure is only fair.")
    return _("The predictions have been right about this shop's past.")


def _unknown(slug: str, reason: str) -> Verdict:
    return Verdict(slug=slug, grade=Grade.UNKNOWN, sentence=reason)


def _too_few(slug: str, count: int) -> Verdict:
    found = ngettext(
        "%(count)s past day could be compared; it takes %(fewest)s.",
        "%(count)s past days could be compared; it takes %(fewest)s.",
        count,
    )
    return _unknown(slug, found % {"count": count, "fewest": FEWEST})


def _grade(value: float, good: float, fair: float) -> Grade:
    """The lower the better; on the limit counts as within it."""
    value = round(value, 9)
    return Grade.GOOD if value <= good else Grade.FAIR if value <= fair else Grade.POOR


def away(totals: Sequence[Total]) -> float:
    """How far predicted and actual were apart on average, as a share: 0.1 for 1.1 times as much, or as little."""
    return float(np.expm1(np.mean([abs(measures.level(one.predicted, one.actual)) for one in totals])))


def _level(slug: str, totals: Sequence[Total]) -> Verdict:
    if len(totals) < FEWEST:
        return _too_few(slug, len(totals))
    ratios = [float(np.exp(measures.level(one.predicted, one.actual))) for one in totals]
    off = away(totals)
    said = {"off": _off(off), "low": _times(min(ratios)), "high": _times(max(ratios)), "count": len(totals)}
    sentence = _(
        "%(off)s away from what happened on average: predicted at %(low)s to %(high)s times of it on %(count)s past"
        " days."
    )
    return Verdict(slug=slug, grade=_grade(off, GOOD_OFF, FAIR_OFF), sentence=sentence % said)


def _off(share: float) -> str:
    return ui.percent(share) if share < 10 else ">" + ui.percent(10)


def _times(ratio: float) -> str:
    return formats.number_format(ratio, 2) if ratio < 100 else ">100"


def _error(cards: Sequence[Card]) -> Verdict:
    if len(cards) < FEWEST:
        return _too_few("customers", len(cards))
    ours, naive = _mean([card.mae for card in cards]), _mean([card.naive_mae for card in cards])
    if naive <= 0:
        return _unknown("customers", _("The baseline was never wrong, so there is nothing to compare with."))
    said = {"ours": formats.number_format(ours, 2), "naive": formats.number_format(naive, 2)}
    sentence = _("Off by %(ours)s order days per customer; the baseline by %(naive)s.")
    return Verdict(slug="customers", grade=_grade(ours / naive, GOOD_ERROR, FAIR_ERROR), sentence=sentence % said)


def _intervals(cards: Sequence[Card]) -> Verdict:
    if len(cards) < FEWEST:
        return _too_few("intervals", len(cards))
    held, silent = _mean([card.coverage_80 for card in cards]), _mean([card.silent for card in cards])
    said = {"held": ui.percent(held), "silent": ui.percent(silent)}
    sentence = _("%(held)s of the customers lay within their 80%% interval; %(silent)s ordered nothing.")
    return Verdict(slug="intervals", grade=_held(held, silent), sentence=sentence % said)


def _held(held: float, silent: float) -> Grade:
    if _within(held, GOOD_HELD, silent):
        return Grade.GOOD
    return Grade.FAIR if _within(held, FAIR_HELD, silent) else Grade.POOR


def _within(held: float, limits: tuple[float, float], silent: float) -> bool:
    low, high = limits
    return low <= held <= max(high, min(silent + ABOVE_SILENT, 1.0))


def _risk(learned: churn.Learned) -> Verdict:
    average = average_brier(learned)
    if learned.brier is None or learned.brier_model is None or average is None:
        reason = retold(learned.calibration.reason) or _("It takes two past days, and there was one.")
        return _unknown("risk", reason[:1].upper() + reason[1:].rstrip(".") + ".")
    if average <= 0:
        return _unknown("risk", _("Everyone did the same, so that no risk could be told from another."))
    said = {
        "ours": formats.number_format(learned.brier, 3),
        "model": formats.number_format(learned.brier_model, 3),
        "average": formats.number_format(average, 3),
        "customers": formats.number_format(learned.tested_on, 0, force_grouping=True),
    }
    sentence = _(
        "Brier score %(ours)s on %(customers)s customers; the purchase model alone %(model)s, the average for everyone"
        " %(average)s."
    )
    return Verdict(slug="risk", grade=_brier_grade(learned.brier / average), sentence=sentence % said)


def _brier_grade(ratio: float) -> Grade:
    """No better than the average is poor."""
    return Grade.POOR if ratio >= FAIR_BRIER else _grade(ratio, GOOD_BRIER, FAIR_BRIER)


def average_brier(learned: churn.Learned) -> float | None:
    """What the share that did leave, given to everyone, would have got; None where nothing was tested."""
    customers = sum(part.customers for part in learned.curve)
    if not customers:
        return None
    left = sum(part.customers * part.happened for part in learned.curve) / customers
    return left * (1.0 - left)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def slipped(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The measures that are poor now and were good or fair before, of those that are still judged."""
    stood = (Grade.GOOD, Grade.FAIR)
    return [slug for slug in MEASURES if now.get(slug) == Grade.POOR and before.get(slug) in stood]
