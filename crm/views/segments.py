from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from analytics import scores
from analytics.services import exports
from core import downloads
from core.http import DeskRequest, wants_part
from core.models import Run
from crm import charts, labels
from crm.selectors import nights, people, segment_history, segments
from crm.selectors import today as figures

CUSTOMERS_SHOWN = 8


def segment_list(request: DeskRequest) -> HttpResponse:
    run = nights.current()
    if run is None:
        return render(request, "crm/segment_list.html", {"run": None})
    states, days = segments.states(run), _days(request)
    sizes = segment_history.of_all(until=run.as_of, days=days)
    context = {
        "run": run,
        "states": states,
        "average": figures.average_clv(run),
        "migration": segments.migration(run),
        "sizes": sizes[::-1],
        "segments": labels.SEGMENTS,
        "charts": {"treemap": charts.treemap(states, business=request.business), "sizes": charts.sizes(sizes)},
        **_periods(days),
    }
    return render(request, "crm/segment_list.html", context)


def segment_detail(request: DeskRequest, slug: str) -> HttpResponse:
    name, run = _segment(slug), nights.current()
    if run is None:
        return render(request, "crm/segment_list.html", {"run": None})
    days = _days(request)
    history = segment_history.of_segment(name, until=run.as_of, days=days)
    context = {
        "run": run,
        "state": segments.state(run, name),
        "history": history,
        "steps": segment_history.steps(history.points),
        "best": people.top(segments.best(run, name), run=run, limit=CUSTOMERS_SHOWN),
        "charts": {"history": charts.history(history.points, name=name, business=request.business)},
        **_periods(days),
    }
    return render(request, "crm/segment_detail.html", context)


def segment_moves(request: DeskRequest, slug: str) -> HttpResponse:
    """Who came and went: loaded after the page, because it compares two whole nights."""
    name, run, days = _segment(slug), _current(), _days(request)
    context = {
        "run": run,
        "state": segments.state(run, name),
        "moves": segment_history.moves(name, run=run, days=days),
        **_periods(days),
    }
    return render(request, "crm/_moves.html" if wants_part(request) else "crm/segment_moves.html", context)


def segment_export(request: DeskRequest, slug: str) -> StreamingHttpResponse:
    name, run = _segment(slug), _current()
    return downloads.csv_file(f"{slug}-{run.as_of}.csv", exports.members(run=run, segment=name))


def _segment(slug: str) -> scores.Name:
    name = labels.segment_of(slug)
    if name is None:
        raise Http404("No such segment.")
    return name


def _current() -> Run:
    run = nights.current()
    if run is None:
        raise Http404("No night has been published yet.")
    return run


def _days(request: DeskRequest) -> int:
    chosen = request.GET.get("days", "")
    return int(chosen) if chosen in map(str, segment_history.PERIODS) else segment_history.FIRST_PERIOD


def _periods(days: int) -> dict[str, object]:
    return {"days": days, "periods": segment_history.PERIODS}
