from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core import edits, money
from core.forms.guarded import Beside
from core.http import DeskRequest, wants_part
from core.models import Business
from customers import pricing
from customers.forms import order as forms
from customers.forms.fields import cents
from customers.models import Customer, Order, OrderLine
from customers.selectors import orders as found
from customers.services import corrections

MORE_ROWS = 3


def order_detail(request: DeskRequest, pk: int) -> HttpResponse:
    try:
        whole = found.whole(pk)
    except Order.DoesNotExist as error:
        raise Http404("No such order.") from error
    context = {"whole": whole, "order": whole.order, "customer": whole.order.customer}
    return render(request, "customers/order_detail.html", context)


def order_add(request: DeskRequest, customer_pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_pk)
    form = forms.NewOrderForm(
        request.POST or None, initial=forms.new_initial(timezone.localdate()), business=request.business
    )
    rows = _rows(request, ())
    if _is_save(request) and form.is_valid() and rows.is_valid():
        try:
            order = corrections.add(customer=customer, number=form.cleaned_data["number"], told=form.told(rows.lines()))
        except corrections.NumberTaken:
            form.add_error("number", _("Another order has this number."))
        else:
            messages.success(request, _("The order is recorded."))
            return redirect(order)
    return _form_page(request, form, rows, {"customer": customer})


def order_edit(request: DeskRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        orders = Order.objects.select_for_update(no_key=True) if request.method == "POST" else Order.objects.all()
        order = get_object_or_404(orders, pk=pk)
        lines = found.lines(order)
        now, rows = _unbound(request, lines), _rows(request, lines)
        form = forms.OrderForm(
            request.POST or None,
            initial=forms.initial(order, business=request.business),
            business=request.business,
            edited=lambda: edits.last_words(Order, pk),
            beside={"lines": Beside(label=_("Lines"), current=now.texts(), yours=rows.texts())},
        )
        if _is_save(request) and form.is_valid():
            if "lines" in form.kept:
                rows = forms.as_posted(now, currency=request.business.currency)
            if rows.is_valid() and _is_corrected(form, rows, pk):
                messages.success(request, _("Saved."))
                return redirect(order)
    return _form_page(request, form, rows, {"order": order, "customer": order.customer})


def _is_corrected(form: forms.OrderForm, rows: forms.BaseLines, pk: int) -> bool:
    try:
        corrections.correct(order_id=pk, told=form.told(rows.lines()))
    except corrections.CannotCorrect as error:
        form.add_error(None, str(error))
        return False
    return True


def _is_save(request: DeskRequest) -> bool:
    """Not a request for more rows or for the totals."""
    return request.method == "POST" and not {"more", "preview"} & set(request.POST)


def _rows(request: DeskRequest, lines: Sequence[OrderLine]) -> forms.BaseLines:
    return forms.line_set(
        request.POST if request.method == "POST" else None,
        currency=request.business.currency,
        lines=lines,
        more=MORE_ROWS if "more" in request.POST else 0,
    )


def _unbound(request: DeskRequest, lines: Sequence[OrderLine]) -> forms.BaseLines:
    return forms.line_set(None, currency=request.business.currency, lines=lines)


@require_POST
def order_cancel(request: DeskRequest, pk: int) -> HttpResponse:
    order = corrections.cancel(order_id=get_object_or_404(Order, pk=pk).pk)
    messages.success(request, _("The order is cancelled and counts nowhere any more."))
    return redirect(order)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What an order would come to, in minor units."""

    lines_cents: int
    tax_cents: int
    shipping_cents: int
    includes_tax: bool

    @property
    def net_cents(self) -> int:
        return self.lines_cents - (self.tax_cents if self.includes_tax else 0)

    @property
    def paid_cents(self) -> int:
        return self.net_cents + self.tax_cents + self.shipping_cents


def _totals(form: forms.OrderForm, rows: forms.BaseLines, business: Business) -> Totals | None:
    """None while something cannot be read."""
    if not form.is_bound or not rows.is_valid() or {"tax", "shipping"} & set(form.errors):
        return None
    exponent = money.exponent(business.currency)
    told = form.cleaned_data
    return Totals(
        lines_cents=sum(
            pricing.line_net(
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_cents=line.discount_cents,
                exponent=exponent,
            )
            for line in rows.lines()
        ),
        tax_cents=cents(told["tax"], business.currency),
        shipping_cents=cents(told["shipping"], business.currency),
        includes_tax=business.prices_include_tax,
    )


def _form_page(
    request: DeskRequest, form: forms.OrderForm, rows: forms.BaseLines, context: Mapping[str, Any]
) -> HttpResponse:
    page = {"form": form, "rows": rows, "totals": _totals(form, rows, request.business), **context}
    is_part = wants_part(request) and "preview" in request.POST
    return render(request, "customers/_order_totals.html" if is_part else "customers/order_form.html", page)
