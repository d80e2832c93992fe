from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from core.http import DeskRequest
from crm import charts
from crm.selectors import nights
from crm.selectors import today as figures


def today(request: DeskRequest) -> HttpResponse:
    chosen = request.GET.get("days", "")
    days = int(chosen) if chosen in map(str, figures.PERIODS) else figures.FIRST_PERIOD
    page = figures.read(business=request.business, at=timezone.now(), days=days)
    data = {
        "trend": charts.trend(page.months, business=request.business),
        "treemap": charts.treemap(page.states, business=request.business),
    }
    context = {"page": page, "status": page.status, "periods": figures.PERIODS, "charts": data}
    return render(request, "crm/today.html", context)


def night_status(request: DeskRequest) -> HttpResponse:
    """The progress of a running night, asked for every two seconds; when it ends the page is loaded again."""
    status = nights.status(row=request.business, at=timezone.now())
    if not request.htmx:
        return redirect("desk:today")
    response = render(request, "crm/_night.html", {"status": status})
    if not status.running:
        response["HX-Refresh"] = "true"
    return response
