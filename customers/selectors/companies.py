"""Companies: what their contacts bought, and who the contacts are."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from customers.models import Company, Customer, Order, Refund
from customers.selectors import contracts

PAGE_ROWS: Final = 25
OPTIONS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Row:
    company: Company
    contacts: int
    orders: int
    value_cents: int
    ends_on: date | None  # of its contracts; what people wrote down where none is recorded


def page(*, text: str, number: str) -> Page[Company]:
    """Companies by name with their contacts counted. Three queries with `rows`."""
    return Paginator(search(text).order_by("name", "pk"), PAGE_ROWS).get_page(number)


def search(text: str) -> QuerySet[Company]:
    words = text.replace("\0", " ").split()[:6]
    found = Company.objects.all()
    for word in words:
        found = found.filter(Q(name__icontains=word) | Q(tax_number__icontains=word))
    return found


def rows(companies: list[Company]) -> list[Row]:
    """Contacts and order value of some companies, archived contacts' orders too, and when their contracts end: five
    queries.
    """
    ids = [company.pk for company in companies]
    contacts = dict(_by_company(Customer.objects.filter(archived_at__isnull=True), "company", ids, Count("pk")))
    paid = Order.objects.filter(status=Order.Status.PAID)
    orders = dict(_by_company(paid, "customer__company", ids, Count("pk")))
    value = dict(_by_company(paid, "customer__company", ids, Sum("value_cents")))
    back = Refund.objects.filter(order__status=Order.Status.PAID)
    refunded = dict(_by_company(back, "customer__company", ids, Sum("value_cents")))
    ends = contracts.last_days(ids)
    return [
        Row(
            company=company,
            contacts=contacts.get(company.pk, 0),
            orders=orders.get(company.pk, 0),
            value_cents=value.get(company.pk, 0) - refunded.get(company.pk, 0),
            ends_on=ends.get(company.pk, company.contract_ends_on),
        )
        for company in companies
    ]


def _by_company(found: QuerySet[Any], path: str, ids: list[int], figure: Count | Sum) -> Any:
    return found.filter(**{f"{path}__in": ids}).order_by().values_list(path).annotate(figure=figure)


def contacts(company_id: int) -> QuerySet[Customer]:
    """The company's people by name, each with `orders` and `value_cents` of paid orders."""
    paid = Order.objects.filter(customer=OuterRef("pk"), status=Order.Status.PAID).order_by().values("customer")
    return (
        Customer.objects.filter(company_id=company_id)
        .annotate(
            order_count=Coalesce(Subquery(paid.annotate(n=Count("pk")).values("n")), 0, output_field=IntegerField()),
            value_cents=Coalesce(
                Subquery(paid.annotate(n=Sum("value_cents")).values("n")), 0, output_field=IntegerField()
            ),
        )
        .order_by("archived_at", "sort_name", "pk")
    )
