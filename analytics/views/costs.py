"""What it costs to win and to serve customers: a table to type into, a file to bring, a file to take."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from analytics.forms.costs import MOST_BYTES, ChannelForm, SpendFileForm, SpendForm, UnitCostForm
from analytics.selectors import costs, nights, worth
from core import downloads, money, receiving
from core.http import DeskRequest
from core.receiving import Received
from customers.importing import spend_rows, whole
from customers.importing.problems import FileProblem
from customers.importing.reading import Habits
from customers.models import AcquisitionCost, UnitCost
from customers.services import spend, uploads
from customers.services.spend import Cell, Spend, Written


@transaction.atomic
def cost_list(request: DeskRequest) -> HttpResponse:
    """Acquisition costs of a year. One form holds all of it, and only what differs is written."""
    if request.method == "POST":
        spend.wait_for_turn()
    form = _spend_form(request)
    if form.is_valid():
        spend.write(cells=form.cells)
        messages.success(request, _("Saved. Profit follows with the next night."))
        return redirect(_address(form.grid.year))
    return _page(request, spend_form=form)


@require_POST
@transaction.atomic
def unit_cost_edit(request: DeskRequest) -> HttpResponse:
    spend.wait_for_turn()
    form = _unit_form(request)
    if form.is_valid():
        spend.set_unit_costs(unit_cents=form.unit_cents)
        messages.success(request, _("Saved. Profit follows with the next night."))
        return redirect("analytics:cost_list")
    return _page(request, unit_form=form)


def _page(
    request: DeskRequest, *, spend_form: SpendForm | None = None, unit_form: UnitCostForm | None = None
) -> HttpResponse:
    form = spend_form or _spend_form(request, is_sent=False)
    run = nights.current()
    context = {
        "run": run,
        "worth": worth.of_night(run) if run else None,
        "form": form,
        "grid": form.grid,
        "years": costs.years(today=timezone.localdate()),
        "unit_form": unit_form or _unit_form(request, is_sent=False),
        "channel_form": ChannelForm(),
    }
    return render(request, "analytics/cost_list.html", context)


def _spend_form(request: DeskRequest, *, is_sent: bool = True) -> SpendForm:
    data = request.POST if is_sent and request.method == "POST" else None
    asked = request.GET.getlist("channel") if data is None else data.getlist("channel")
    grid = costs.grid(year=_year(request), also=[name for name in map(_channel, asked) if name])
    return SpendForm(
        data, grid=grid, currency=request.business.currency, edited=lambda: costs.last_words(AcquisitionCost)
    )


def _unit_form(request: DeskRequest, *, is_sent: bool = True) -> UnitCostForm:
    return UnitCostForm(
        request.POST if is_sent else None,
        unit_cents=spend.unit_costs(),
        currency=request.business.currency,
        edited=lambda: costs.last_words(UnitCost),
    )


def _year(request: DeskRequest) -> int:
    text = request.GET.get("year", "")
    chosen = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 0
    return chosen if costs.FIRST_YEAR <= chosen <= costs.LAST_YEAR else timezone.localdate().year


def _channel(text: str) -> str:
    """The name of a channel as it is kept; empty for what can be none."""
    form = ChannelForm({"channel": text})
    return str(form.cleaned_data["channel"]) if form.is_valid() else ""


def _address(year: int) -> str:
    return f"{reverse('analytics:cost_list')}?{urlencode({'year': year})}"


def cost_export(request: DeskRequest) -> StreamingHttpResponse:
    return downloads.csv_file("acquisition-costs.csv", costs.export(currency=request.business.currency))


@csrf_exempt  # this view only says where the file goes; the one below it looks at the token
def cost_import(request: DeskRequest) -> HttpResponseBase:
    with receiving.to_disk(request, folder=uploads.root(), most_bytes=MOST_BYTES):
        return _receive(request)


@csrf_protect
def _receive(request: DeskRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = SpendFileForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            told = _read(form.cleaned_data["file"], _habits(request))
        except FileProblem as problem:
            form.add_error("file", str(problem))
        except whole.BadRows as bad:
            context |= {"rejects": bad.rejects, "many": bad.many}
        else:
            cells = {cell: Spend(amount_cents=one.amount_cents, note=one.note) for cell, one in told.items()}
            messages.success(request, _imported(spend.write(cells=cells)))
            return redirect(_address(max(cell[1].year for cell in cells)) if cells else "analytics:cost_list")
    status = 422 if form.errors or "rejects" in context else 200
    return render(request, "analytics/cost_import.html", context, status=status)


def _read(received: Received, habits: Habits) -> dict[Cell, spend_rows.Told]:
    """Under its own name, which messages speak of and which tells a workbook."""
    with TemporaryDirectory(dir=uploads.root()) as folder:
        path = Path(folder) / uploads.plain_name(received.name or "")
        return spend_rows.read(received.path.rename(path), habits=habits)


def _habits(request: DeskRequest) -> Habits:
    currency = request.business.currency
    return Habits(zone=request.business.zone, currency=currency, exponent=money.exponent(currency))


def _imported(written: Written) -> str:
    """`3 amounts are new, 1 is changed, 12 are as before.`"""
    counts = {"new": written.created, "changed": written.updated, "same": written.unchanged}
    said = (
        ngettext("%(new)s amount is new", "%(new)s amounts are new", written.created),
        ngettext("%(changed)s is changed", "%(changed)s are changed", written.updated),
        ngettext("%(same)s is as before", "%(same)s are as before", written.unchanged),
    )
    return ", ".join(part % counts for part in said) + "."
