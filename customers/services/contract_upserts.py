"""A contract as a program says it is: made when it is new, changed where it says something else.

What is not told stays as it is. The same again changes nothing and says so.
"""

from dataclasses import replace
from datetime import date
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.models import Contract, ContractTerm
from customers.services import contracts, people_lock
from customers.services.contracts import Agreement
from customers.services.upserts import Saved, Told

NEEDED: Final = {"plan": "plan", "starts_on": "starts_on", "value_cents": "value"}


class Refused(Exception):
    """The contract cannot be what is told; the message says why, in the reader's language."""

    def __init__(self, message: str, *, field: str, code: str) -> None:
        super().__init__(message)
        self.field, self.code = field, code


@transaction.atomic
def contract(*, source: str, external_id: str, told: Told, on: date) -> Saved[Contract]:
    """`told`: fields of Agreement, and `renewals` so far. The value is that of the open term, too.

    Raises Refused and contracts.AlreadyDecided.
    """
    people_lock.writing()  # before the contract, as who merges its customer does
    with connection.cursor() as cursor:  # two programs that name one new contract at the same time
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7302))", [f"{source}:{external_id}"])
    words = dict(told)
    renewals = words.pop("renewals", None)
    known = Contract.objects.filter(source=source, external_id=external_id).first()
    if known is None:
        _refuse_gaps(words)
        agreement = _agreed(Agreement(**{"agreed_on": min(words["starts_on"], on)} | words))
        made = contracts.add(agreement=agreement, on=on, source=source, external_id=external_id)
        _catch_up(made, renewals or 0, on=on)
        return Saved(row=made, outcome="created")
    return _changed(known.pk, words, renewals, on=on)


def _changed(contract_id: int, words: Told, renewals: int | None, *, on: date) -> Saved[Contract]:
    found = contracts.locked(contract_id)
    agreement = Agreement(**{name: getattr(found, name) for name in contracts.COLUMNS})
    wanted = _agreed(replace(agreement, **words))
    is_changed = wanted != agreement
    if is_changed:
        found = _change(found, wanted)
    is_renewed = renewals is not None and _catch_up(found, renewals, on=on)
    return Saved(row=found, outcome="updated" if is_changed or is_renewed else "unchanged")


def _change(found: Contract, wanted: Agreement) -> Contract:
    try:
        return contracts.change(contract_id=found.pk, agreement=wanted, reprices=True)
    except contracts.HasBegun:
        message = _("Terms were decided upon: the day on which the contract began stands.")
        raise Refused(message, field="starts_on", code="has_begun") from None


def _refuse_gaps(words: Told) -> None:
    for name, field in NEEDED.items():
        if name not in words:
            raise Refused(_("A new contract needs this."), field=field, code="missing")


def _agreed(agreement: Agreement) -> Agreement:
    if agreement.company is None and agreement.customer is None:
        raise Refused(_("Name a company or a customer."), field="company", code="missing")
    if agreement.agreed_on > agreement.starts_on:
        message = _("A contract is agreed before it starts, or on that day.")
        raise Refused(message, field="agreed_on", code="range")
    return agreement


def _catch_up(contract: Contract, renewals: int, *, on: date) -> bool:
    """Renew as often as the source says; each renewal is known since the term's last day, if that is over."""
    known = contract.terms.filter(outcome=ContractTerm.Outcome.RENEWED).count()
    if renewals < known:
        message = _("It was renewed %(number)s times. Take a mistaken renewal back on the contract's page.")
        raise Refused(message % {"number": known}, field="renewals", code="too_few")
    for number in range(known + 1, renewals + 1):
        term = contract.terms.get(number=number)
        try:
            contracts.renew(contract_id=contract.pk, number=number, on=min(term.ends_on, on))
        except contracts.NotBegun:
            message = _("Term %(number)s has not begun: it cannot be renewed yet.") % {"number": number}
            raise Refused(message, field="renewals", code="too_many") from None
    return renewals > known
