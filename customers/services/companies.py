"""One company by hand."""

from dataclasses import dataclass, fields
from datetime import date

from django.db import transaction

from customers.models import Company, Customer
from customers.services import search
from customers.services.persons import SOURCE


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What people edit of a company."""

    name: str
    tax_number: str = ""
    payment_terms_days: int | None = None
    contract_starts_on: date | None = None
    contract_ends_on: date | None = None


COLUMNS = tuple(one.name for one in fields(Terms))


@transaction.atomic
def add(*, terms: Terms) -> Company:
    """A new company, known under its own number."""
    company = Company(source=SOURCE, external_id="", **{name: getattr(terms, name) for name in COLUMNS})
    company.save(force_insert=True)
    company.external_id = str(company.pk)
    company.save(update_fields=["external_id"])
    return company


@transaction.atomic
def change(*, company_id: int, terms: Terms) -> Company:
    company = Company.objects.select_for_update(no_key=True).get(pk=company_id)
    is_renamed = company.name != terms.name
    for name in COLUMNS:
        setattr(company, name, getattr(terms, name))
    company.save(update_fields=COLUMNS)
    if is_renamed:  # contacts are found by their company's name
        search.refresh(customer_ids=Customer.objects.filter(company=company).values_list("pk", flat=True))
    return company
