from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from analytics.selectors import contract_values
from core.http import DeskRequest
from core.models import Business
from crm import charts
from crm.selectors import first_steps, nights, plans, waiting
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
    shows_contracts = request.business.shows_contracts
    context["renewals"] = contract_values.due(day=timezone.localdate()) if shows_contracts else None
    context["due_actions"] = plans.due(user=request.user, today=timezone.localdate())
    context["waiting"] = waiting.read(business=request.business, user=request.user)
    context["first_steps"] = first_steps.read(business=request.business, user=request.user)
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


@require_POST
def first_steps_hide(request: DeskRequest) -> HttpResponse:
    """Take the list of first steps off the page, done or not. Settings still lead to each of them."""
    Business.objects.update(hides_first_steps=True)
    return redirect("desk:today")
