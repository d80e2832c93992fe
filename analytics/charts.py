"""What static/js/charts.js draws of the value pages from: plain numbers in the currency's main unit."""

from typing import Any

from django.utils.translation import gettext as _

from analytics.curves import Cell
from analytics.selectors.cohorts import Grid
from analytics.selectors.kpis import Kpi
from core import money
from core.models import Business


def curves(grid: Grid, *, business: Business) -> dict[str, Any]:
    """Retention and cumulative margin by month after the first order, and what a customer cost."""
    return {
        "currency": business.currency,
        "written": money.written(business.currency),
        "months": list(range(len(grid.margin))),
        "retention": [None if cell.value is None else 100 * cell.value for cell in _over(grid.retention)],
        "margin": [_major(cell.value, business) for cell in _over(grid.margin)],
        "cost": _major(grid.whole.cost, business),
        "payback": grid.whole.payback,
        "labels": {
            "month": _("Month %s"),
            "retention": _("Retention"),
            "margin": _("Cumulative margin per customer"),
            "cost": _("Acquisition cost per customer"),
            "payback": _("Paid back"),
        },
    }


def course(kpi: Kpi, *, business: Business) -> dict[str, Any]:
    """A key figure over time; shares in percent."""
    is_money, is_share = kpi.text.kind == "money", kpi.text.kind == "percent"
    return {
        "currency": business.currency,
        "written": money.written(business.currency),
        "unit": "money" if is_money else "percent" if is_share else "number",
        "days": [day.isoformat() for day, _amount in kpi.course],
        "values": [
            _major(amount, business) if is_money else 100 * amount if is_share else round(amount, 4)
            for _day, amount in kpi.course
        ],
        "label": str(kpi.text.label),
    }


def _over(cells: Any) -> list[Cell]:
    """Months that no cohort has finished yet are not drawn: they would look like a fall."""
    return [cell if cell.is_complete else Cell(value=None, customers=0, is_complete=False) for cell in cells]


def _major(amount: float | None, business: Business) -> float | None:
    return None if amount is None else float(money.major(amount, business.currency))
