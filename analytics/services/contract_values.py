"""Every night: how likely each contract is renewed, and what it is worth. Rebuilt whole; contracts are few.

As of a day: contracts agreed by then, with the decisions that were known by then. A night for a past date changes
nothing here: the table holds what is shown now.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

import numpy as np
from django.db import transaction

from analytics.clv import contract_value, renewals, sbg
from analytics.clv.contract_value import Contracts, Draws, Worth
from analytics.clv.renewals import Kind, Learned
from analytics.models import ContractTotal, ContractValue
from core import money
from core.models import Run
from customers.models import ContractTerm

Outcome, Owner = ContractTerm.Outcome, ContractTotal.Owner
AT_ONCE: Final = 2_000
COLUMNS: Final = (
    *("contract_id", "number", "starts_on", "ends_on", "value_cents", "outcome", "decided_on"),
    *("contract__plan", "contract__margin_rate", "contract__term_months", "contract__value_cents"),
    *("contract__renews_automatically", "contract__customer_id", "contract__company_id"),
    "contract__customer__company_id",
)
Term = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A contract as it was known on a day: the terms agreed by then, the last one open or not renewed."""

    terms: Sequence[Term]

    @property
    def last(self) -> Term:
        return self.terms[-1]

    def is_open(self, day: date) -> bool:
        return outcome(self.last, day) == Outcome.PENDING

    def is_over(self, day: date) -> bool:
        return not self.is_open(day) and self.last["ends_on"] <= day


def outcome(term: Term, day: date) -> str:
    """What was known of the term on the day."""
    known: str = term["outcome"]
    return known if term["decided_on"] and term["decided_on"] <= day else Outcome.PENDING


def kind(term: Term) -> Kind:
    return term["contract__plan"], term["contract__term_months"]


@transaction.atomic
def refresh(*, run: Run) -> dict[str, Any]:
    """Learn from all decisions, value all contracts that have not ended, keep the model in the run."""
    known = list(_known(run.as_of))
    learned = learn(known, day=run.as_of)
    going = [one for one in known if not one.is_over(run.as_of)]
    ContractValue.objects.all().delete()
    ContractTotal.objects.all().delete()
    value_cents = _write(run, going, learned, _late(known, run.as_of)) if going else 0
    run.model = run.model | {"contracts": learned.as_dict()}
    run.stats = run.stats | {"contracts": {"contracts": len(going), "value_cents": value_cents}}
    run.save(update_fields=["model", "stats"])
    return {"rows": len(going)}


def learn(known: Sequence[Known], *, day: date) -> Learned:
    """From every decision that was known on the day, by plan and length of a term."""
    pairs: defaultdict[Kind, list[tuple[int, bool]]] = defaultdict(list)
    for one in known:
        for term in one.terms:
            if outcome(term, day) != Outcome.PENDING:
                pairs[kind(term)].append((term["number"] - 1, term["outcome"] == Outcome.RENEWED))
    return renewals.learn({own: sbg.of_pairs(*zip(*told, strict=True)) for own, told in pairs.items()})


def _known(day: date) -> Iterator[Known]:
    found = ContractTerm.objects.filter(contract__agreed_on__lte=day).order_by("contract_id", "number")
    for _contract, terms in groupby(found.values(*COLUMNS).iterator(AT_ONCE), key=lambda term: term["contract_id"]):
        agreed: list[Term] = []
        for term in terms:
            if not agreed or outcome(agreed[-1], day) == Outcome.RENEWED:
                agreed.append(term)
        yield Known(terms=agreed)


def _late(known: Sequence[Known], day: date) -> tuple[list[int], list[bool]]:
    """Of decisions that came after their term had ended: how many days, and whether it was renewed."""
    told = [
        ((term["decided_on"] - term["ends_on"]).days, term["outcome"] == Outcome.RENEWED)
        for one in known
        for term in one.terms
        if outcome(term, day) != Outcome.PENDING and term["decided_on"] > term["ends_on"]
    ]
    return [days for days, _renewed in told], [renewed for _days, renewed in told]


