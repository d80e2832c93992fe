"""Removing a contract that was recorded by mistake, and putting it back as it was."""

from typing import Final

from django.core import serializers
from django.db import transaction
from django.utils import timezone

from core import feed
from core.models import Business, Change
from customers.models import Company, Contract, ContractTerm, Customer
from customers.services import contracts

FORMAT: Final = "json"


class InUse(Exception):
    """A term was decided upon since the contract was recorded: it is no mistake. `term` is the last such one."""

    def __init__(self, term: ContractTerm) -> None:
        super().__init__(f"Term {term.number} was decided upon on {term.decided_on}.")
        self.term = term


class CannotPutBack(Exception):
    """Another contract has the number by now, or its company or customer is gone."""


@transaction.atomic
def remove(*, contract_id: int) -> str:
    """Remove the contract with its terms; returns what `put_back` needs. Raises InUse and Contract.DoesNotExist.

    Renewals that were told when it was recorded are part of the mistake and go with it.
    """
    contract = contracts.locked(contract_id)
    terms = list(contract.terms.order_by("number"))
    recorded_on = timezone.localdate(contract.created_at)
    later = [term for term in terms if term.decided_on is not None and term.decided_on > recorded_on]
    if later:
        raise InUse(later[-1])
    kept: str = serializers.serialize(FORMAT, [contract, *terms])
    contract.delete()
    _settle(contract_id)
    return kept


@transaction.atomic
def put_back(*, kept: str) -> Contract:
    """The contract as it was, under its old number. Raises CannotPutBack."""
    rows = [one.object for one in serializers.deserialize(FORMAT, kept)]
    contract = next(row for row in rows if isinstance(row, Contract))
    if not _has_its_place(contract):
        raise CannotPutBack
    for row in rows:
        row.save_base(raw=True, force_insert=True)  # as it was, the day on which it was recorded too
    _settle(contract.pk)
    return Contract.objects.get(pk=contract.pk)


def _has_its_place(contract: Contract) -> bool:
    known = Contract.objects.filter(source=contract.source, external_id=contract.external_id)
    if known.exists() or Contract.objects.filter(pk=contract.pk).exists():
        return False
    company, customer = contract.company_id, contract.customer_id
    has_company = company is None or Company.objects.filter(pk=company).exists()
    return has_company and (customer is None or Customer.objects.filter(pk=customer).exists())


def _settle(contract_id: int) -> None:
    """Tell who reads contracts, and keep whether there are any."""
    Business.objects.update(has_contracts=Contract.objects.exists())
    feed.record(Change.Kind.CONTRACT, [contract_id])
