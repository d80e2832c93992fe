from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from analytics.models import ContractTotal
from analytics.selectors import contract_values
from core.http import DeskRequest, wants_part
from customers.models import Company, Contract


def contract_value(request: DeskRequest, pk: int) -> HttpResponse:
    """How likely a contract is renewed and what it is worth; loaded into its page, and a page of its own."""
    contract = get_object_or_404(Contract.objects.select_related("company", "customer"), pk=pk)
    context = {"contract": contract, "worth": contract_values.worth(contract)}
    template = "analytics/_contract_value.html" if wants_part(request) else "analytics/contract_value.html"
    return render(request, template, context)


def company_contracts(request: DeskRequest, pk: int) -> HttpResponse:
    """What a company's contracts are worth together."""
    company = get_object_or_404(Company, pk=pk)
    total = contract_values.total(ContractTotal.Owner.COMPANY, pk)
    template = "analytics/_contract_total.html" if wants_part(request) else "analytics/company_contracts.html"
    return render(request, template, {"company": company, "total": total})
