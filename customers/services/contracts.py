"""Contracts by hand: added, changed, renewed, cancelled, and a mistaken decision taken back.

Whoever decides names the term that is decided upon and waits for the contract's row: of two people who renew at once,
one renews, and the other is told that it is done.
"""

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction

from core import feed
from core.models import Business, Change
from customers import terms
from customers.models import Company, Contract, ContractTerm, Customer
from customers.services import people_lock
from customers.services.persons import SOURCE

Outcome = ContractTerm.Outcome
AT_ONCE: Final = 500  # contracts that one call renews


class AlreadyDecided(Exception):
    """The term was decided upon in another way; `term` says how."""

    def __init__(self, term: ContractTerm) -> None:
        super().__init__(f"Term {term.number} is {term.outcome} already.")
        self.term = term


class NotOver(Exception):
    """A term lapses when it is over, not before."""


class NotBegun(Exception):
    """A term is renewed once it has begun, not before."""


class HasBegun(Exception):
    """Terms were decided upon: the day on which the contract began stands."""


class CannotTakeBack(Exception):
    """There is no such decision, or a later one rests on it."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What people edit of a contract. Money is net, for one term."""

    plan: str
    agreed_on: date
    starts_on: date
    value_cents: int
    company: Company | None = None
    customer: Customer | None = None
    term_months: int = 12
    margin_rate: Decimal | None = None
    renews_automatically: bool = False
    is_billed_by_orders: bool = False


COLUMNS: Final = tuple(one.name for one in fields(Agreement))


@transaction.atomic
def add(*, agreement: Agreement, on: date, source: str = SOURCE, external_id: str = "", renewals: int = 0) -> Contract:
    """A new contract that was renewed so often up to `on`; without `external_id` it is known under its own number.

    Raises NotBegun when so many renewals would lie ahead.
    """
    agreement = _with_who_is_meant(agreement)
    contract = Contract(source=source, external_id=external_id, **{name: getattr(agreement, name) for name in COLUMNS})
    contract.save(force_insert=True)
    if not external_id:
        contract.external_id = str(contract.pk)
        contract.save(update_fields=["external_id"])
    Business.objects.filter(has_contracts=False).update(has_contracts=True)
    term = _next(contract, None)
    for _ in range(renewals):
        term = _renewed(contract, term, on=min(term.ends_on, on))
    _tell(contract)
    return contract


@transaction.atomic
def change(*, contract_id: int, agreement: Agreement, reprices: bool = False) -> Contract:
    """Make the contract what `agreement` says. Value and length are those of the terms to come.

    The open term's value follows only if `reprices`, its length only while it is the first. Raises HasBegun for
    another first day once a term was decided upon.
    """
    agreement = _with_who_is_meant(agreement)
    contract = locked(contract_id)
    last = _last(contract)
    has_begun = last.number > 1 or last.outcome != Outcome.PENDING
    if has_begun and agreement.starts_on != contract.starts_on:
        raise HasBegun
    for name in COLUMNS:
        setattr(contract, name, getattr(agreement, name))
    contract.save(update_fields=COLUMNS)
    if not has_begun:
        last.starts_on = contract.starts_on
        last.ends_on = _ends_on(contract, contract.starts_on)
    if last.outcome == Outcome.PENDING:
        last.value_cents = contract.value_cents if reprices else last.value_cents
        last.save(update_fields=["starts_on", "ends_on", "value_cents"])
    _tell(contract)
    return contract


def _with_who_is_meant(agreement: Agreement) -> Agreement:
    """The customer may have been merged since somebody chose her. Call it before the contract is locked."""
    if agreement.customer is None:
        return agreement
    stands = people_lock.writing_about(agreement.customer.pk)
    return replace(agreement, customer=Customer.objects.get(pk=stands))


@transaction.atomic
def renew(*, contract_id: int, number: int, on: date, value_cents: int | None = None) -> ContractTerm:
    """Renew term `number`; the next term begins the day after it, at another value where one is told.

    Returns the next term, also when somebody renewed before. Raises AlreadyDecided when it was cancelled or lapsed,
    NotBegun, and ContractTerm.DoesNotExist.
    """
    contract = locked(contract_id)
    term = contract.terms.get(number=number)
    if term.outcome == Outcome.RENEWED:
        return contract.terms.get(number=number + 1)
    if term.outcome != Outcome.PENDING:
        raise AlreadyDecided(term)
    if value_cents is not None:
        contract.value_cents = value_cents
        contract.save(update_fields=["value_cents"])
    following = _renewed(contract, term, on=on)
    _tell(contract)
    return following


