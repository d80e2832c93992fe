"""The report card of the current night: verdicts, what was said on past days, and the models beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from analytics import verdicts
from analytics.clv import backtest, churn, measures, purchase, spend
from analytics.clv.choice import Choice
from analytics.clv.measures import Group
from analytics.clv.report_card import Card, Plain, Total
from analytics.clv.rolling import LastMonth
from analytics.models import DayTotals
from analytics.services import choices
from analytics.verdicts import Grade, Measure, Verdict
from core import money
from core.models import Run

NAIVE: Final = "naive"
RAW: Final = f"{purchase.BG_NBD} + {spend.GAMMA_GAMMA}"
MOST: Final = choices.SAMPLE
MONTHS, NIGHTS = 12, 32  # look backs shown, and nights of a month at most
SHORTEST: Final = 3 * backtest.SHORTEST  # days of history that looking back takes


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One model over the past days: predicted / actual on each, None where it could not be fitted."""

    name: str
    is_used: bool
    is_last_months: bool = False
    ratios: Sequence[float | None]
    off: float | None  # as verdicts.away
    mae: float | None  # order days per customer, over the days it could be fitted on
    why_out: str = ""


@dataclass(frozen=True, kw_only=True)
class PastDay:
    """One card for a page: its day, and its money in minor units."""

    day: date
    card: Card
    spend: Total | None


@dataclass(frozen=True, kw_only=True)
class ReportCard:
    as_of: date
    until: date  # looked back from here
    choice: Choice
    cards: Sequence[Card]  # oldest first
    learned: churn.Learned
    last_month: LastMonth | None
    one_in: int  # of how many customers one was looked at: 1 unless there are more than MOST
    verdicts: Sequence[Verdict]
    is_kept: bool  # False for a night from before cards were kept
    currency: str

    @property
    def overall(self) -> str:
        return verdicts.overall(self.verdicts)

    @property
    def days(self) -> list[PastDay]:
        unit = 10 ** money.exponent(self.currency)
        return [
            PastDay(day=date.fromisoformat(one.origin), card=one, spend=_times(one.spend, unit)) for one in self.cards
        ]

    @property
    def groups(self) -> list[Group]:
        """Tenths of the customers by rising prediction, all past days together."""
        return together([card.groups for card in self.cards])

    @property
    def gain(self) -> list[float]:
        return measures.gain(self.groups)

    @property
    def gini(self) -> float | None:
        return float(np.mean([card.gini for card in self.cards])) if self.cards else None


def read(run: Run) -> ReportCard | None:
    """None for a night that has not looked back."""
    if "look_back" not in run.model:
        return None
    cards, learned = choices.cards_of(run), choices.churn_of(run)
    return ReportCard(
        as_of=run.as_of,
        until=date.fromisoformat(run.model["look_back"]["key"]["until"]),
        choice=choices.choice_of(run),
        cards=cards,
        learned=learned,
        last_month=choices.last_month_of(run),
        one_in=choices.one_in(run),
        verdicts=verdicts.judge(cards, learned),
        is_kept="cards" in run.model["look_back"],
        currency=run.settings["currency"],
    )


def _times(total: Total | None, unit: int) -> Total | None:
    return Total(*(unit * each for each in (total.predicted, total.low, total.high, total.actual))) if total else None


def together(found: Sequence[Sequence[Group]]) -> list[Group]:
    """Group by group over the days that have as many groups as most."""
    most = max((len(groups) for groups in found), default=0)
    return [_sum(parts) for parts in zip(*(groups for groups in found if len(groups) == most), strict=True)]


def _sum(parts: Sequence[Group]) -> Group:
    weights = [part.customers for part in parts]
    predicted = float(np.average([part.predicted for part in parts], weights=weights))
    return Group(sum(weights), predicted, float(np.average([part.actual for part in parts], weights=weights)))


def order_models(card: ReportCard) -> list[Compared]:
    """The used model and that of a month ago as they were corrected, the baseline, and every model as it was fitted."""
    origins = card.choice.origins
    naive = {NAIVE: [one.naive for one in origins]}
    models = naive | {name: [one.purchase.get(name) for one in origins] for name in purchase.MODELS}
    used = Compared(
        name=card.choice.purchase,
        is_used=True,
        ratios=[ratio(one.orders.predicted, one.orders.actual) for one in card.cards],
        off=verdicts.away([one.orders for one in card.cards]),
        mae=float(np.mean([one.mae for one in card.cards])),
    )
    return [used, *_last_months(card), *(_compared(name, scores, card.choice) for name, scores in models.items())]


def _last_months(card: ReportCard) -> list[Compared]:
    if card.last_month is None:
        return []
    known = [(said, one.orders.actual) for said, one in _said_last_month(card) if said]
    return [
        Compared(
            name=card.last_month.model,
            is_used=False,
            is_last_months=True,
            ratios=[ratio(said.orders, one.orders.actual) if said else None for said, one in _said_last_month(card)],
            off=_off([(said.orders, actual) for said, actual in known]),
            mae=float(np.mean([said.mae for said, _ in known])) if known else None,
        )
    ]


