"""What the last night said of contracts, beside what is known of them by now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from analytics.clv import renewals, sbg
from analytics.clv.params import SbgParams
from analytics.models import ContractTotal, ContractValue
from core.models import Run
from customers.models import Contract, ContractTerm
from customers.selectors import contracts
from customers.selectors.contracts import Row

DUE_DAYS: Final = 90
DUE_SHOWN: Final = 6
AHEAD: Final = (1, 2, 3, 5)  # renewals that the page looks forward to
VALUES: Final = ("p_renew", "stake_cents")


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """So many renewals more, and the chance that all of them come."""

    renewals: int
    chance: float

    @property
    def percent(self) -> float:
        return 100 * self.chance


@dataclass(frozen=True, kw_only=True)
class Worth:
    """A contract's value with the model that it rests on."""

    value: ContractValue
    name: str  # of the model
    plan: str  # whose decisions they are; empty for several plans
    months: int  # of whose terms they are; 0 for terms of any length
    decisions: int
    renewed: int
    ahead: Sequence[Ahead]


def worth(contract: Contract) -> Worth | None:
    """None before the first night with it, and once it has ended. Two queries."""
    value = ContractValue.objects.filter(pk=contract.pk).first()
    run = Run.objects.filter(pk=value.run_id).first() if value else None
    if value is None or run is None:
        return None
    curve = _curve(run.model["contracts"], contract)
    return Worth(
        value=value,
        name=curve["name"],
        plan=contract.plan if curve["name"] == renewals.OF_PLAN else "",
        months=contract.term_months if curve["name"] == renewals.OF_LENGTH else 0,
        decisions=curve["decisions"],
        renewed=curve["renewed"],
        ahead=_ahead(value, SbgParams(alpha=curve["alpha"], beta=curve["beta"])),
    )


def _curve(told: Mapping[str, Any], contract: Contract) -> Mapping[str, Any]:
    """What the night used for the contract, as renewals.Learned.of chooses."""
    own = [one for one in told["plans"] if (one["plan"], one["months"]) == (contract.plan, contract.term_months)]
    found: Mapping[str, Any] = own[0] if own else told["lengths"].get(str(contract.term_months), told["pooled"])
    return found


def _ahead(value: ContractValue, params: SbgParams) -> list[Ahead]:
    """The first renewal has the chance of the night, which knows of terms that are overdue; later ones the model's."""
    if value.p_renew is None:
        return []
    steps = np.array(AHEAD)
    later = sbg.survival(params, value.renewals + steps) / sbg.survival(params, value.renewals + 1)
    chances = (value.p_renew * later).tolist()
    return [Ahead(renewals=number, chance=chance) for number, chance in zip(AHEAD, chances, strict=True)]


def total(owner: str, owner_id: int) -> ContractTotal | None:
    return ContractTotal.objects.filter(owner=owner, owner_id=owner_id).first()


@dataclass(frozen=True, kw_only=True)
class DueRow:
    """A contract that somebody has to decide upon, with what the last night said of it."""

    row: Row
    p_renew: float | None
    stake_cents: int | None


@dataclass(frozen=True, kw_only=True)
class Due:
    rows: Sequence[DueRow]
    contracts: int
    overdue: int

    def __bool__(self) -> bool:
        return bool(self.contracts)


def due(*, day: date, most: int = DUE_SHOWN) -> Due:
    """Open terms that end within 90 days or are over, those with the most at stake first. Two queries, or one where
    there are none.
    """
    waiting = contracts.last_terms().filter(
        outcome=ContractTerm.Outcome.PENDING, ends_on__lte=day + timedelta(days=DUE_DAYS)
    )
    counts = waiting.order_by().aggregate(contracts=Count("pk"), overdue=Count("pk", filter=Q(ends_on__lt=day)))
    if not counts["contracts"]:
        return Due(rows=[], contracts=0, overdue=0)
    told = contracts.rows(list(_by_stake(waiting)[:most]), day=day)
    return Due(rows=[_due_row(row) for row in told], **counts)


def _by_stake(waiting: QuerySet[ContractTerm]) -> QuerySet[ContractTerm]:
    values = ContractValue.objects.filter(pk=OuterRef("contract_id"))
    found = waiting.annotate(**{name: Subquery(values.values(name)) for name in VALUES})
    return found.order_by(F("stake_cents").desc(nulls_last=True), "ends_on", "pk")


def _due_row(row: Row) -> DueRow:
    return DueRow(
        row=row, p_renew=getattr(row.term, "p_renew", None), stake_cents=getattr(row.term, "stake_cents", None)
    )
