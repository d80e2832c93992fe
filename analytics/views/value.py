from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics import value_plots, value_words, waterfall
from analytics.forms.value import ValueForm
from analytics.selectors import nights, value_drivers, value_nights
from analytics.selectors.value_drivers import PARTS, BySegment, Change
from analytics.selectors.value_nights import COLUMNS, LABELS, PERIODS, Pair, Point
from core import downloads, formulas, money
from core.http import DeskRequest, wants_part
from core.models import Run
from core.templatetags import ui

NIGHT_COLUMNS: Final = (
    *("as_of", "customers", "expected_orders_12m"),
    *(f"clv_{name}{end}" for name in COLUMNS for end in ("", "_low", "_high")),
    "clv_12m_at_risk",
)
DRIVER_COLUMNS: Final = ("segment", "from", "to", "value_from", "value_to", "difference", *PARTS)


def value(request: DeskRequest) -> HttpResponse:
    """What customers are expected to bring, over the nights, and what made the difference between two of them."""
    run, form = nights.current(), ValueForm(request.GET)
    context: dict[str, Any] = {"run": run, "form": form, **_choices(form)}
    if run is not None:
        found = _pair(form, run)
        since, until = _shown(form, run, found)
        points = value_nights.course(since=since, until=until)
        context |= _over_time(points, request, form) | {"now": value_nights.of(run), "pair": found}
        context |= _drivers(found, request, form) if found else {}
    is_part = run is not None and wants_part(request)
    return render(request, "analytics/_value.html" if is_part else "analytics/value.html", context)


def _choices(form: ValueForm) -> dict[str, Any]:
    by_hand = any(form.bounds)
    return {
        "horizon": form.horizon_name,
        "horizons": LABELS,
        "days": None if by_hand else form.period,
        "periods": {days: _named(days) for days in PERIODS},
        "scheme": form.chosen_scheme,
        "schemes": value_drivers.SCHEMES,
    }


def _named(days: int) -> str:
    if not days:
        return pgettext("period", "All")
    return _("12 months") if days == 365 else ui.in_days(days)


def _bounds(form: ValueForm, run: Run) -> tuple[date, date]:
    """The days that are chosen."""
    since, until = form.bounds
    last = until or run.as_of
    back = form.period or last.toordinal()
    return since or date.fromordinal(max(last.toordinal() - back, 1)), last


def _shown(form: ValueForm, run: Run, found: Pair | None) -> tuple[date, date]:
    """The days of the chart: as chosen, and back to the night that is compared with."""
    since, until = _bounds(form, run)
    return min(since, found.before.as_of) if found else since, until


def _pair(form: ValueForm, run: Run) -> Pair | None:
    since, until = form.bounds
    return value_nights.pair(since=since, until=until or run.as_of, days=form.period)


def _over_time(points: Sequence[Point], request: DeskRequest, form: ValueForm) -> dict[str, Any]:
    horizon = form.horizon_name
    known = sum(point.values[horizon] is not None for point in points)
    plot = value_plots.course(points, horizon=horizon, business=request.business) if known > 1 else None
    told = [(point, point.values[horizon], point.ends.get(horizon)) for point in reversed(points)]
    return {"plot": plot, "course": told, "unknown": len(points) - known}


def _drivers(found: Pair, request: DeskRequest, form: ValueForm) -> dict[str, Any]:
    horizon, business = form.horizon_name, request.business
    shop, parts = _compared(found, form)
    names = waterfall.names(horizon, shop)
    ends = value_plots.ends(found.before.as_of, found.after.as_of)
    return {
        "shop": shop,
        "sentence": value_words.what_changed(shop, horizon=horizon, business=business),
        "steps": waterfall.steps(shop, names=names, ends=ends, business=business),
        "drivers": [waterfall.LABELS[name] for name in names],
        "segments": waterfall.table(parts, names=names),
        "total": parts.total,
        "total_parts": [parts.total.parts[name] for name in names],
    }


def _compared(found: Pair, form: ValueForm) -> tuple[Change, BySegment]:
    column = COLUMNS[form.horizon_name]
    shop = value_drivers.of_shop(found.before, found.after, column=column)
    return shop, value_drivers.by_segment(found.before, found.after, scheme=form.chosen_scheme, column=column)


def value_export(request: DeskRequest) -> StreamingHttpResponse:
    """The nights that the page shows, one a line."""
    run, form = nights.current(), ValueForm(request.GET)
    if run is None:
        raise Http404("No night has been published yet.")
    since, until = _shown(form, run, _pair(form, run))
    points = value_nights.course(since=since, until=until, most=None)
    return downloads.csv_file(f"value-{until}.csv", _night_lines(points, currency=request.business.currency))


def value_drivers_export(request: DeskRequest) -> StreamingHttpResponse:
    """The parts by segment, their sum, and the shop as a whole."""
    run, form = nights.current(), ValueForm(request.GET)
    found = _pair(form, run) if run else None
    if found is None:
        raise Http404("There are no two nights to compare.")
    shop, parts = _compared(found, form)
    name = f"value-drivers-{form.horizon_name}-{found.before.as_of}-{found.after.as_of}.csv"
    rows = [*parts.rows, replace(parts.total, label=_("All segments")), shop]
    return downloads.csv_file(name, _driver_lines(rows, found, currency=request.business.currency))


def _night_lines(points: Sequence[Point], *, currency: str) -> Iterator[Sequence[Any]]:
    yield NIGHT_COLUMNS
    for point in points:
        values = [
            _money(amount, currency)
            for name in COLUMNS
            for amount in (point.values[name], *point.ends.get(name, (None, None)))
        ]
        orders = "" if point.orders is None else f"{point.orders:.3f}"
        yield point.as_of, point.customers, orders, *values, _money(point.at_risk_cents, currency)


def _driver_lines(rows: Sequence[Change], found: Pair, *, currency: str) -> Iterator[Sequence[Any]]:
    yield DRIVER_COLUMNS
    for row in rows:
        amounts = (row.before_cents, row.after_cents, row.difference_cents, *(row.parts[name] for name in PARTS))
        money_of = [_money(amount, currency) for amount in amounts]
        yield formulas.plain(row.label), found.before.as_of, found.after.as_of, *money_of


def _money(amount: int | None, currency: str) -> str:
    return "" if amount is None else str(money.major(amount, currency))