def _said_last_month(card: ReportCard) -> list[tuple[Plain | None, Card]]:
    return list(zip(card.last_month.said, card.cards, strict=True)) if card.last_month else []


def _compared(name: str, scores: Sequence[backtest.PurchaseScore | None], choice: Choice) -> Compared:
    pairs = list(zip(scores, choice.origins, strict=True))
    known = [score for score in scores if score is not None]
    return Compared(
        name=name,
        is_used=False,
        ratios=[ratio(score.predicted, one.orders) if score else None for score, one in pairs],
        off=_off([(score.predicted, one.orders) for score, one in pairs if score]),
        mae=float(np.mean([score.mae for score in known])) if known else None,
        why_out=choice.demoted.get(name, ""),
    )


def spend_models(card: ReportCard) -> list[Compared]:
    """The used model as it was corrected, the baseline, the pair of the textbooks, and every spend model."""
    actual = [one.spend.actual if one.spend else None for one in card.cards]
    if not any(was is not None for was in actual):
        return []
    used = _of_totals(card.choice.spend, [one.spend.predicted if one.spend else None for one in card.cards], actual)
    said = [plain.spend if plain else None for plain, _ in _said_last_month(card)]
    before = [_of_totals(card.last_month.spend_model, said, actual)] if card.last_month else []
    others = {
        NAIVE: [one.naive.spend for one in card.cards],
        RAW: [one.raw.spend if one.raw else None for one in card.cards],
        **_totals(card.choice),
    }
    return [
        replace(used, is_used=True),
        *(replace(one, is_last_months=True) for one in before),
        *(_of_totals(name, amounts, actual) for name, amounts in others.items()),
    ]


def _totals(choice: Choice) -> dict[str, list[float | None]]:
    """What each spend model makes of the order days that the chosen purchase model expects."""
    return {
        name: [one.money[name].totals.get(choice.purchase) if name in one.money else None for one in choice.origins]
        for name in spend.MODELS
    }


def _of_totals(name: str, said: Sequence[float | None], actual: Sequence[float | None]) -> Compared:
    pairs = [(one, was) if one is not None and was is not None else None for one, was in zip(said, actual, strict=True)]
    return Compared(
        name=name,
        is_used=False,
        ratios=[ratio(*pair) if pair else None for pair in pairs],
        off=_off([pair for pair in pairs if pair]),
        mae=None,
    )


def _off(pairs: Sequence[tuple[float, float]]) -> float | None:
    if not pairs:
        return None
    return float(np.expm1(np.mean([abs(measures.level(said, was)) for said, was in pairs])))


def ratio(predicted: float, actual: float) -> float:
    """predicted / actual, finite."""
    return float(np.exp(measures.level(predicted, actual)))


def expected_on(as_of: date) -> date | None:
    """The month end from which a shop that is too young will be looked back at; None when age is not what it lacks."""
    first = DayTotals.objects.order_by("day").values_list("day", flat=True).first()
    if first is None or (old_enough := first + timedelta(days=SHORTEST - 1)) <= choices.anchor(as_of):
        return None
    return _month_end(old_enough)


def _month_end(day: date) -> date:
    following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return following - timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Course:
    """The grades of one measure at each look back, oldest first; None where a night did not keep them."""

    measure: Measure
    grades: Sequence[Grade | None]


def history(until: date) -> tuple[list[date], list[Course]]:
    """The ends of the last months that were looked back from, and how each measure was graded then."""
    nights = Run.objects.filter(published_at__isnull=False, stats__has_key="grades", as_of__lte=until)
    kept = nights.order_by("-as_of", "-revision").values_list("as_of", "stats__grades")[: MONTHS * NIGHTS]
    grades: dict[date, Mapping[str, str]] = {}
    for day, found in kept:
        grades.setdefault(choices.anchor(day), found)
    months = sorted(grades)[-MONTHS:]
    return months, [
        Course(measure=measure, grades=[Grade(grades[m][slug]) if slug in grades[m] else None for m in months])
        for slug, measure in verdicts.MEASURES.items()
    ]


def slipped(run: Run) -> list[Measure]:
    """The measures that are poor now and were not at the look-back before; asks only when something is poor."""
    now: Mapping[str, str] = run.stats.get("grades", {})
    if verdicts.Grade.POOR not in now.values():
        return []
    before = Run.objects.filter(published_at__isnull=False, as_of__lt=choices.anchor(run.as_of))
    found = before.order_by("-as_of", "-revision").values_list("stats__grades", flat=True).first()
    return [verdicts.MEASURES[slug] for slug in verdicts.slipped(found or {}, now)]
