from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from analytics import value_plots
from analytics.selectors import customer_value
from core.http import DeskRequest, wants_part
from customers.models import Customer


def customer_value_course(request: DeskRequest, pk: int) -> HttpResponse:
    """A customer's value and chances night by night: loaded after her page, because it reads many nights."""
    customer = get_object_or_404(Customer, pk=pk)
    points = customer_value.course(pk)
    context = {
        "customer": customer,
        "points": points[::-1],
        "plots": value_plots.of_customer(points, business=request.business) if len(points) > 1 else None,
    }
    page = "analytics/_customer_value_course.html" if wants_part(request) else "analytics/customer_value_course.html"
    return render(request, page, context)
