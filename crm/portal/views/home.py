from django.http import HttpResponse
from django.shortcuts import render

from crm.portal.door import PortalRequest, for_customer


@for_customer
def home(request: PortalRequest) -> HttpResponse:
    """What there is to spend, what comes, what goes, and what it is good for."""
    return render(request, "me/home.html", {})
