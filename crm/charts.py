"""What static/js/charts.js draws from: plain numbers in the currency's main unit, handed over as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils import formats

from core import money
from core.models import Business
from crm.selectors.segments import SegmentState
from crm.selectors.today import Month


def trend(months: Sequence[Month], *, business: Business) -> dict[str, Any]:
    """Revenue, the year before and average value by month; null where there is none."""
    return {
        "currency": business.currency,
        "months": [formats.date_format(month.first, "M y") for month in months],
        "revenue": [_major(month.revenue_cents, business) for month in months],
        "before": [_major(month.before_cents, business) for month in months],
        "clv": [_major(month.clv_cents, business) for month in months],
    }


def treemap(states: Iterable[SegmentState], *, business: Business) -> dict[str, Any]:
    """Segments with some value. A share below nothing cannot be drawn, so losses are left to the table."""
    return {
        "currency": business.currency,
        "segments": [
            {
                "name": state.name.label,
                "hue": state.name.slug,
                "value": _major(state.clv_cents, business),
                "customers": state.customers,
                "average": _major(state.average_cents, business),
                "url": reverse("desk:segment_detail", args=[state.name.slug]),
            }
            for state in states
            if state.clv_cents > 0
        ],
    }


def _major(amount: float | None, business: Business) -> float | None:
    return None if amount is None else float(money.major(amount, business.currency))
