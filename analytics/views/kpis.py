from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from analytics import charts, definitions, figures
from analytics.selectors import kpi_rows, kpis, nights
from core import downloads
from core.http import DeskRequest


@dataclass(frozen=True, kw_only=True)
class Card:
    """A figure with its amounts as they are written, and what they are made of."""

    kpi: kpis.Kpi
    now: str
    before: str
    parts: Sequence[tuple[str, str, str]]  # name, amount now, amount before


def kpi_list(request: DeskRequest) -> HttpResponse:
    run, days = nights.current(), _days(request)
    cards = {one.slug: _card(one, request) for one in kpis.read(run=run, days=days)} if run else {}
    questions = [(title, [cards[slug] for slug in slugs if cards]) for title, slugs in definitions.QUESTIONS]
    return render(request, "analytics/kpi_list.html", {"run": run, "questions": questions, **_periods(days)})


def kpi_detail(request: DeskRequest, slug: str) -> HttpResponse:
    """A figure's definition and what is behind it. Figures of Today have their rows in the customer list."""
    figure, run, days = _figure(slug), nights.current(), _days(request)
    context: dict[str, Any] = {"slug": slug, "figure": figure, "run": run, **_periods(days)}
    if run is None or slug not in definitions.KPIS:
        return render(request, "analytics/kpi_detail.html", context)
    facts = kpis.Facts(run=run, days=days)
    card = _card(kpis.kpi(slug, facts), request)
    context |= {
        "card": card,
        "course": [
            (day, figures.written(amount, kind=figure.kind, business=request.business))
            for day, amount in reversed(card.kpi.course)
        ],
        "chart": charts.course(card.kpi, business=request.business),
        "rows": f"analytics/_kpi_{kpi_rows.KIND[slug]}.html",
        "listing": kpi_rows.listing(slug, facts, cursor=request.GET.get("cursor", "")),
    }
    return render(request, "analytics/kpi_detail.html", context)


def kpi_export(request: DeskRequest, slug: str) -> StreamingHttpResponse:
    run, days = nights.current(), _days(request)
    if run is None or slug not in definitions.KPIS:
        raise Http404("There is nothing to take out.")
    rows = kpi_rows.export(slug, kpis.Facts(run=run, days=days), currency=request.business.currency)
    return downloads.csv_file(f"{slug}-{days}-days-{run.as_of}.csv", rows)


def _card(one: kpis.Kpi, request: DeskRequest) -> Card:
    kind, business = one.text.kind, request.business
    names = dict.fromkeys([*one.now.parts, *one.before.parts])
    return Card(
        kpi=one,
        now=figures.written(one.now.value, kind=kind, business=business),
        before=figures.written(one.before.value, kind=kind, business=business),
        parts=[_part(name, one, request) for name in names],
    )


def _part(name: str, one: kpis.Kpi, request: DeskRequest) -> tuple[str, str, str]:
    now, before = (figures.part(name, it.parts.get(name), business=request.business) for it in (one.now, one.before))
    return str(figures.PARTS[name][0]), now, before


def _figure(slug: str) -> definitions.Figure:
    figure = definitions.FIGURES.get(slug)
    if figure is None:
        raise Http404("There is no such figure.")
    return figure


def _days(request: DeskRequest) -> int:
    chosen = request.GET.get("days", "")
    return int(chosen) if chosen in map(str, kpis.PERIODS) else kpis.FIRST_PERIOD


def _periods(days: int) -> dict[str, object]:
    return {"days": days, "periods": kpis.PERIODS}
