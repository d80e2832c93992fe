from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from core import edits, money
from core.http import DeskRequest, wants_part
from customers.forms import contract as forms
from customers.forms.customer import numbered
from customers.models import Company, Contract, ContractTerm, Customer
from customers.selectors import contracts as found
from customers.services import contract_removal, contracts

REMOVED = "removed_contract"  # in the session: what puts the last one back
OFFERED = timedelta(hours=1)  # for which the list offers that
STATES = (
    ("", pgettext_lazy("contract", "Open")),
    *((str(days), gettext_lazy("Due in %(days)s days")) for days in found.DUE_DAYS),
    ("overdue", gettext_lazy("Overdue")),
    ("ended", gettext_lazy("Ended")),
    ("all", gettext_lazy("All")),
)


def contract_list(request: DeskRequest) -> HttpResponse:
    day, state = timezone.localdate(), request.GET.get("state", "")
    matching = found.search(request.GET.get("q", ""))
    shown = found.of_state(matching, state, day=day)
    page = found.page(shown, number=request.GET.get("page", "1"))
    numbers = found.counts(matching, day=day)
    context = {
        "page": page,
        "rows": found.rows(list(page), day=day),
        "totals": found.totals(shown),
        "state": state,
        "tabs": [(value, str(name) % {"days": value}, numbers[value or "open"]) for value, name in STATES],
        "none_at_all": not numbers["all"] and not request.GET.get("q"),
        "removed": _removed_lately(request),
        "automatic": len(contracts.automatic_and_over(on=day)) if state == "overdue" else 0,
    }
    template = "customers/_contracts.html" if wants_part(request) else "customers/contract_list.html"
    return render(request, template, context)


def _removed_lately(request: DeskRequest) -> str:
    """What this person removed last; empty when that was long ago."""
    removed = request.session.get(REMOVED)
    if removed is None or timezone.now().timestamp() - removed["at"] > OFFERED.total_seconds():
        return ""
    return str(removed["name"])


def contract_options(request: DeskRequest) -> HttpResponse:
    """Customers that an input suggests: its text is the only value of the query."""
    text = str(next(iter(request.GET.values()), ""))
    options = [(forms.numbered_customer(customer), "") for customer in found.people(text)]
    return render(request, "customers/_options.html", {"options": options})


def contract_detail(request: DeskRequest, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(Contract, pk=pk), {})


def _detail(request: DeskRequest, contract: Contract, bound: Mapping[str, Any]) -> HttpResponse:
    """`bound`: the form of an action that was refused, as `renew_form` or `cancel_form`."""
    today = timezone.localdate()
    row = found.of_contract(contract, day=today)
    asked = {"number": row.term.number, "on": today}
    context = {
        "contract": row.contract,
        "row": row,
        "terms": contract.terms.order_by("-number"),
        "reopens": row.term.number - (row.term.outcome == ContractTerm.Outcome.PENDING),
        "renew_form": forms.RenewForm(
            initial=asked | {"value": money.major(row.contract.value_cents, request.business.currency)},
            today=today,
            business=request.business,
        ),
        "cancel_form": forms.CancelForm(initial=asked, today=today),
        **bound,
    }
    return render(request, "customers/contract_detail.html", context)


def contract_add(request: DeskRequest) -> HttpResponse:
    today = timezone.localdate()
    form = forms.NewContractForm(request.POST or None, initial=_from_address(request), business=request.business)
    if request.method == "POST" and form.is_valid():
        try:
            made = contracts.add(agreement=form.agreement(), on=today, renewals=form.cleaned_data["renewals"])
        except contracts.NotBegun:
            form.add_error("renewals", _("From its first day until today it cannot have been renewed so often."))
        else:
            messages.success(request, _("The contract is recorded."))
            return redirect(made)
    return render(request, "customers/contract_form.html", {"form": form})


def _from_address(request: DeskRequest) -> dict[str, Any]:
    """What a link may fill in: the company or the customer on whose page it stands."""
    today = timezone.localdate()
    asked = {name: request.GET.get(name, "") for name in ("company", "customer")}
    numbers = {name: int(text[:18]) if text.isascii() and text.isdecimal() else 0 for name, text in asked.items()}
    company = Company.objects.filter(pk=numbers["company"]).first()
    customer = Customer.objects.select_related("company").filter(pk=numbers["customer"]).first()
    company = company or (customer.company if customer else None)
    return {
        "company": numbered(company) if company else "",
        "customer": forms.numbered_customer(customer) if customer else "",
        "agreed_on": today,
        "starts_on": today,
        "term_months": 12,
        "renewals": 0,
    }


