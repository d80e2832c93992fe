from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from crm.portal.door import PortalRequest, for_customer
from crm.portal.selectors import statement as told


@for_customer
def statement(request: PortalRequest) -> HttpResponse:
    """Every change of the points, the latest first, and what is left of each batch."""
    chosen = request.GET.get("only", "")
    page, lines = told.lines(request.customer, chosen=chosen, page=request.GET.get("page", ""))
    context = {
        "page": page,
        "lines": lines,
        "filters": [(value, name) for value, (name, _kinds) in told.FILTERS.items()],
        "chosen": chosen,
        "batches": told.batches(request.customer, at=timezone.now()),
    }
    return render(request, "me/statement.html", context)
