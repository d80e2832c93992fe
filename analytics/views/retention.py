from collections.abc import Iterator, Sequence
from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from analytics import charts, curves, heat
from analytics.selectors import cohorts
from core import downloads, formulas, money
from core.http import DeskRequest

COLUMNS = (
    *("cohort", "customers", "acquisition_cost_per_customer", "payback_month"),
    *("month", "is_complete", "customers_counted", "retention", "orders_per_customer", "margin_per_customer"),
)


def retention(request: DeskRequest) -> HttpResponse:
    as_of, query = cohorts.as_of(), _query(request)
    context: dict[str, Any] = {"as_of": as_of, "query": query, **_choices()}
    if as_of is None:
        return render(request, "analytics/retention.html", context)
    grid = cohorts.grid(query, as_of=as_of)
    context |= {
        "grid": grid,
        "heat": heat.rows(grid, business=request.business),
        "curve": list(zip(grid.retention, grid.margin, strict=True)),
        "chart": charts.curves(grid, business=request.business),
    }
    return render(request, "analytics/retention.html", context)


def retention_export(request: DeskRequest) -> StreamingHttpResponse:
    as_of, query = cohorts.as_of(), _query(request)
    if as_of is None:
        raise Http404("No night has added the cohorts up yet.")
    grids = [cohorts.grid(cohorts.with_measure(query, measure), as_of=as_of) for measure in curves.MEASURES]
    return downloads.csv_file(f"cohorts-{as_of}.csv", _lines(grids, currency=request.business.currency))


def _lines(grids: Sequence[cohorts.Grid], *, currency: str) -> Iterator[Sequence[Any]]:
    yield COLUMNS
    for retained, ordered, earned in zip(*([*grid.rows, grid.whole] for grid in grids), strict=True):
        about = (formulas.plain(retained.label), retained.customers, _money(retained.cost, currency), retained.payback)
        for month, cells in enumerate(zip(retained.cells, ordered.cells, earned.cells, strict=True)):
            kept, orders, margin = cells
            measures = (_digits(kept.value), _digits(orders.value), _money(margin.value, currency))
            yield *about, month, kept.is_complete, kept.customers, *measures


def _query(request: DeskRequest) -> cohorts.Query:
    """What of the address can be read; the rest is as if it were not there."""
    data, usual = request.GET, cohorts.Query()
    kind, _, key = data.get("of", "").partition(":")
    rows, months = data.get("rows", ""), data.get("months", "")
    return cohorts.Query(
        measure=data["measure"] if data.get("measure") in curves.MEASURES else usual.measure,
        rows=rows if rows in cohorts.ROWS else usual.rows,
        months=int(months) if months in map(str, cohorts.SPANS) else usual.months,
        part=(kind, key) if kind in cohorts.SPLIT_OF and rows not in cohorts.SPLIT_OF and "\0" not in key else None,
    )


def _choices() -> dict[str, Any]:
    return {"measures": list(curves.MEASURES), "splits": cohorts.ROWS, "spans": cohorts.SPANS, "parts": cohorts.parts()}


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _money(amount: float | None, currency: str) -> str:
    return "" if amount is None else f"{money.major(amount, currency):.2f}"
