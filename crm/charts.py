"""What static/js/charts.js draws from: plain numbers in the currency's main unit, handed over as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core import money
from core.models import Business
from crm import labels
from crm.groups import Group
from crm.selectors.segment_history import Point
from crm.selectors.segments import SegmentState
from crm.selectors.today import Month


def trend(months: Sequence[Month], *, business: Business) -> dict[str, Any]:
    """Revenue, the year before and average value by month; null where there is none."""
    return {
        "currency": business.currency,
        "written": money.written(business.currency),
        "months": [formats.date_format(month.first, pgettext("short month", "M y")) for month in months],
        "revenue": [_major(month.revenue_cents, business) for month in months],
        "before": [_major(month.before_cents, business) for month in months],
        "clv": [_major(month.clv_cents, business) for month in months],
        "labels": {"revenue": _("Revenue"), "before": _("Year before"), "clv": _("Average value")},
    }


def treemap(states: Iterable[SegmentState], *, business: Business) -> dict[str, Any]:
    """Segments with some value. A share below nothing cannot be drawn, so losses are left to the table."""
    return {
        "currency": business.currency,
        "written": money.written(business.currency),
        "segments": [
            {
                "name": labels.name_of(state.name),
                "hue": state.hue,
                "value": _major(state.clv_cents, business),
                "customers": state.customers,
                "average": _major(state.average_cents, business),
                "url": state.url,
            }
            for state in states
            if state.clv_cents > 0
        ],
        "labels": {"value": _("Predicted value"), "customers": _("Customers"), "average": _("Average")},
    }


def history(points: Sequence[Point], *, name: Group, business: Business) -> dict[str, Any]:
    """A segment on each night: customers, predicted value, and the share of customers at risk in percent."""
    return {
        "currency": business.currency,
        "written": money.written(business.currency),
        "hue": name.hue,
        "days": [point.as_of.isoformat() for point in points],
        "customers": [point.customers for point in points],
        "value": [_major(point.clv_cents, business) for point in points],
        "risk": [None if point.at_risk_share is None else 100 * point.at_risk_share for point in points],
        "labels": {"customers": _("Customers"), "value": _("Predicted value"), "risk": _("At risk")},
    }


def sizes(nights: Sequence[tuple[date, Mapping[str, int]]], *, known: Iterable[Group]) -> dict[str, Any]:
    """Customers of every segment on each night, to be stacked."""
    return {
        "days": [day.isoformat() for day, _counts in nights],
        "segments": [
            {
                "name": group.label,
                "hue": group.hue,
                "customers": [counts[group.slug] for _day, counts in nights],
            }
            for group in known
        ],
    }


def _major(amount: float | None, business: Business) -> float | None:
    return None if amount is None else float(money.major(amount, business.currency))