@transaction.atomic
def cancel(
    *, contract_id: int, number: int, on: date, reason: str = "", outcome: str = Outcome.CANCELLED
) -> ContractTerm:
    """Let the contract end with term `number`: cancelled, or lapsed when nobody said a word until it was over.

    The same again changes nothing. Raises AlreadyDecided, NotOver and ContractTerm.DoesNotExist.
    """
    contract = locked(contract_id)
    term = contract.terms.get(number=number)
    if term.outcome == outcome:
        return term
    if term.outcome != Outcome.PENDING:
        raise AlreadyDecided(term)
    if outcome == Outcome.LAPSED and term.ends_on >= on:
        raise NotOver
    _decide(term, outcome, on=on, reason=reason)
    _tell(contract)
    return term


@transaction.atomic
def take_back(*, contract_id: int, number: int) -> ContractTerm:
    """Open term `number` again: its last decision was a mistake. The term that a renewal began goes with it.

    Who decided and who took it back stays in the history of the contract. Raises CannotTakeBack.
    """
    contract = locked(contract_id)
    last = _last(contract)
    if last.outcome == Outcome.PENDING and last.number == number + 1:
        last.delete()
        last = contract.terms.get(number=number)
    elif last.number != number or last.outcome == Outcome.PENDING:
        raise CannotTakeBack
    last.outcome, last.decided_on, last.reason = Outcome.PENDING, None, ""
    last.save(update_fields=["outcome", "decided_on", "reason"])
    _tell(contract)
    return last


def automatic_and_over(*, on: date) -> list[int]:
    """Contracts that renew automatically, whose term is over without a word, the longest first; at most AT_ONCE."""
    over = ContractTerm.objects.filter(contract__renews_automatically=True, outcome=Outcome.PENDING, ends_on__lt=on)
    return list(over.order_by("ends_on", "contract_id").values_list("contract_id", flat=True)[:AT_ONCE])


@transaction.atomic
def renew_automatic(*, on: date) -> int:
    """Renew those of `automatic_and_over` up to the term that `on` is part of; returns how many contracts."""
    done = [_catch_up(locked(contract_id), on=on) for contract_id in sorted(automatic_and_over(on=on))]
    return sum(done)


def _catch_up(contract: Contract, *, on: date) -> bool:
    term = _last(contract)
    if not contract.renews_automatically or term.outcome != Outcome.PENDING or term.ends_on >= on:
        return False
    while term.ends_on < on:
        term = _renewed(contract, term, on=on)
    _tell(contract)
    return True


def locked(contract_id: int) -> Contract:
    """The contract under its row's lock: for a transaction that decides by its terms."""
    return Contract.objects.select_for_update(no_key=True).get(pk=contract_id)


def _last(contract: Contract) -> ContractTerm:
    return contract.terms.exclude(outcome=Outcome.RENEWED).get()


def _renewed(contract: Contract, term: ContractTerm, *, on: date) -> ContractTerm:
    if term.starts_on > on:
        raise NotBegun
    _decide(term, Outcome.RENEWED, on=on)
    return _next(contract, term)


def _decide(term: ContractTerm, outcome: str, *, on: date, reason: str = "") -> None:
    term.outcome, term.decided_on, term.reason = outcome, on, reason
    term.save(update_fields=["outcome", "decided_on", "reason"])


def _next(contract: Contract, term: ContractTerm | None) -> ContractTerm:
    """The term after `term`, or the first."""
    starts_on = contract.starts_on if term is None else term.ends_on + timedelta(days=1)
    return ContractTerm.objects.create(
        contract=contract,
        number=1 if term is None else term.number + 1,
        starts_on=starts_on,
        ends_on=_ends_on(contract, starts_on),
        value_cents=contract.value_cents,
    )


def _ends_on(contract: Contract, starts_on: date) -> date:
    return terms.last_day(starts_on=starts_on, months=contract.term_months, anchor=contract.starts_on.day)


def _tell(contract: Contract) -> None:
    feed.record(Change.Kind.CONTRACT, [contract.pk])
