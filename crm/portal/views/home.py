from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from crm.portal.door import PortalRequest, for_customer
from crm.portal.selectors import home as front
from crm.portal.selectors import orders
from loyalty.services import birthdays, tiers


@for_customer
def home(request: PortalRequest) -> HttpResponse:
    """What there is to spend, what comes, what goes, and what it is good for; without a programme the last orders."""
    if not request.programme.is_open:
        _page, bought = orders.orders(request.customer, page="1")
        return render(request, "me/home_plain.html", {"orders": bought[: front.SHOWN]})
    return render(request, "me/home.html", {"home": front.home(request.customer, at=timezone.now())})


@require_POST
@for_customer
def notices_seen(request: PortalRequest) -> HttpResponse:
    at = timezone.now()
    tiers.mark_seen(customer_id=request.customer.pk, at=at)
    birthdays.mark_seen(customer_id=request.customer.pk, at=at)
    return redirect("me:home")
