from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics import what_if_plots, what_if_words
from analytics.clv.what_if import AMOUNTS
from analytics.forms import what_if as forms
from analytics.models import Scenario
from analytics.selectors import nights
from analytics.selectors import scenarios as found
from analytics.selectors.scenarios import Compared, Kept
from analytics.selectors.what_if import ORDERS, Line
from analytics.services import scenarios
from core import downloads, edits, formulas, money
from core.http import DeskRequest
from core.models import Run

COLUMNS: Final = (
    *("as_of", "scenario", "segment", "note", "levers", "measure"),
    *("as_it_is", "then", "difference", "difference_low", "difference_high"),
)


def scenario_list(request: DeskRequest) -> HttpResponse:
    rows = [(one, what_if_words.moved(one.changes)) for one in found.kept()]
    just_deleted = request.GET.get("deleted", "")
    gone = found.deleted()
    context = {
        "run": nights.current(),
        "rows": rows,
        "most": found.MOST,
        "gone": gone,
        "just_deleted": next((one for one in gone if str(one.pk) == just_deleted), None),
    }
    return render(request, "analytics/scenario_list.html", context)


def scenario_add(request: DeskRequest) -> HttpResponse:
    """The levers come with the address of the simulator, the name from here."""
    if request.method != "POST":
        return _form(request, forms.ScenarioForm(initial=forms.from_address(request.GET)))
    form = forms.ScenarioForm(request.POST, initial={})
    if form.is_valid():
        try:
            made = scenarios.add(item=form.item(), by=request.user, at=timezone.now())
        except scenarios.NameTaken:
            form.add_error("name", _taken(form))
        else:
            messages.success(request, _("“%(name)s” is saved.") % {"name": made})
            return redirect("analytics:scenario_list")
    return _form(request, form)


def scenario_edit(request: DeskRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        rows = Scenario.objects.select_for_update(no_key=True) if request.method == "POST" else Scenario.objects
        scenario = get_object_or_404(rows, pk=pk)
        form = forms.ScenarioForm(
            request.POST or None,
            initial=forms.initial(scenario),
            edited=lambda: edits.last_words(Scenario, pk),
        )
        if request.method == "POST" and form.is_valid() and _is_changed(request, form, scenario):
            messages.success(request, _("Saved."))
            return redirect("analytics:scenario_list")
    if request.method != "POST":
        form = form.with_levers(request.GET)
    return _form(request, form, scenario)


def _is_changed(request: DeskRequest, form: forms.ScenarioForm, scenario: Scenario) -> bool:
    try:
        scenarios.change(scenario_id=scenario.pk, item=form.item(), by=request.user, at=timezone.now())
    except scenarios.NameTaken:
        form.add_error("name", _taken(form))
    except scenarios.IsDeleted:
        form.add_error(None, _("Somebody has deleted this scenario meanwhile. Bring it back first, then save again."))
    return not form.errors


def _taken(form: forms.ScenarioForm) -> str:
    return _("There is a scenario “%(name)s” already. Choose another name.") % {"name": form.cleaned_data["name"]}


def _form(request: DeskRequest, form: forms.ScenarioForm, scenario: Scenario | None = None) -> HttpResponse:
    told = edits.of(Scenario, scenario.pk).select_related("user")[: edits.PAGE_EDITS] if scenario else ()
    context: dict[str, Any] = {"form": form, "scenario": scenario}
    context["entries"] = edits.entries(told, business=request.business)
    return render(request, "analytics/scenario_form.html", context)


@require_POST
def scenario_delete(request: DeskRequest, pk: int) -> HttpResponse:
    scenario = get_object_or_404(Scenario, pk=pk)
    scenarios.delete(scenario_id=pk, at=timezone.now())
    response = redirect("analytics:scenario_list")
    response["Location"] += f"?deleted={scenario.pk}"
    return response


@require_POST
def scenario_restore(request: DeskRequest, pk: int) -> HttpResponse:
    scenario = get_object_or_404(Scenario, pk=pk)
    try:
        if scenarios.restore(scenario_id=pk):
            messages.success(request, _("“%(name)s” is back.") % {"name": scenario})
    except scenarios.NameTaken:
        text = _("There is another scenario “%(name)s” by now. Rename that one, then bring this one back.")
        messages.error(request, text % {"name": scenario})
    return redirect("analytics:scenario_list")


def scenario_compare(request: DeskRequest) -> HttpResponse:
    run, several = nights.current(), _asked(request)
    comparison = found.compare(run=run, several=several[: found.MOST]) if run and several else None
    context: dict[str, Any] = {
        "run": run,
        "several": several[: found.MOST],
        "too_many": len(several) > found.MOST,
        "most": found.MOST,
        "comparison": comparison,
    }
    if comparison and comparison.compared:
        context |= {
            "columns": [(one, what_if_words.moved(one.kept.changes)) for one in comparison.compared],
            "rows": what_if_words.compared(comparison, business=request.business),
            "plot": what_if_plots.plot(
                comparison.before.lines,
                [(one.kept.scenario.name, one.lines) for one in comparison.compared],
                business=request.business,
            ),
        }
    return render(request, "analytics/scenario_compare.html", context)


def scenario_export(request: DeskRequest) -> StreamingHttpResponse:
    """Those that the address names; without any, all of them."""
    run = nights.current()
    if run is None:
        raise Http404("No night has been published yet.")
    several = _asked(request) or found.kept()
    name = f"scenarios-{run.as_of}.csv"
    return downloads.csv_file(name, _lines(run, several, currency=request.business.currency))


def _asked(request: DeskRequest) -> list[Kept]:
    numbers = [text for text in request.GET.getlist("s") if text.isascii() and text.isdecimal() and len(text) < 19]
    return found.chosen([int(text) for text in numbers])


def _lines(run: Run, several: Sequence[Kept], *, currency: str) -> Iterator[Sequence[Any]]:
    yield COLUMNS
    for one in several:
        comparison = found.compare(run=run, several=[one])
        for each in comparison.compared if comparison else ():
            yield from _measures(run, each, currency)


def _measures(run: Run, one: Compared, currency: str) -> Iterator[Sequence[Any]]:
    scenario, label = one.kept.scenario, one.kept.whom.label if one.kept.whom else ""
    texts = (scenario.name, label, scenario.note, what_if_words.moved(one.kept.changes))
    about = (run.as_of, *(formulas.plain(text) for text in texts))
    for name in AMOUNTS:
        yield *about, name, *_figures(one.lines[name], currency="" if name in ORDERS else currency)
    if one.payback is not None:
        yield *about, "payback_month", *("" if month is None else month for month in one.payback), "", "", ""


def _figures(line: Line, *, currency: str) -> Iterator[str]:
    """Money in the currency's main unit."""
    for amount in (line.before, line.after, line.added.expected, line.added.low, line.added.high):
        yield f"{money.major(amount, currency) if currency else amount:.2f}"
