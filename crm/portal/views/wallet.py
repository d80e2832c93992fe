from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from crm.portal.door import PortalRequest, for_customer
from loyalty.selectors import wallet as held


@for_customer
def wallet(request: PortalRequest) -> HttpResponse:
    """The codes that the customer can use, with their terms; those that do nothing just now say why."""
    tickets = held.wallet(request.customer.pk, at=timezone.now(), business=request.business)
    return render(request, "me/wallet.html", {"tickets": tickets})