def contract_edit(request: DeskRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        rows = Contract.objects.select_related("company", "customer")
        if request.method == "POST":
            rows = rows.select_for_update(no_key=True, of=("self",))
        contract = get_object_or_404(rows, pk=pk)
        form = forms.KnownContractForm(
            request.POST or None,
            initial=forms.initial(contract, currency=request.business.currency),
            business=request.business,
            edited=lambda: edits.last_words(Contract, pk),
        )
        if request.method == "POST" and form.is_valid() and _is_changed(form, pk):
            messages.success(request, _("Saved."))
            return redirect(contract)
    return render(request, "customers/contract_form.html", {"form": form, "contract": contract})


def _is_changed(form: forms.KnownContractForm, pk: int) -> bool:
    try:
        contracts.change(contract_id=pk, agreement=form.agreement(), reprices=form.cleaned_data["reprices"])
    except contracts.HasBegun:
        form.add_error("starts_on", _("Terms of this contract were decided upon: the day on which it began stands."))
        return False
    return True


@require_POST
def contract_renew(request: DeskRequest, pk: int) -> HttpResponse:
    contract = get_object_or_404(Contract, pk=pk)
    form = forms.RenewForm(request.POST, today=timezone.localdate(), business=request.business)
    if not form.is_valid():
        return _detail(request, contract, {"renew_form": form})
    told = form.cleaned_data
    try:
        contracts.renew(contract_id=pk, number=told["number"], on=told["on"], value_cents=form.value_cents)
    except (contracts.AlreadyDecided, ContractTerm.DoesNotExist):
        messages.error(request, _("Somebody else has decided upon this term meanwhile: see below."))
    except contracts.NotBegun:
        messages.error(request, _("This term has not begun: it cannot be renewed yet."))
    else:
        messages.success(request, _("Renewed: the next term is below."))
    return redirect(contract)


@require_POST
def contract_cancel(request: DeskRequest, pk: int) -> HttpResponse:
    contract = get_object_or_404(Contract, pk=pk)
    form = forms.CancelForm(request.POST, today=timezone.localdate())
    if form.is_valid():
        try:
            contracts.cancel(contract_id=pk, **form.cleaned_data)
        except contracts.NotOver:
            form.add_error("outcome", _("A term lapses when it is over, not before. Did the customer cancel?"))
        except (contracts.AlreadyDecided, ContractTerm.DoesNotExist):
            messages.error(request, _("Somebody else has decided upon this term meanwhile: see below."))
        else:
            messages.success(request, _("The contract ends with this term."))
    return _detail(request, contract, {"cancel_form": form}) if form.errors else redirect(contract)


@require_POST
def contract_reopen(request: DeskRequest, pk: int, number: int) -> HttpResponse:
    contract = get_object_or_404(Contract, pk=pk)
    try:
        contracts.take_back(contract_id=pk, number=number)
    except contracts.CannotTakeBack:
        messages.error(request, _("Only the latest decision can be taken back."))
    else:
        messages.success(request, _("The decision is taken back: the term is open again."))
    return redirect(contract)


@require_POST
def contract_renew_automatic(request: DeskRequest) -> HttpResponse:
    number = contracts.renew_automatic(on=timezone.localdate())
    messages.success(
        request, ngettext("%(number)s contract renewed.", "%(number)s contracts renewed.", number) % {"number": number}
    )
    return redirect("customers:contract_list")


@require_POST
def contract_remove(request: DeskRequest, pk: int) -> HttpResponse:
    contract = get_object_or_404(Contract, pk=pk)
    try:
        kept = contract_removal.remove(contract_id=pk)
    except contract_removal.InUse as error:
        message = _("Term %(number)s was decided upon since: take that back first, or let the contract end.")
        messages.error(request, message % {"number": error.term.number})
        return redirect(contract)
    request.session[REMOVED] = {"name": str(contract), "kept": kept, "at": timezone.now().timestamp()}
    return redirect("customers:contract_list")


@require_POST
def contract_put_back(request: DeskRequest) -> HttpResponse:
    """The contract that this person removed last."""
    removed = request.session.pop(REMOVED, None)
    if removed is None:
        messages.error(request, _("There is nothing to put back."))
        return redirect("customers:contract_list")
    try:
        contract = contract_removal.put_back(kept=removed["kept"])
    except contract_removal.CannotPutBack:
        messages.error(request, _("It cannot be put back: its number is taken, or its company or customer is gone."))
        return redirect("customers:contract_list")
    messages.success(request, _("The contract is there again."))
    return redirect(contract)
