"""A customer's points for staff: the panel beside her page, the last postings, and all of it."""

from django.contrib import messages
from django.db import OperationalError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core import downloads
from core.http import DeskRequest, wants_part
from customers.models import Customer
from loyalty import naming, worth
from loyalty.models import Adjustment, Hold
from loyalty.problems import LedgerProblem
from loyalty.selectors import adjustments, histories, panels, points, programme
from loyalty.services import holds
from loyalty.services.refusals import Refused

LATEST = 6


def customer_panel(request: DeskRequest, pk: int) -> HttpResponse:
    """What the customer's page loads into its column; as a page of its own it is all of it."""
    customer = get_object_or_404(Customer, pk=pk)
    if not wants_part(request):
        return redirect("loyalty:customer_points", pk=pk)
    told = panels.panel(customer, business=request.business, at=timezone.now())
    return render(request, "loyalty/_customer_panel.html", {"customer": customer, "panel": told})


def customer_postings(request: DeskRequest, pk: int) -> HttpResponse:
    """The last postings, under the timeline."""
    customer = get_object_or_404(Customer, pk=pk)
    if not wants_part(request):
        return redirect("loyalty:customer_points", pk=pk)
    rows = histories.latest(pk, most=LATEST)
    return render(request, "loyalty/_latest_postings.html", {"customer": customer, "rows": rows})


def customer_points(request: DeskRequest, pk: int) -> HttpResponse:
    customer, at = get_object_or_404(Customer, pk=pk), timezone.now()
    also_used, group = request.GET.get("lots") == "all", request.GET.get("only", "")
    page, rows = histories.rows(pk, group=group, page=request.GET.get("page", "1"))
    now, backs = points.standing(customer_id=pk, at=at), adjustments.taken_back(pk)
    context = {
        "customer": customer,
        "account": points.account_of(pk),
        "now": now,
        "worth_cents": worth.cents_of(max(now.balance, 0), worth_cents=programme.current().worth_cents),
        "lots": histories.lots(pk, at=at, also_used=also_used),
        "also_used": also_used,
        "holds": histories.holds(pk, at=at),
        "waiting": adjustments.waiting(pk).select_related("asked_by", "asked_program"),
        "page": page,
        "rows": rows,
        "groups": [(value, name) for value, (name, _kinds) in histories.GROUPS.items()],
        "group": group if group in histories.GROUPS else "",
        "taken_back": backs[Adjustment.State.DONE],
        "back_waits": backs[Adjustment.State.WAITING],
    }
    return render(request, "loyalty/customer_points.html", context)


def points_export(request: DeskRequest, pk: int) -> StreamingHttpResponse:
    get_object_or_404(Customer, pk=pk)
    return downloads.csv_file(f"points-{pk}.csv", histories.export(pk))


@require_POST
def hold_release(request: DeskRequest, pk: int) -> HttpResponse:
    hold = get_object_or_404(Hold.objects.select_related("posting"), pk=pk)
    try:
        holds.release(hold_id=pk, at=timezone.now(), by=request.user.pk)
    except (LedgerProblem, Refused) as problem:
        messages.error(request, str(problem))
    except OperationalError:
        messages.error(request, _("Somebody else is changing the same thing. Try again in a moment."))
    else:
        messages.success(request, naming.said(_("Released: the %(points)s are back.")))
    return redirect("loyalty:customer_points", pk=hold.posting.customer_id)
