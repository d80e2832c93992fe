"""Cells of the cohort table as they are written and coloured."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import formats
from django.utils.translation import gettext as _

from analytics.curves import Cell
from analytics.selectors.cohorts import Grid, Row
from core.models import Business
from core.templatetags import ui


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    text: str
    css: str
    title: str  # what the text leaves out


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    row: Row
    cells: Sequence[HeatCell]


def rows(grid: Grid, *, business: Business) -> list[HeatRow]:
    """Every row of the table, the last one for all together."""
    return [
        HeatRow(
            row=row,
            cells=[_cell(cell, month=month, grid=grid, business=business) for month, cell in enumerate(row.cells)],
        )
        for row in (*grid.rows, grid.whole)
    ]


def _cell(cell: Cell, *, month: int, grid: Grid, business: Business) -> HeatCell:
    if cell.value is None:
        return HeatCell(text="", css="heat-none", title="")
    return HeatCell(
        text=text(cell.value, measure=grid.query.measure, business=business),
        css=_css(cell, is_start=month == 0 and grid.query.measure == "retention"),
        title="" if cell.is_complete else _("The month is not over"),
    )


def _css(cell: Cell, *, is_start: bool) -> str:
    if is_start:
        return "heat-stay"
    colour = "heat-loss" if (cell.value or 0) < 0 else f"heat q{cell.shade}"
    return colour if cell.is_complete else f"{colour} is-part"


def text(value: float, *, measure: str, business: Business) -> str:
    """`12%`, `1.4`, `$38`."""
    if measure == "retention":
        return ui.percent(value)
    if measure == "orders":
        return formats.number_format(value, 2)
    return ui.money_short(value, business)
