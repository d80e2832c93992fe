"""Merging two customers who are one person: likely pairs, whom to merge with, side by side, and done."""

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from core.http import DeskRequest
from crm import joining
from crm.selectors import merge_preview, palette
from customers.models import Customer
from customers.selectors import duplicates, people
from customers.services.joining import CannotMerge

FIRST: Final = "email"


def duplicate_list(request: DeskRequest) -> HttpResponse:
    kind = request.GET.get("by", FIRST)
    kind = kind if kind in duplicates.KINDS else FIRST
    context = {
        "kind": kind,
        "kinds": [(name, one.label) for name, one in duplicates.KINDS.items()],
        "page": duplicates.page(kind=kind, cursor=request.GET.get("after", "")),
    }
    return render(request, "crm/duplicate_list.html", context)


def customer_merge(request: DeskRequest, pk: int) -> HttpResponse:
    """Whom to merge with: who shares an address or a number, or whoever is searched for."""
    customer, text = get_object_or_404(Customer, pk=pk), request.GET.get("q", "")
    own = people.contacts(pk)
    found = [row.customer for row in palette.customers(text, run=None)] if text else []
    context = {
        "customer": customer,
        "text": text,
        "found": [one for one in found if one.pk != pk],
        "sharing": [
            one for one in people.sharing(emails=own.emails, phones=own.phones, but=pk) if one.archived_at is None
        ],
    }
    return render(request, "crm/customer_merge.html", context)


def customer_merge_with(request: DeskRequest, pk: int, other: int) -> HttpResponse:
    """What will be; and, once somebody has confirmed it, done."""
    at = timezone.now()
    if request.method == "POST":
        try:
            joining.merge(into=pk, other=other, by=request.user, at=at)
        except CannotMerge as problem:
            messages.error(request, str(problem))
            return redirect("desk:customer_merge_with", pk=pk, other=other)
        except Customer.DoesNotExist as error:
            raise Http404("No such customer.") from error
        messages.success(request, _("Merged. Both are this customer now."))
        return redirect("desk:customer_detail", pk=pk)
    try:
        preview = merge_preview.preview(into=pk, other=other, business=request.business, at=at)
    except Customer.DoesNotExist as error:
        raise Http404("No such customer.") from error
    return render(request, "crm/customer_merge_with.html", {"preview": preview})
