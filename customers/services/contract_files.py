"""Contracts from files, one by one by the service that programs call: the same number again is the same contract.

A row that cannot be used is refused by itself. Each row is a transaction with the note of what it made or changed, so
that a killed import leaves whole contracts, and the same file again completes it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db import transaction
from django.utils import timezone, translation

from customers.importing.rows import ContractRow
from customers.models import Company, Contract, Customer, Identity, ImportedRow
from customers.services import contract_upserts, contracts
from customers.services.imports import Target
from customers.services.reports import Rejected, Report

TABLE: Final = "contract"
EVERY_ROWS: Final = 100
# What the service refuses, as it follows the value in a row's sentence.
REFUSALS: Final = {
    ("starts_on", "has_begun"): "is not the day on which this contract began, and its terms were decided upon",
    ("plan", "missing"): "no plan; a new contract needs one",
    ("agreed_on", "range"): "is after the start; expected that day or an earlier one",
    ("renewals", "too_few"): "is less often than is known; take a mistaken renewal back on the contract's page",
    ("renewals", "too_many"): "is more often than can be: a term that has not begun cannot be renewed",
}
DECIDED: Final = "was decided upon in another way here; take that back on the contract's page first"


class Unusable(Exception):
    """The row cannot be used: the field, its value, and why."""

    def __init__(self, name: str, value: str, reason: str) -> None:
        super().__init__(name, value, reason)
        self.name, self.value, self.reason = name, value, reason


@dataclass(kw_only=True)
class Load:
    """One file on its way in. `lines` tells on which line a number stood."""

    target: Target
    report: Report
    lines: dict[str, int] = field(default_factory=dict)
    rejects: list[Rejected] = field(default_factory=list)

    @property
    def today(self) -> date:
        return timezone.localdate(self.target.at, self.target.business.zone)

    def take(self, row: ContractRow) -> None:
        try:
            with transaction.atomic():
                outcome = self._write(row)
        except Unusable as problem:
            self.rejects.append(Rejected(row.line, problem.name, problem.value, problem.reason))
            self.report.rejected += 1
            return
        self.report.imported += 1
        setattr(self.report, f"contracts_{outcome}", getattr(self.report, f"contracts_{outcome}") + 1)

    def _write(self, row: ContractRow) -> str:
        first = self.lines.setdefault(row.number, row.line)
        if first != row.line:
            raise Unusable("contract_id", row.number, f"stands on line {first} already; expected each number once")
        source = self.target.batch.source
        known = Contract.objects.filter(source=source, external_id=row.number).first()
        before = None if known is None else snapshot(known)
        contract, outcome = _saved(row, source=source, today=self.today)
        if outcome != "unchanged":
            self._note(contract, before)
        return outcome

    def _note(self, contract: Contract, before: Any) -> None:
        ImportedRow.objects.create(
            batch=self.target.batch, table=TABLE, object_id=contract.pk, created=before is None, before=before
        )


def load(
    *, rows: Iterable[ContractRow], target: Target, report: Report, progress: Callable[[str, int], Any]
) -> list[Rejected]:
    """Write the rows of one file; adds to `report` and returns what was refused. Hold the lock of imports."""
    doing = Load(target=target, report=report)
    with translation.override(None):  # refusals are kept in English and told again in the reader's language
        for number, row in enumerate(rows, start=1):
            doing.take(row)
            if number % EVERY_ROWS == 0:
                progress("contracts", number)
    return doing.rejects


def snapshot(contract: Contract) -> dict[str, Any]:
    """The rows of the contract and its terms as they are, for putting them back (customers.services.undo)."""
    row = Contract.objects.filter(pk=contract.pk).values().get()
    return {"row": row, "terms": list(contract.terms.order_by("number").values())}


def _saved(row: ContractRow, *, source: str, today: date) -> tuple[Contract, str]:
    told = _told(row, source)
    try:
        saved = contract_upserts.contract(source=source, external_id=row.number, told=told, on=today)
        is_cancelled = _cancelled(saved.row, row, today=today)
    except contract_upserts.Refused as refused:
        reason = REFUSALS.get((refused.field, refused.code), str(refused))
        raise Unusable(refused.field, _value(row, refused.field), reason) from None
    except contracts.AlreadyDecided:
        raise Unusable("contract_id", row.number, DECIDED) from None
    if saved.outcome == "unchanged" and is_cancelled:
        return saved.row, "updated"
    return saved.row, saved.outcome


def _value(row: ContractRow, name: str) -> str:
    value = getattr(row, name, None)
    return "" if value is None else str(value)


def _told(row: ContractRow, source: str) -> dict[str, Any]:
    """The fields that the row says something of."""
    said = {
        "plan": row.plan or None,
        "customer": _customer(row.customer, source) if row.customer else None,
        "company": _company(row.company, source) if row.company else None,
        **{name: getattr(row, name) for name in ("agreed_on", "margin_rate", "renews_automatically")},
        **{name: getattr(row, name) for name in ("is_billed_by_orders", "renewals")},
    }
    needed = {name: getattr(row, name) for name in ("starts_on", "term_months", "value_cents")}
    return needed | {name: value for name, value in said.items() if value is not None}


def _customer(number: str, source: str) -> Customer:
    """By the source's own number, else by one that a single customer has at any source."""
    known = Identity.objects.select_related("customer").filter(external_id=number)
    own = known.filter(source=source).first()
    found = [own.customer] if own else list({one.customer_id: one.customer for one in known[:3]}.values())
    if not found:
        raise Unusable("customer_id", number, "is no customer's number here; expected one of an earlier import")
    if len(found) > 1:
        raise Unusable("customer_id", number, "is the number of several customers; say whose with --source")
    return found[0]


def _company(name: str, source: str) -> Company:
    """By the source's own id, else by a name that a single company has."""
    own = Company.objects.filter(source=source, external_id=name).first()
    found = [own] if own else list(Company.objects.filter(name__iexact=name).order_by("pk")[:2])
    if not found:
        raise Unusable("company", name, "is no company here; expected the name of one")
    if len(found) > 1:
        raise Unusable("company", name, "is the name of several companies; expected its id at the source")
    return found[0]


def _cancelled(contract: Contract, row: ContractRow, *, today: date) -> bool:
    """Let the contract end with its last term where the row says so; whether that is new."""
    if row.cancelled_on is None:
        return False
    if row.cancelled_on > today:
        raise Unusable(
            "cancelled_on", str(row.cancelled_on), "is still to come; expected the day on which it was known"
        )
    last = contract.terms.exclude(outcome="renewed").get()
    if last.outcome != "pending":
        return False
    if row.cancelled_on < contract.agreed_on:
        raise Unusable(
            "cancelled_on", str(row.cancelled_on), f"is before the contract was agreed on {contract.agreed_on}"
        )
    contracts.cancel(contract_id=contract.pk, number=last.number, on=row.cancelled_on, reason=row.reason)
    return True
