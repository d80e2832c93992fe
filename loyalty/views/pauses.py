from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from core.http import DeskRequest
from loyalty.forms.pause import ResumeForm
from loyalty.selectors import overview, programme
from loyalty.services import pauses


def programme_pause(request: DeskRequest) -> HttpResponse:
    """Asks, then pauses a programme that runs, or lets one that is paused go on."""
    row = programme.current()
    if not row.is_open:
        return redirect("loyalty:programme")
    form = ResumeForm(request.POST or None, initial={"counts_orders": "no"})
    if request.method == "POST" and ("pause" in request.POST or form.is_valid()):
        try:
            messages.success(request, _done(request, form))
        except pauses.CannotPause as problem:
            messages.error(request, str(problem))
        return redirect("loyalty:programme")
    context = {"row": row, "form": form, "figures": overview.figures(), "waiting": overview.orders_of_pause(row)}
    return render(request, "loyalty/programme_pause.html", context, status=422 if form.errors else 200)


def _done(request: DeskRequest, form: ResumeForm) -> str:
    at = timezone.now()
    if "pause" in request.POST:
        pauses.pause(at=at)
        return _("The programme is paused.")
    counts = form.cleaned_data["counts_orders"] == "yes"
    pauses.resume(counts_orders=counts, at=at, by=request.user.pk)
    if counts:
        return _("The programme goes on. What was ordered meanwhile is credited within a minute.")
    return _("The programme goes on.")
