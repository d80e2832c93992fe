"""Merging two customers who are one person: likely pairs, whom to merge with, side by side, and done."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from crm import joining
from crm.selectors import merge_preview, palette
from customers.models import Apart, Customer
from customers.selectors import apart, duplicates, people
from customers.services import apart as pairs
from customers.services.joining import CannotMerge

FIRST: Final = "email"
APART: Final = "apart"  # those who look like one person and are two


def duplicate_list(request: DeskRequest) -> HttpResponse:
    kinds: dict[str, str | Promise] = {name: one.label for name, one in duplicates.KINDS.items()}
    kinds[APART] = _("Two people")
    kind = request.GET.get("by", FIRST)
    kind = kind if kind in kinds else FIRST
    context: dict[str, object] = {"kind": kind, "kinds": kinds.items()}
    if kind == APART:
        context["page"] = apart.page(request.GET.get("page", ""))
        return render(request, "crm/apart_list.html", context)
    context["page"] = duplicates.page(kind=kind, cursor=request.GET.get("after", ""))
    return render(request, "crm/duplicate_list.html", context)


@require_POST
def customer_apart(request: DeskRequest, pk: int, other: int) -> HttpResponse:
    """These are two people; with `again` they may be one after all."""
    change: Callable[..., Apart | None] = pairs.say
    words = _("Kept as two people. Nobody is asked about them again.")
    if "again" in request.POST:
        change, words = pairs.take_back, _("They may be one person again.")
    try:
        change(one=pk, other=other, by=request.user, at=timezone.now())
    except pairs.SamePerson:
        messages.error(request, _("These two are the same customer by now."))
        return redirect("desk:duplicate_list")
    except Customer.DoesNotExist as error:
        raise Http404("No such customer.") from error
    messages.success(request, words)
    here = {name: request.POST[name] for name in ("by", "after") if request.POST.get(name)}
    return redirect(f"{reverse('desk:duplicate_list')}?{urlencode(here)}")


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
    context = {"preview": preview, "apart": apart.of(pk, other)}
    return render(request, "crm/customer_merge_with.html", context)
