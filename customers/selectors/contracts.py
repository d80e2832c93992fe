"""Contracts by their last terms: what runs, what is due, what nobody decided upon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from customers.folding import Fold
from customers.models import Contract, ContractTerm, Customer

Outcome, Status = ContractTerm.Outcome, ContractTerm.Status
PAGE_ROWS: Final = 25
OPTIONS: Final = 20
DUE_DAYS: Final = (30, 60, 90)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A contract and its last term, on a day."""

    term: ContractTerm
    status: ContractTerm.Status
    days_left: int  # to the term's last day; below zero when it is over

    @property
    def days_over(self) -> int:
        return -self.days_left

    @property
    def contract(self) -> Contract:
        return self.term.contract


@dataclass(frozen=True, kw_only=True)
class Totals:
    contracts: int
    yearly_cents: int  # the terms' values, each for 12 months


def last_terms() -> QuerySet[ContractTerm]:
    """The last term of each contract with the contract, its company and its customer."""
    found = ContractTerm.objects.exclude(outcome=Outcome.RENEWED)
    return found.select_related("contract", "contract__company", "contract__customer")


def search(text: str) -> QuerySet[ContractTerm]:
    found = last_terms()
    for word in text.replace("\0", " ").split()[:6]:
        found = found.filter(
            Q(contract__plan__icontains=word)
            | Q(contract__external_id__icontains=word)
            | Q(contract__company__name__icontains=word)
            | Q(contract__customer__search__contains=Fold(Value(word)))
        )
    return found


def of_state(found: QuerySet[ContractTerm], state: str, *, day: date) -> QuerySet[ContractTerm]:
    """`30`, `60`, `90`: due within so many days; `overdue`, `ended`, `all`; anything else: what has not ended."""
    if state in map(str, DUE_DAYS):
        return found.filter(outcome=Outcome.PENDING, ends_on__gte=day, ends_on__lte=day + timedelta(days=int(state)))
    if state == Status.OVERDUE:
        return found.filter(outcome=Outcome.PENDING, ends_on__lt=day)
    if state == Status.ENDED:
        return found.exclude(outcome=Outcome.PENDING).filter(ends_on__lt=day)
    return found if state == "all" else found.filter(Q(outcome=Outcome.PENDING) | Q(ends_on__gte=day))


def counts(found: QuerySet[ContractTerm], *, day: date) -> dict[str, int]:
    """How many there are of each state that the list can be narrowed to. One query."""
    open_, over = Q(outcome=Outcome.PENDING), Q(ends_on__lt=day)
    due = {
        f"in_{days}": Count("pk", filter=open_ & ~over & Q(ends_on__lte=day + timedelta(days=days)))
        for days in DUE_DAYS
    }
    told = found.order_by().aggregate(
        all=Count("pk"), overdue=Count("pk", filter=open_ & over), ended=Count("pk", filter=~open_ & over), **due
    )
    due_counts = {str(days): told[f"in_{days}"] for days in DUE_DAYS}
    return {
        "open": told["all"] - told["ended"],
        **due_counts,
        **{name: told[name] for name in ("overdue", "ended", "all")},
    }


def page(found: QuerySet[ContractTerm], *, number: str) -> Page[ContractTerm]:
    """What is due first comes first. Two queries with its rows."""
    return Paginator(found.order_by("ends_on", "pk"), PAGE_ROWS).get_page(number)


def rows(terms: Sequence[ContractTerm], *, day: date) -> list[Row]:
    return [Row(term=term, status=term.status(day), days_left=(term.ends_on - day).days) for term in terms]


def totals(found: QuerySet[ContractTerm]) -> Totals:
    """One query."""
    yearly = Coalesce(Sum(F("value_cents") * 12 / F("contract__term_months")), 0)
    told = found.order_by().aggregate(contracts=Count("pk"), yearly=yearly)
    return Totals(contracts=told["contracts"], yearly_cents=told["yearly"])


def of_contract(contract: Contract, *, day: date) -> Row:
    """One query."""
    return rows([last_terms().get(contract=contract)], day=day)[0]


def of_company(company_id: int, *, day: date) -> list[Row]:
    """The company's contracts, and those of its contacts that name no company; those that run first. One query."""
    mine = Q(contract__company=company_id) | Q(contract__company=None, contract__customer__company=company_id)
    return _sorted(last_terms().filter(mine), day=day)


def of_customer(customer_id: int, *, day: date) -> list[Row]:
    """One query."""
    return _sorted(last_terms().filter(contract__customer=customer_id), day=day)


def last_days(company_ids: Sequence[int]) -> dict[int, date]:
    """The last agreed day of all contracts of each company that has any, its contacts' too. One query."""
    found = (
        last_terms().select_related(None).annotate(whose=Coalesce("contract__company", "contract__customer__company"))
    )
    told = found.filter(whose__in=company_ids).order_by().values_list("whose").annotate(last=Max("ends_on"))
    return dict(told)


def _sorted(found: QuerySet[ContractTerm], *, day: date) -> list[Row]:
    told = rows(list(found.order_by("ends_on", "pk")), day=day)
    return sorted(told, key=lambda row: row.status == Status.ENDED)


def people(text: str) -> list[Customer]:
    """Customers for an input to suggest."""
    found = Customer.objects.filter(archived_at__isnull=True)
    for word in text.replace("\0", " ").split()[:6]:
        found = found.filter(search__contains=Fold(Value(word)))
    return list(found.order_by("sort_name", "pk")[:OPTIONS])
