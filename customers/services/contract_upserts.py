"""A contract as a program says it is: made when it is new, changed where it says something else.

What is not told stays as it is. The same again changes nothing and says so.
"""

from dataclasses import replace
from datetime import date

from django.db import connection, transaction

from customers.models import Contract, ContractTerm
from customers.services import contracts
from customers.services.contracts import Agreement
from customers.services.upserts import Saved, Told


class NamesNobody(Exception):
    """A contract is a company's or a customer's."""


class FewerRenewals(Exception):
    """The contract was renewed more often than is told; `renewals` says how often."""

    def __init__(self, renewals: int) -> None:
        super().__init__(f"The contract was renewed {renewals} times.")
        self.renewals = renewals


@transaction.atomic
def contract(*, source: str, external_id: str, told: Told, on: date) -> Saved[Contract]:
    """`told`: fields of Agreement, and `renewals` so far. The value is that of the open term, too.

    Raises NamesNobody, FewerRenewals, contracts.HasBegun, contracts.AlreadyDecided, and KeyError for a new contract
    without its plan, first day or value.
    """
    with connection.cursor() as cursor:  # two programs that name one new contract at the same time
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7302))", [f"{source}:{external_id}"])
    words = dict(told)
    renewals = words.pop("renewals", None)
    known = Contract.objects.filter(source=source, external_id=external_id).first()
    if known is None:
        agreement = _agreed(Agreement(**{"agreed_on": min(words["starts_on"], on)} | words))
        made = contracts.add(agreement=agreement, on=on, source=source, external_id=external_id, renewals=renewals or 0)
        return Saved(row=made, outcome="created")
    return _changed(known.pk, words, renewals, on=on)


def _changed(contract_id: int, words: Told, renewals: int | None, *, on: date) -> Saved[Contract]:
    found = contracts.locked(contract_id)
    agreement = Agreement(**{name: getattr(found, name) for name in contracts.COLUMNS})
    wanted = _agreed(replace(agreement, **words))
    is_changed = wanted != agreement
    if is_changed:
        found = contracts.change(contract_id=found.pk, agreement=wanted, reprices=True)
    is_renewed = renewals is not None and _catch_up(found, renewals, on=on)
    return Saved(row=found, outcome="updated" if is_changed or is_renewed else "unchanged")


def _agreed(agreement: Agreement) -> Agreement:
    if agreement.company is None and agreement.customer is None:
        raise NamesNobody
    return agreement


def _catch_up(contract: Contract, renewals: int, *, on: date) -> bool:
    """Renew as often as the source says; each renewal is known since the term's last day, if that is over."""
    known = contract.terms.filter(outcome=ContractTerm.Outcome.RENEWED).count()
    if renewals < known:
        raise FewerRenewals(known)
    for number in range(known + 1, renewals + 1):
        term = contract.terms.get(number=number)
        contracts.renew(contract_id=contract.pk, number=number, on=min(term.ends_on, on))
    return renewals > known
