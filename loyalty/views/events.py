from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from loyalty.forms.event import EventForm, GuestForm, initial
from loyalty.models import Event, Reply
from loyalty.selectors import events as found
from loyalty.services import events

PAGE_ROWS = 50


def event_list(request: DeskRequest) -> HttpResponse:
    page = Paginator(found.listed(), PAGE_ROWS).get_page(request.GET.get("page"))
    return render(request, "loyalty/event_list.html", {"page": page, "now": timezone.now()})


def event_detail(request: DeskRequest, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(found.listed(), pk=pk), GuestForm())


def _detail(request: DeskRequest, event: Event, form: GuestForm) -> HttpResponse:
    page = Paginator(found.replies(event), PAGE_ROWS).get_page(request.GET.get("page"))
    context = {"event": event, "page": page, "form": form, "now": timezone.now(), "states": Reply.State}
    return render(request, "loyalty/event_detail.html", context, status=422 if form.errors else 200)


def event_add(request: DeskRequest) -> HttpResponse:
    form = EventForm(request.POST or None, initial={"visible_from": timezone.now(), "places": 20})
    if request.method == "POST" and form.is_valid():
        event = events.add(plan=form.plan())
        messages.success(request, _("“%(name)s” is added.") % {"name": event})
        return redirect(event)
    return _form(request, form)


def event_edit(request: DeskRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        rows = Event.objects.select_for_update(no_key=True) if request.method == "POST" else Event.objects
        event = get_object_or_404(rows, pk=pk)
        form = EventForm(request.POST or None, initial=initial(event))
        if request.method == "POST" and form.is_valid():
            try:
                events.change(event_id=pk, plan=form.plan(), at=timezone.now())
            except events.EventProblem as problem:
                form.add_error(None, str(problem))
            else:
                messages.success(request, _("Saved."))
                return redirect(event)
    return _form(request, form, event)


def _form(request: DeskRequest, form: EventForm, event: Event | None = None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "event": event}
    return render(request, "loyalty/event_form.html", context, status=422 if form.errors else 200)


@require_POST
def event_cancel(request: DeskRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    events.cancel(event_id=pk, at=timezone.now())
    messages.success(request, _("“%(name)s” is cancelled. Those who replied are listed here.") % {"name": event})
    return redirect(event)


@require_POST
def event_reply(request: DeskRequest, pk: int) -> HttpResponse:
    """The desk answers for a customer: `comes` or not."""
    event, form = get_object_or_404(found.listed(), pk=pk), GuestForm(request.POST)
    if not form.is_valid():
        return _detail(request, event, form)
    customer, comes = form.cleaned_data["customer"], "comes" in request.POST
    try:
        reply = events.reply_for(event_id=pk, customer_id=customer.pk, comes=comes, at=timezone.now())
    except events.EventProblem as problem:
        messages.error(request, str(problem))
    else:
        text = _("%(customer)s: %(state)s.")
        messages.success(request, text % {"customer": customer, "state": reply.get_state_display()})
    return redirect(event)
