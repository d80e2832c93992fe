from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core import edits
from core.http import DeskRequest
from customers.forms.customer import CustomerForm, initial
from customers.models import Customer
from customers.selectors import merged, people
from customers.services import custom, persons


def customer_add(request: DeskRequest) -> HttpResponse:
    form = CustomerForm(request.POST or None, initial=_from_address(request), custom_fields=custom.fields())
    shared: Sequence[Customer] = ()
    if request.method == "POST" and form.is_valid():
        told = form.person({})
        shared = people.sharing(emails=told.emails, phones=told.phones)
        if not shared or "anyway" in request.POST:
            return redirect(persons.add(person=told))
    return render(request, "customers/customer_form.html", {"form": form, "shared": shared})


def _from_address(request: DeskRequest) -> dict[str, Any]:
    """What a link may fill in: the company whose page it stands on."""
    return {"company": request.GET.get("company", ""), "emails": [], "phones": []}


def customer_edit(request: DeskRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        rows = Customer.objects.select_related("company")
        if request.method == "POST":
            rows = rows.select_for_update(no_key=True, of=("self",))
        customer = get_object_or_404(rows, pk=pk)
        if request.method == "POST" and (stands := merged.survivor(pk)) != pk:
            messages.warning(request, _("This customer was merged meanwhile. Here is who stands for them now."))
            return redirect("desk:customer_detail", pk=stands)
        before = people.contacts(pk)
        form = CustomerForm(
            request.POST or None,
            initial=initial(customer, emails=before.emails, phones=before.phones),
            custom_fields=custom.fields(),
            edited=lambda: edits.last_words(Customer, pk),
        )
        shared: Sequence[Customer] = ()
        if request.method == "POST" and form.is_valid():
            told = form.person(customer.custom)
            shared = people.sharing(
                emails=[one for one in told.emails if one not in before.emails],
                phones=[one for one in told.phones if one not in before.phones],
                but=pk,
            )
            if not shared or "anyway" in request.POST:
                persons.change(customer_id=pk, person=told)
                messages.success(request, _("Saved."))
                return redirect(customer)
    return render(request, "customers/customer_form.html", {"form": form, "customer": customer, "shared": shared})


@require_POST
def customer_archive(request: DeskRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=pk)
    persons.archive(customer_id=pk, at=timezone.now())
    return redirect(customer)


@require_POST
def customer_restore(request: DeskRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=pk)
    if persons.restore(customer_id=pk):
        messages.success(request, _("%(customer)s is back in lists and counts.") % {"customer": customer})
    return redirect(customer)
