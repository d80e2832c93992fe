from django.http import Http404, HttpResponse
from django.shortcuts import render

from core.http import DeskRequest
from crm import charts, labels
from crm.selectors import nights, people, segments
from crm.selectors import today as figures

CUSTOMERS_SHOWN = 8


def segment_list(request: DeskRequest) -> HttpResponse:
    run = nights.current()
    if run is None:
        return render(request, "crm/segment_list.html", {"run": None})
    states = segments.states(run)
    context = {
        "run": run,
        "states": states,
        "average": figures.average_clv(run),
        "migration": segments.migration(run),
        "charts": {"treemap": charts.treemap(states, business=request.business)},
    }
    return render(request, "crm/segment_list.html", context)


def segment_detail(request: DeskRequest, slug: str) -> HttpResponse:
    name, run = labels.segment_of(slug), nights.current()
    if name is None:
        raise Http404("No such segment.")
    if run is None:
        return render(request, "crm/segment_list.html", {"run": None})
    came, went = segments.flows(run, name)
    context = {
        "run": run,
        "state": segments.state(run, name),
        "came": came,
        "went": went,
        "best": people.top(segments.best(run, name), run=run, limit=CUSTOMERS_SHOWN),
    }
    return render(request, "crm/segment_detail.html", context)
