"""Points by hand: asked for on a customer, at once or after a second person has agreed."""

import secrets
from typing import Any

from django.contrib import messages
from django.core.paginator import Page
from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from customers.models import Customer
from loyalty.forms.adjustment import AdjustForm
from loyalty.models import Adjustment
from loyalty.problems import InsufficientPoints, KeyReused, LedgerProblem
from loyalty.selectors import adjustments as found
from loyalty.selectors import programme
from loyalty.services import adjustments


def points_adjust(request: DeskRequest, pk: int) -> HttpResponse:
    """The form; a POST shows what would become of it, and `save` does it. The form's token makes two presses one."""
    customer = get_object_or_404(Customer, pk=pk)
    if not request.business.has_loyalty:
        messages.error(request, _("There is no programme that is switched on."))
        return redirect(customer)
    sent = request.POST if request.method == "POST" else request.GET
    one = found.to_take_back(pk, number=sent.get("back", ""))
    if request.method != "POST":
        return _form(request, customer, AdjustForm(initial=_initial(one), one=one))
    form = AdjustForm(sent, one=one)
    if not form.is_valid() or "change" in request.POST:
        return _form(request, customer, form)
    if "save" not in request.POST:
        return _confirm(request, customer, form)
    saved = _saved(form, customer, by=request.user.pk)
    if saved is None:
        return _form(request, customer, form)
    _tell(request, saved)
    return redirect("loyalty:customer_points", pk=pk)


def _confirm(request: DeskRequest, customer: Customer, form: AdjustForm) -> HttpResponse:
    """What the balance would be, before anything is written."""
    asked = form.cleaned_data
    try:
        outlook = found.outlook(customer.pk, amount=asked["points"], at=timezone.now())
    except InsufficientPoints as problem:
        form.add_error("points", str(problem))
        return _form(request, customer, form)
    context = {"customer": customer, "form": form, "asked": asked, "outlook": outlook}
    return render(request, "loyalty/points_confirm.html", context)


def _form(request: DeskRequest, customer: Customer, form: AdjustForm) -> HttpResponse:
    row = programme.current()
    context = {"customer": customer, "form": form, "limit": row.adjust_limit}
    return render(request, "loyalty/points_adjust.html", context, status=422 if form.errors else 200)


def _initial(one: Adjustment | None) -> dict[str, Any]:
    """A fresh token; where one is taken back, the reason that says so."""
    told: dict[str, Any] = {"token": secrets.token_hex(16)}
    if one is not None:
        day = formats.date_format(timezone.localtime(one.asked_at), "DATE_FORMAT")
        reason = _("Takes back the adjustment of %(day)s") % {"day": day}
        told["reason"] = reason
    return told


def _saved(form: AdjustForm, customer: Customer, *, by: int) -> Adjustment | None:
    told = form.cleaned_data
    try:
        return adjustments.adjust(
            customer_id=customer.pk,
            points=told["points"],
            key=form.key,
            at=timezone.now(),
            reason=told["reason"],
            by=by,
        )
    except KeyReused:
        form.add_error(None, _sent_before(form))
    except LedgerProblem as problem:
        form.add_error("points", str(problem))
    except OperationalError:
        form.add_error(None, _("Somebody else is changing the same thing. Try again in a moment."))
    return None


def _sent_before(form: AdjustForm) -> str:
    if not form.cleaned_data["back"]:
        return _("This form was sent before. Start again.")
    if found.waits(form.key):
        return _("Somebody has asked to take it back, and that waits for a second person.")
    return _("It was taken back before.")


def _tell(request: DeskRequest, one: Adjustment) -> None:
    points = formats.number_format(abs(one.points), 0, force_grouping=True)
    if one.state == Adjustment.State.WAITING:
        messages.warning(request, _("It waits until a second person agrees."))
    elif one.state == Adjustment.State.REFUSED:
        messages.warning(request, _("Declined: nothing has changed."))
    elif one.points > 0:
        messages.success(request, _("Given: %(points)s.") % {"points": points})
    else:
        messages.success(request, _("Taken away: %(points)s.") % {"points": points})


def adjustment_list(request: DeskRequest) -> HttpResponse:
    tab = "decided" if request.GET.get("tab") == "decided" else ""
    page = found.page(found.decided() if tab else found.waiting(), number=request.GET.get("page", "1"))
    return _list(request, page, tab=tab)


def _list(request: DeskRequest, page: Page[Adjustment], *, tab: str = "", typed: str | None = None) -> HttpResponse:
    """`typed`: the answer that was not accepted, for the one adjustment of this page."""
    context = {
        "page": page,
        "tab": tab,
        "rows": [] if tab else found.with_balances(list(page), at=timezone.now()),
        "number": found.waiting().count(),
        "limit": programme.current().adjust_limit,
        "is_again": typed is not None,
        "typed": typed,
    }
    return render(request, "loyalty/adjustment_list.html", context, status=200 if typed is None else 422)


@require_POST
def adjustment_decide(request: DeskRequest, pk: int) -> HttpResponse:
    """`decision`: approve, or refuse with a reason."""
    get_object_or_404(Adjustment, pk=pk)
    is_yes = request.POST.get("decision") == "approve"
    decide = adjustments.approve if is_yes else adjustments.refuse
    try:
        decide(adjustment_id=pk, by=request.user.pk, at=timezone.now(), answer=request.POST.get("answer", ""))
    except LedgerProblem as problem:
        messages.error(request, str(problem))
    except OperationalError:
        messages.error(request, _("Somebody else is changing the same thing. Try again in a moment."))
    else:
        messages.success(request, _("Approved: it is done.") if is_yes else _("Declined: nothing has changed."))
        return redirect("loyalty:adjustment_list")
    return _again(request, pk)


def _again(request: DeskRequest, pk: int) -> HttpResponse:
    """The adjustment by itself, with the answer as it was written; the list, if there is none to keep."""
    page = found.page(found.waiting().filter(pk=pk), number="1")
    if "answer" not in request.POST or not page.object_list:
        return redirect("loyalty:adjustment_list")
    return _list(request, page, typed=request.POST["answer"])
