"""Actions for points: added and edited by staff, reported by programs (loyalty.services.actions)."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from core.http import DeskRequest
from loyalty.forms.action import ActionForm
from loyalty.models import Action
from loyalty.selectors import programme


def action_add(request: DeskRequest) -> HttpResponse:
    return _page(request, ActionForm(request.POST or None, initial={"is_on": True}))


@transaction.atomic
def action_edit(request: DeskRequest, pk: int) -> HttpResponse:
    action = get_object_or_404(Action.objects.select_for_update(no_key=True), pk=pk)
    return _page(request, ActionForm(request.POST or None, instance=action))


def _page(request: DeskRequest, form: ActionForm) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("loyalty:programme")
    context = {"form": form, "row": programme.current()}
    return render(request, "loyalty/action_form.html", context, status=422 if form.errors else 200)
