from django.http import HttpResponse
from django.shortcuts import render

from crm.portal.door import PortalRequest, for_customer
from crm.portal.selectors import orders


@for_customer
def order_list(request: PortalRequest) -> HttpResponse:
    page, bought = orders.orders(request.customer, page=request.GET.get("page", ""))
    return render(request, "me/orders.html", {"page": page, "orders": bought})
