from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.models import ContractTotal
from analytics.selectors import contract_values, risk_parts, worth
from core.http import DeskRequest, wants_part
from crm import chips, sorting
from crm.selectors import customer as one
from crm.selectors import nights, people, segments
from crm.selectors import timeline as events
from crm.views.tags import panel
from customers.models import Customer
from customers.selectors import contracts, merged

VIEWS = (
    {"name": gettext_lazy("All"), "query": ""},
    {"name": gettext_lazy("About to leave"), "query": "risk=high&risk=medium&sort=-orders"},
    {"name": gettext_lazy("Champions"), "query": "segment=champions"},
    {"name": gettext_lazy("New"), "query": "segment=new"},
    {"name": gettext_lazy("Can't lose"), "query": "segment=cant-lose"},
    {"name": gettext_lazy("Silent for a year"), "query": "last=older"},
)


def customer_list(request: DeskRequest) -> HttpResponse:
    run = nights.current()
    query = people.query(data=request.GET, run=run, business=request.business)
    context = {
        "run": run,
        "query": query,
        "listing": people.listing(query, cursor=request.GET.get("cursor", "")),
        "columns": sorting.columns(query.sort),
        "chips": chips.chips(query, request.GET),
        "facets": segments.facets(run),
        "address": address(request.GET),
        "back": "?" + urlencode({"in": address(request.GET)}),
        "views": VIEWS,
    }
    return render(request, "crm/_customers.html" if wants_part(request) else "crm/customer_list.html", context)


def address(data: QueryDict) -> str:
    """The list's filters and sort without the page, to come back to it."""
    rest = data.copy()
    rest.pop("cursor", None)
    return rest.urlencode()


def customer_totals(request: DeskRequest) -> HttpResponse:
    query = people.query(data=request.GET, run=nights.current(), business=request.business)
    return render(request, "crm/_totals.html", {"totals": people.totals(query)})


def customer_detail(request: DeskRequest, pk: int) -> HttpResponse:
    today = timezone.localdate()
    months = 24 if request.GET.get("months") == "24" else 12
    try:
        profile = one.profile(pk)
    except Customer.DoesNotExist as error:
        raise Http404("No such customer.") from error
    if profile.customer.archived_at and (stands := merged.survivor(pk)) != pk:
        messages.info(request, _("%(customer)s was merged into this customer.") % {"customer": profile.customer})
        return redirect("desk:customer_detail", pk=stands)
    standing = one.standing(pk=pk, run=nights.current())
    context = {
        "profile": profile,
        "customer": profile.customer,
        "standing": standing,
        "reasons": one.why(standing) if standing else [],
        "risk_parts": risk_parts.of(standing.score, standing.run) if standing else None,
        "orders": one.orders(pk),
        "worth": worth.of_customer(standing.score, run=standing.run) if standing else None,
        "spend": one.spend(pk=pk, today=today, months=months),
        "months": months,
        "back": request.GET.get("in", ""),
        **_timeline(request, pk),
        **panel(pk),
        "standings": one.groups_of(standing) if standing else [],
        **(_contracts(pk) if request.business.shows_contracts else {}),
    }
    return render(request, "crm/customer_detail.html", context)


def _contracts(pk: int) -> dict[str, object]:
    found = contracts.of_customer(pk, day=timezone.localdate())
    total = contract_values.total(ContractTotal.Owner.CUSTOMER, pk) if found else None
    return {"contracts": found, "contract_total": total}


def customer_timeline(request: DeskRequest, pk: int) -> HttpResponse:
    return render(request, "crm/_timeline.html", {"customer": {"pk": pk}, **_timeline(request, pk)})


def _timeline(request: DeskRequest, pk: int) -> dict[str, object]:
    kind, kinds = request.GET.get("type", ""), events.kinds(request.business)
    kind = kind if kind in kinds else ""
    found = events.timeline(customer_id=pk, business=request.business, kind=kind, before=request.GET.get("before", ""))
    return {"timeline": found, "kind": kind, "kinds": kinds}


def customer_neighbours(request: DeskRequest, pk: int) -> HttpResponse:
    """Links to the customers before and after this one in the list that it was opened from."""
    back = request.GET.get("in", "")
    query = people.query(data=QueryDict(back), run=nights.current(), business=request.business)
    before, after = people.neighbours(query, pk=pk)
    return render(request, "crm/_neighbours.html", {"before": before, "after": after, "back": back})
