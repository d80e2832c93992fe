from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import pgettext

from analytics import what_if_plots, what_if_words
from analytics.clv.what_if import Levers
from analytics.forms import what_if as forms
from analytics.selectors import nights, scenarios
from analytics.selectors import what_if as answers
from analytics.selectors.what_if import Answer
from core.http import DeskRequest, wants_part
from core.models import Run


def what_if(request: DeskRequest) -> HttpResponse:
    """Everything that is asked stands in the address, so that it can be shared."""
    run, form = nights.current(), forms.LeversForm(request.GET)
    context: dict[str, Any] = {
        "run": run,
        "form": form,
        "opened": scenarios.find(request.GET.get("scenario", "")),
    }
    if run and form.is_valid():
        context |= _answered(run, form, request)
    template = "analytics/_what_if_result.html" if wants_part(request) else "analytics/what_if.html"
    return render(request, template, context)


def _answered(run: Run, form: forms.LeversForm, request: DeskRequest) -> dict[str, Any]:
    whom, changes = form.cleaned_data["of"], form.changes
    levers: Levers = answers.levers_of(changes)
    answer = answers.answer(run=run, whom=whom, levers=levers)
    context = {"whom": whom, "answer": answer}
    return context | _told(answer, form, request) if answer else context


def _told(answer: Answer, form: forms.LeversForm, request: DeskRequest) -> dict[str, Any]:
    business, changes = request.business, form.changes
    has_payback = form.cleaned_data["of"].is_everybody and answer.acquisition_cents is not None
    return {
        "sentence": what_if_words.sentence(answer, changes, business=business),
        "rows": what_if_words.rows(answer, business=business, has_payback=has_payback),
        "has_payback": has_payback,
        "notes": what_if_words.notes(answer, changes, business=business),
        "plot": what_if_plots.plot(
            answer.lines,
            [(pgettext("what if", "Then"), answer.lines)],
            business=business,
            has_moved=any(changes.values()),
        ),
    }