def _write(run: Run, going: Sequence[Known], learned: Learned, late: tuple[list[int], list[bool]]) -> int:
    columns = _columns(going, learned, late, run)
    curves = [learned.of(kind(one.last)) for one in going]
    rate = float(run.settings["discount_rate"])
    worth = contract_value.worth(columns, curves, rate)
    draws = contract_value.draws(columns, curves, [one.last["contract_id"] for one in going], rate)
    unit = 10.0 ** money.exponent(run.settings["currency"])
    rows = _rows(run, going, learned, columns, worth, draws, unit)
    ContractValue.objects.bulk_create(rows, batch_size=AT_ONCE)
    ContractTotal.objects.bulk_create(_totals(going, rows, draws, unit), batch_size=AT_ONCE)
    return sum(row.value_cents for row in rows)


def _columns(going: Sequence[Known], learned: Learned, late: tuple[list[int], list[bool]], run: Run) -> Contracts:
    day, unit = run.as_of, 10.0 ** money.exponent(run.settings["currency"])
    usual = float(run.settings["margin_rate"])
    rates = np.array([_rate(one, usual) for one in going])
    behind = np.array([one.last["number"] - 1 for one in going], dtype=np.float64)
    chance = np.array([sbg.p_renew(learned.of(kind(one.last)).params, one.last["number"] - 1) for one in going])
    over = np.array([(day - one.last["ends_on"]).days for one in going])
    waits = np.array([one.last["contract__renews_automatically"] for one in going]) | (over <= 0)
    return Contracts(
        renewals=behind,
        months=np.array([one.last["contract__term_months"] for one in going], dtype=np.float64),
        margin=np.array([one.last["contract__value_cents"] for one in going]) / unit * rates,
        left=np.array([_left(one, day) for one in going]) / unit * rates,
        left_days=np.maximum(-over, 0).astype(np.float64),
        renews=np.where(
            [one.is_open(day) for one in going],
            np.where(waits, chance, renewals.still_renews(chance, over, *late)),
            0.0,
        ),
    )


def _rate(one: Known, usual: float) -> float:
    own = one.last["contract__margin_rate"]
    return usual if own is None else float(own)


def _left(one: Known, day: date) -> float:
    """The value of the agreed terms from the day after `day` on, in cents: days that are over are earned."""
    lengths = [(term, (term["ends_on"] - term["starts_on"]).days + 1) for term in one.terms if term["ends_on"] > day]
    shares = [term["value_cents"] * min((term["ends_on"] - day).days, days) / days for term, days in lengths]
    return float(sum(shares))


def _rows(
    run: Run, going: Sequence[Known], learned: Learned, columns: Contracts, worth: Worth, draws: Draws, unit: float
) -> list[ContractValue]:
    low, high = contract_value.interval(draws)
    left, beyond, stake = (np.rint(one * unit).astype(np.int64) for one in (worth.left, worth.beyond, worth.stake))
    return [
        ContractValue(
            contract_id=one.last["contract_id"],
            run_id=run.pk,
            as_of=run.as_of,
            model=learned.of(kind(one.last)).name,
            renewals=one.last["number"] - 1,
            due_on=one.last["ends_on"],
            is_overdue=one.is_open(run.as_of) and one.last["ends_on"] < run.as_of,
            p_renew=float(columns.renews[place]) if one.is_open(run.as_of) else None,
            left_cents=int(left[place]),
            stake_cents=int(stake[place]),
            beyond_cents=int(beyond[place]),
            value_cents=int(left[place] + beyond[place]),
            low_cents=round(float(low[place]) * unit),
            high_cents=round(float(high[place]) * unit),
        )
        for place, one in enumerate(going)
    ]


def _totals(
    going: Sequence[Known], rows: Sequence[ContractValue], draws: Draws, unit: float
) -> Iterator[ContractTotal]:
    places: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for place, one in enumerate(going):
        for pair in owners(one.last):
            places[pair].append(place)
    for (owner, owner_id), own in sorted(places.items()):
        low, high = contract_value.interval(draws[own].sum(axis=0, keepdims=True))
        yield ContractTotal(
            owner=owner,
            owner_id=owner_id,
            contracts=len(own),
            value_cents=sum(rows[place].value_cents for place in own),
            low_cents=round(float(low[0]) * unit),
            high_cents=round(float(high[0]) * unit),
        )


def owners(term: Term) -> Iterator[tuple[str, int]]:
    """Whose contract it is: the customer's, and the company's or, where none is named, the customer's company's."""
    if term["contract__customer_id"]:
        yield Owner.CUSTOMER, term["contract__customer_id"]
    company = term["contract__company_id"] or term["contract__customer__company_id"]
    if company:
        yield Owner.COMPANY, company
