from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from analytics import schemes, scores
from analytics.schemes import Scheme
from analytics.services import exports
from core import downloads
from core.http import DeskRequest, wants_part
from core.models import Run
from crm import charts, groups
from crm.groups import Group
from crm.selectors import nights, people, plans, segment_history, segments
from crm.selectors import today as figures

CUSTOMERS_SHOWN = 8


def segment_list(request: DeskRequest) -> HttpResponse:
    """RFM: who is in which segment, and who moved since the night before."""
    run = nights.current()
    if run is None:
        return _none(request)
    context = _overview(request, run, schemes.RFM) | {"migration": segments.migration(run)}
    return render(request, "crm/segment_list.html", context)


def scheme_detail(request: DeskRequest, scheme: str) -> HttpResponse:
    """The segments of another scheme."""
    run, found = nights.current(), _scheme(scheme)
    if run is None:
        return _none(request)
    return render(request, "crm/segment_list.html", _overview(request, run, found))


def _none(request: DeskRequest) -> HttpResponse:
    return render(request, "crm/segment_list.html", {"run": None})


def _overview(request: DeskRequest, run: Run, scheme: Scheme) -> dict[str, object]:
    states, days = segments.states_of(run, scheme), _days(request)
    sizes = segment_history.of_all(scheme, until=run.as_of, days=days)
    known = groups.of(scheme)
    return {
        "run": run,
        "scheme": scheme,
        "schemes": schemes.ALL,
        "rule": segments.rule(run, scheme, business=request.business),
        "states": states,
        "rest": segments.rest(run, scheme, states),
        "average": figures.average_clv(run),
        "sizes": sizes[::-1],
        "segments": known,
        "charts": {
            "treemap": charts.treemap(states, business=request.business),
            "sizes": charts.sizes(sizes, known=known),
        },
        **_periods(days),
    }


def segment_detail(request: DeskRequest, slug: str, scheme: str = "rfm") -> HttpResponse:
    group, run = found_group(scheme, slug), nights.current()
    if run is None:
        return _none(request)
    days = _days(request)
    history = segment_history.of_segment(group, until=run.as_of, days=days)
    state = segments.state(run, group)
    context = {
        "run": run,
        "group": group,
        "state": state,
        "plan": plans.of_group(group, state=state),
        "history": history,
        "steps": segment_history.steps(history.points),
        "best": people.top(segments.best(run, group), run=run, limit=CUSTOMERS_SHOWN),
        "charts": {"history": charts.history(history.points, name=group, business=request.business)},
        **_periods(days),
    }
    return render(request, "crm/segment_detail.html", context)


def segment_moves(request: DeskRequest, slug: str, scheme: str = "rfm") -> HttpResponse:
    """Who came and went: loaded after the page, because it compares two whole nights."""
    group, run, days = found_group(scheme, slug), _current(), _days(request)
    context = {
        "run": run,
        "group": group,
        "moves": segment_history.moves(group, run=run, days=days),
        **_periods(days),
    }
    return render(request, "crm/_moves.html" if wants_part(request) else "crm/segment_moves.html", context)


def segment_export(request: DeskRequest, slug: str, scheme: str = "rfm") -> StreamingHttpResponse:
    group, run = found_group(scheme, slug), _current()
    if group.scheme is schemes.RFM:
        rows = exports.members(run=run, segment=scores.Name(group.value))
    else:
        rows = exports.group_members(run=run, scheme=group.scheme, code=group.value, label=group.label)
    return downloads.csv_file(f"{group.file_name}-{run.as_of}.csv", rows)


def _scheme(slug: str) -> Scheme:
    scheme = groups.scheme_of(slug)
    if scheme is None:
        raise Http404("No such scheme.")
    return scheme


def found_group(scheme: str, slug: str) -> Group:
    group = groups.find(_scheme(scheme), slug)
    if group is None:
        raise Http404("No such segment.")
    return group


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
