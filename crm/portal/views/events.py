from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.portal.door import PortalRequest, for_customer
from crm.portal.selectors import events as found
from loyalty.models import Reply
from loyalty.selectors import events
from loyalty.services import events as services

State = Reply.State


@for_customer
def event_list(request: PortalRequest) -> HttpResponse:
    if not request.programme.is_open:
        raise Http404
    return render(request, "me/events.html", {"invitations": found.invitations(request.customer, at=timezone.now())})


@require_POST
@for_customer
def event_reply(request: PortalRequest, pk: int) -> HttpResponse:
    """Come or not. Who comes too late for a place waits for one; an event that is not theirs is none."""
    if not request.programme.is_open:
        raise Http404
    at, comes = timezone.now(), request.POST.get("answer") == "yes"
    event = get_object_or_404(events.visible_to(request.customer.pk, at), pk=pk)
    try:
        reply = services.reply(event_id=event.pk, customer_id=request.customer.pk, comes=comes, at=at)
    except services.EventProblem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _said(State(reply.state)))
    return redirect(f"{reverse('me:event_list')}#event-{event.pk}")


def _said(state: State) -> str:
    return {
        State.YES: _("You have a place. We look forward to you."),
        State.WAITING: _("You are on the waiting list. A place that is given back goes to whoever has waited longest."),
        State.NO: _("You do not come. Thank you for telling us."),
    }[state]
