"""What moved a customer's churn risk away from the shop's average: parts that add up, each with its fact in words."""

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.clv import cells, churn, risk
from analytics.clv.fitted import Fitted
from analytics.clv.history import History
from analytics.models import Basket, PurchaseSummary, Score
from analytics.services import choices, customer_cells, scoring
from core.models import Run
from core.templatetags import ui

EPOCH = date(2000, 1, 1)
SAME = 0.005  # a risk that differs by less is the same
LABELS: dict[str, Promise] = {
    "pace": gettext_lazy("Usual pace"),
    "silence": gettext_lazy("Silence"),
    "trend": gettext_lazy("Pace lately"),
    "once": gettext_lazy("Number of orders"),
    "refunds": gettext_lazy("Returns"),
    "discount": gettext_lazy("Price paid"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one fact adds to the risk of the average customer, in whole per cent points."""

    label: Promise
    fact: str
    points: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskParts:
    """The average customer's risk, what each fact adds, largest first, and the customer's own: their sum."""

    average: int  # per cent
    parts: list[Part]
    risk: int  # per cent


def of(score: Score, run: Run) -> RiskParts | None:
    """None where the night has learned no average, or where the facts it read have changed since.

    Two queries, and one more where the run has cells.
    """
    if score.churn_risk is None or "look_back" not in run.model:
        return None
    known = _history(score, run)
    fitted = Fitted.from_dict(run.model["fitted"])
    calibration = fitted.calibration or choices.churn_of(run).calibration
    if known is None or not calibration.customers:
        return None
    days = scoring.terms(run.settings).churn_horizon_days
    said = cells.by_cell(fitted.each, known, lambda one, part: risk.by_model(one.purchase, part, days))
    matrix = risk.features(said, known)
    if abs(float(churn.risk(calibration, matrix)[0]) - score.churn_risk) > SAME:
        return None
    added = churn.contributions(calibration, matrix)[0].tolist()
    facts = _facts(score, known)
    average, whole = round(100 * churn.average_risk(calibration)), round(100 * score.churn_risk)
    points = _whole(added, whole - average)
    parts = [
        Part(label=LABELS[name], fact=facts[name], points=each)
        for name, each in zip(churn.FEATURES, points, strict=True)
    ]
    return RiskParts(average=average, parts=sorted(parts, key=lambda part: -abs(part.points)), risk=whole)


def _whole(shares: list[float], total: int) -> list[int]:
    """Shares of one as whole points that add up to the total, by largest remainder."""
    points = [math.floor(100 * share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: points[place] - 100 * shares[place])
    missing = total - sum(points)
    for place in by_remainder[:missing]:
        points[place] += 1
    return points


def _history(score: Score, run: Run) -> History | None:
    """The customer's row as the night read it."""
    summary = PurchaseSummary.objects.filter(pk=score.customer_id).values(*scoring.HISTORY).first()
    if summary is None:
        return None
    taken = Basket.objects.filter(pk=score.customer_id).values_list("discount_cents", flat=True).first()
    columns = {name: np.array([_number(value)]) for name, value in summary.items()}
    columns["cell"] = np.array([customer_cells.of_customer(run, score.customer_id)])
    past = scoring.history(columns, as_of=run.as_of, currency=run.settings["currency"])
    return scoring.with_discounts(past, np.array([taken or 0]), currency=run.settings["currency"])


def _facts(score: Score, known: History) -> dict[str, str]:
    return {
        "pace": _pace(score),
        "silence": _silence(score),
        "trend": _trend(score, known),
        "once": _("One order so far.") if score.order_days == 1 else _("Has come back before."),
        "refunds": _refunds(known),
        "discount": _discount(known),
    }


def _number(value: date | float) -> float:
    """As a binary COPY gives it: a date as days since 2000."""
    return (value - EPOCH).days if isinstance(value, date) else value


def _pace(score: Score) -> str:
    if score.usual_gap_days is None:
        return _("No pace yet.")
    return _("Usually every %(gap)s.") % {"gap": _days(score.usual_gap_days)}


def _silence(score: Score) -> str:
    days = _days(score.last_age_days)
    if not score.usual_gap_days:
        return _("%(days)s since the last order.") % {"days": days}
    ratio = formats.number_format(round(score.last_age_days / score.usual_gap_days, 1), 1)
    return _("%(days)s since the last order, %(ratio)s times the usual gap.") % {"days": days, "ratio": ratio}


def _trend(score: Score, known: History) -> str:
    if not score.usual_gap_days or known.prior_age[0] < 0:
        return _("Too few orders to tell.")
    recent = (known.prior_age[0] - known.last_age[0]) / 2
    return _("The last two gaps were %(gap)s on average.") % {"gap": _days(recent)}


def _refunds(known: History) -> str:
    sold = known.value[0] + known.refunded[0]
    share = float(known.refunded[0] / sold) if sold > 0 else 0.0
    return _("%(share)s of what was bought came back.") % {"share": ui.percent(min(share, 1.0))}


def _discount(known: History) -> str:
    if known.discounted[0] <= 0:
        return _("Has always paid the full price.")
    return _("Discounts took off %(share)s.") % {"share": ui.percent(float(known.discounted[0]))}


def _days(number: float) -> str:
    whole = max(1, round(number))
    written = formats.number_format(whole, 0, force_grouping=True)
    return ngettext("%(number)s day", "%(number)s days", whole) % {"number": written}
