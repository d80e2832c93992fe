from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import edits
from core.http import DeskRequest, wants_part
from customers.forms.company import CompanyForm, initial
from customers.forms.customer import numbered
from customers.models import Company
from customers.selectors import companies as found
from customers.selectors import contracts
from customers.services import companies
from customers.views.pages import form_page

CONTACTS = 100
HOME = ("customers:company_list", gettext_lazy("Companies"))


def company_list(request: DeskRequest) -> HttpResponse:
    page = found.page(text=request.GET.get("q", ""), number=request.GET.get("page", "1"))
    context = {"page": page, "rows": found.rows(list(page))}
    return render(
        request, "customers/_companies.html" if wants_part(request) else "customers/company_list.html", context
    )


def company_options(request: DeskRequest) -> HttpResponse:
    """What an input suggests: its text is the only value of the query."""
    text = str(next(iter(request.GET.values()), ""))
    names = [numbered(company) for company in found.search(text).order_by("name", "pk")[: found.OPTIONS]]
    return render(request, "customers/_options.html", {"options": [(name, "") for name in names]})


def company_detail(request: DeskRequest, pk: int) -> HttpResponse:
    company = get_object_or_404(Company, pk=pk)
    (row,) = found.rows([company])
    shows = request.business.shows_contracts
    context = {
        "company": company,
        "contracts": contracts.of_company(pk, day=timezone.localdate()) if shows else [],
        "row": row,
        "contacts": found.contacts(pk)[:CONTACTS],
        "numbered": numbered(company),
    }
    return render(request, "customers/company_detail.html", context)


def company_add(request: DeskRequest) -> HttpResponse:
    form = CompanyForm(request.POST or None, initial={"name": request.GET.get("name", "")})
    if request.method == "POST" and form.is_valid():
        return redirect(companies.add(terms=form.terms()))
    return form_page(request, form, title=_("Add a company"), home=HOME)


def company_edit(request: DeskRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        rows = Company.objects.select_for_update(no_key=True) if request.method == "POST" else Company.objects.all()
        company = get_object_or_404(rows, pk=pk)
        form = CompanyForm(
            request.POST or None,
            initial=initial(company),
            has_contracts=bool(contracts.last_days([pk])),
            edited=lambda: edits.last_words(Company, pk),
        )
        if request.method == "POST" and form.is_valid():
            companies.change(company_id=pk, terms=form.terms())
            messages.success(request, _("Saved."))
            return redirect(company)
    return form_page(request, form, title=_("Edit"), home=HOME, record=company)
