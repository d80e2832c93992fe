from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from analytics import card_plots, verdicts
from analytics.clv.report_card import Plain, Total
from analytics.selectors import nights
from analytics.selectors import report_card as cards
from analytics.selectors.report_card import ReportCard
from core import downloads
from core.http import DeskRequest

COLUMNS: Final = (
    *("origin", "horizon_days", "customers", "model", "spend_model"),
    *("orders_predicted", "orders_low", "orders_high", "orders_actual"),
    *("spend_predicted", "spend_low", "spend_high", "spend_actual"),
    *("mae", "coverage_80", "brier", "gini", "naive_mae", "naive_orders", "naive_spend", "raw_orders", "raw_spend"),
    *("last_month_model", "last_month_spend_model", "last_month_mae", "last_month_orders", "last_month_spend"),
)
NO_TOTAL: Final = ("",) * 4
NO_MODELS: Final = ("",) * 2


def report_card(request: DeskRequest) -> HttpResponse:
    run = nights.current()
    card = cards.read(run) if run else None
    context: dict[str, Any] = {"run": run, "card": card, "measures": verdicts.MEASURES}
    if card is None or not card.cards:
        context["expected_on"] = cards.expected_on(run.as_of) if run else None
        return render(request, "analytics/report_card.html", context)
    months, courses = cards.history(card.as_of)
    context |= {
        "most": cards.MOST,
        "months": months,
        "courses": courses,
        "order_models": cards.order_models(card),
        "spend_models": cards.spend_models(card),
        "plots": card_plots.of(card, business=request.business),
    }
    return render(request, "analytics/report_card.html", context)


def report_card_export(request: DeskRequest) -> StreamingHttpResponse:
    run = nights.current()
    card = cards.read(run) if run else None
    if card is None or not card.cards:
        raise Http404("No night has looked back yet.")
    return downloads.csv_file(f"report-card-{card.until}.csv", _lines(card))


def _lines(found: ReportCard) -> Iterator[Sequence[Any]]:
    yield COLUMNS
    before = found.last_month
    for one, said in zip(found.cards, before.said if before else [None] * len(found.cards), strict=True):
        yield (
            *(one.origin, one.horizon_days, one.customers, one.model, one.spend_model),
            *(*_total(one.orders), *_total(one.spend)),
            *(f"{figure:.6f}" for figure in (one.mae, one.coverage_80, one.brier, one.gini, one.naive_mae)),
            *(*_plain(one.naive), *_plain(one.raw)),
            *((before.model, before.spend_model) if before else NO_MODELS),
            *(f"{said.mae:.6f}" if said else "", *_plain(said)),
        )


def _total(total: Total | None) -> Sequence[str]:
    """Order days, or money in the currency's main unit."""
    return [_digits(each) for each in (total.predicted, total.low, total.high, total.actual)] if total else NO_TOTAL


def _plain(said: Plain | None) -> tuple[str, str]:
    return (_digits(said.orders), _digits(said.spend)) if said else ("", "")


def _digits(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.2f}"
