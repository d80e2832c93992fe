from decimal import Decimal

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from core.http import DeskRequest, wants_part
from customers.forms.order import RefundForm, new_number
from customers.models import Order
from customers.selectors import orders as found
from customers.services import refunds


def order_refund(request: DeskRequest, pk: int) -> HttpResponse:
    try:
        whole = found.whole(pk)
    except Order.DoesNotExist as error:
        raise Http404("No such order.") from error
    form = RefundForm(
        request.POST or None,
        initial={"refunded_on": timezone.localdate(), "number": new_number("R")},
        lines=whole.lines,
        currency=request.business.currency,
    )
    if request.method == "POST" and form.is_valid() and "preview" not in request.POST and _is_refunded(form, whole):
        messages.success(request, _("The refund is recorded."))
        return redirect(whole.order)
    is_part = wants_part(request) and "preview" in request.POST
    context = {"form": form, "whole": whole, "order": whole.order, "preview": _preview(form)}
    context["customer"] = whole.order.customer
    return render(request, "customers/_refund_totals.html" if is_part else "customers/refund_form.html", context)


def _is_refunded(form: RefundForm, whole: found.Whole) -> bool:
    day = form.cleaned_data["refunded_on"]
    if whole.order.status != Order.Status.PAID:
        form.add_error(None, _("Only paid orders are refunded."))
    elif day < whole.order.placed_on:
        form.add_error("refunded_on", _("The order was placed later than that."))
    elif day > timezone.localdate():
        form.add_error("refunded_on", _("That day is still to come."))
    if form.errors:
        return False
    try:
        refunds.refund(
            order=whole.order,
            external_id=form.cleaned_data["number"],
            refunded_at=form.refunded_at,
            lines=[
                refunds.Back(line_id=line.pk, quantity=quantity, net_cents=amount)
                for line, quantity, amount in form.parts()
            ],
        )
    except refunds.TooMuch:
        form.add_error(None, _("More would come back than was bought or paid. What is left stands beside each line."))
        return False
    return True


def _preview(form: RefundForm) -> list[tuple[str, Decimal, int]]:
    """(product, quantity, minor units) of what would be paid back."""
    if not form.is_bound or not form.is_valid():
        return []
    return [
        (str(line.product), quantity, found.in_proportion(line, quantity) if amount is None else amount)
        for line, quantity, amount in form.parts()
    ]
