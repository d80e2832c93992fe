"""Price lists, their prices, and what a customer pays."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from customers.models import Customer
from loyalty.forms.price_list import PreviewForm, PriceForm, PriceListForm, initial
from loyalty.models import PriceList
from loyalty.selectors import price_pages as pages
from loyalty.services import price_lists


def price_list_list(request: DeskRequest) -> HttpResponse:
    form = PreviewForm(request.GET or None)
    found = pages.find_customers(form.cleaned_data["customer"]) if form.is_valid() else []
    customer = _chosen(request, found)
    context = {
        "lists": pages.lists(),
        "form": form,
        "found": [] if customer else found,
        "customer": customer,
        "preview": pages.preview(customer, at=timezone.now(), business=request.business) if customer else None,
    }
    return render(request, "loyalty/price_list_list.html", context)


def _chosen(request: DeskRequest, found: list[Customer]) -> Customer | None:
    """The customer whose prices are shown: the one that was picked, or the only one of that name."""
    number = request.GET.get("of", "")
    if number.isascii() and number.isdecimal() and len(number) < 19:
        return Customer.objects.filter(pk=int(number)).first()
    return found[0] if len(found) == 1 else None


def price_list_detail(request: DeskRequest, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(PriceList, pk=pk), PriceForm(business=request.business))


def _detail(request: DeskRequest, row: PriceList, form: PriceForm, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"price_list": row, "items": pages.items(row, business=request.business), "form": form}
    return render(request, "loyalty/price_list_detail.html", context, status=status)


def price_list_add(request: DeskRequest) -> HttpResponse:
    form = PriceListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row = price_lists.add(settings=form.settings())
        messages.success(request, _("The list is there. Now write its prices."))
        return redirect(row)
    return render(request, "loyalty/price_list_form.html", {"form": form}, status=422 if form.errors else 200)


@transaction.atomic
def price_list_edit(request: DeskRequest, pk: int) -> HttpResponse:
    rows = PriceList.objects.select_for_update(no_key=True) if request.method == "POST" else PriceList.objects.all()
    row = get_object_or_404(rows, pk=pk)
    form = PriceListForm(request.POST or None, initial=initial(row))
    if request.method == "POST" and form.is_valid():
        price_lists.change(price_list_id=pk, settings=form.settings())
        messages.success(request, _("Saved."))
        return redirect(row)
    context = {"form": form, "price_list": row}
    return render(request, "loyalty/price_list_form.html", context, status=422 if form.errors else 200)


@require_POST
def price_set(request: DeskRequest, pk: int) -> HttpResponse:
    """Write the price of a product, a category or all goods."""
    row = get_object_or_404(PriceList, pk=pk)
    form = PriceForm(request.POST, business=request.business)
    if form.is_valid():
        try:
            price_lists.set_price(price_list=row, **form.cleaned_data)
        except price_lists.NotADiscount as problem:
            form.add_error("unit_price", str(problem))
        else:
            messages.success(request, _("Saved."))
            return redirect(row)
    return _detail(request, row, form, status=422)


@require_POST
def price_remove(request: DeskRequest, pk: int, item: int) -> HttpResponse:
    row = get_object_or_404(PriceList, pk=pk)
    price_lists.remove_price(price_list_id=pk, item_id=item)
    messages.success(request, _("Removed. The public price holds again."))
    return redirect(row)
