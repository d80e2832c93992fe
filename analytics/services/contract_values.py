"""Every night: how likely each contract is renewed, and what it is worth. Rebuilt whole; contracts are few.

As of a day: contracts agreed by then, with the decisions that were known by then. What a night finds stands in tables
of the run's own, which its scores are made with, until publishing shows it together with them; what a night for a past
date finds is never shown.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.db.models import Model
from numpy.typing import NDArray

from analytics.clv import contract_value, renewals, sbg
from analytics.clv.contract_value import WHOLE, Contracts, Draws, Worth
from analytics.clv.history import LIFETIME_DAYS, LONG_DAYS
from analytics.clv.params import FloatArray
from analytics.clv.renewals import Kind, Learned
from analytics.models import ContractTotal, ContractValue
from core import money
from core.models import Run
from customers.models import ContractTerm

Outcome, Owner = ContractTerm.Outcome, ContractTotal.Owner
AT_ONCE: Final = 2_000
TOTALS: Final = "analytics_contracttotal"
VALUES: Final = "analytics_contractvalue"
PREFIXES: Final = (f"{TOTALS}_of_run_", f"{VALUES}_of_run_")  # of a run's own tables
YEAR_DAYS: Final = 365
SAME: Final = 1e-9  # relative: bounds as close as that differ by the computer's rounding alone
COLUMNS: Final = (
    *("contract_id", "number", "starts_on", "ends_on", "value_cents", "outcome", "decided_on"),
    *("contract__plan", "contract__margin_rate", "contract__term_months", "contract__value_cents"),
    *("contract__renews_automatically", "contract__customer_id", "contract__company_id"),
    *("contract__customer__company_id", "contract__is_billed_by_orders"),
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Valued:
    """Contracts that have not ended, as columns of one length; money in major units."""

    going: Sequence[Known]
    learned: Learned
    columns: Contracts
    worth: Worth
    draws: Draws
    ahead: Mapping[str, FloatArray]  # by column of a total: what is expected within its days
    year_draws: Draws


AHEAD: Final = {"year_cents": YEAR_DAYS, "three_years_cents": LONG_DAYS, "lifetime_cents": LIFETIME_DAYS}


def table_of(run: Run) -> str:
    """Where the totals of the run's customers and companies stand until the night is over."""
    return f"{TOTALS}_of_run_{int(run.pk)}"


@transaction.atomic
def refresh(*, run: Run) -> dict[str, Any]:
    """Learn from all decisions, value all contracts that have not ended, keep the model in the run."""
    known = list(_known(run.as_of))
    learned = learn(known, day=run.as_of)
    going = [one for one in known if not one.is_over(run.as_of)]
    rows, totals = _rows_and_totals(run, going, learned, _late(known, run.as_of)) if going else ([], [])
    _write(run, ContractValue, rows)
    _write(run, ContractTotal, totals)
    run.model = run.model | {"contracts": learned.as_dict()}
    run.stats = run.stats | {
        "contracts": {"contracts": len(going), "value_cents": sum(row.value_cents for row in rows)}
    }
    run.save(update_fields=["model", "stats"])
    return {"rows": len(going)}


def _write(run: Run, model: type[Model], rows: Sequence[Model]) -> None:
    table, names = model._meta.db_table, _columns_of(model)
    own = f"{table}_of_run_{int(run.pk)}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {own}")
        cursor.execute(f"CREATE TABLE {own} (LIKE {table} INCLUDING IDENTITY INCLUDING CONSTRAINTS)")
        with cursor.copy(f"COPY {own} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([getattr(row, name) for name in names])


def show(*, run: Run) -> None:
    """Put what the run has found in place of what is shown. Call it in the transaction that shows the run's scores."""
    with connection.cursor() as cursor:
        for model in (ContractValue, ContractTotal):
            table, names = model._meta.db_table, ", ".join(_columns_of(model))
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_of_run_{int(run.pk)}")


def _columns_of(model: type[Model]) -> list[str]:
    """Without the number that the table itself gives."""
    return [field.column for field in model._meta.concrete_fields if field.column != "id"]


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


def _rows_and_totals(
    run: Run, going: Sequence[Known], learned: Learned, late: tuple[list[int], list[bool]]
) -> tuple[list[ContractValue], list[ContractTotal]]:
    columns = _columns(going, learned, late, run)
    curves = [learned.of(kind(one.last)) for one in going]
    rate = float(run.settings["discount_rate"])
    keys = [one.last["contract_id"] for one in going]
    whole, year = contract_value.draws(columns, curves, keys, rate, [WHOLE, YEAR_DAYS])
    found = Valued(
        going=going,
        learned=learned,
        columns=columns,
        worth=contract_value.worth(columns, curves, rate),
        draws=whole,
        ahead={name: contract_value.within(columns, curves, rate, days) for name, days in AHEAD.items()},
        year_draws=year,
    )
    unit = 10.0 ** money.exponent(run.settings["currency"])
    return _rows(run, found, unit), list(_totals(found, unit))


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


def _rows(run: Run, found: Valued, unit: float) -> list[ContractValue]:
    worth, renews = found.worth, found.columns.renews
    left, beyond, stake = (np.rint(one * unit).astype(np.int64) for one in (worth.left, worth.beyond, worth.stake))
    low, high = _bounds(found.draws, worth.value, left + beyond, unit)
    return [
        ContractValue(
            contract_id=one.last["contract_id"],
            run_id=run.pk,
            as_of=run.as_of,
            model=found.learned.of(kind(one.last)).name,
            renewals=one.last["number"] - 1,
            due_on=one.last["ends_on"],
            is_overdue=one.is_open(run.as_of) and one.last["ends_on"] < run.as_of,
            p_renew=float(renews[place]) if one.is_open(run.as_of) else None,
            left_cents=int(left[place]),
            stake_cents=int(stake[place]),
            beyond_cents=int(beyond[place]),
            value_cents=int(left[place] + beyond[place]),
            low_cents=int(low[place]),
            high_cents=int(high[place]),
        )
        for place, one in enumerate(found.going)
    ]


def _bounds(
    draws: Draws, expected: FloatArray, cents: NDArray[np.int64], unit: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The interval in whole minor units around `cents`, what is expected as it is shown.

    It is rounded outwards where chance plays a part, so that rounding leaves no certainty where there is none.
    """
    low, high = (bound * unit for bound in contract_value.interval(draws, expected))
    is_sure = high - low <= np.maximum(np.abs(high), 1.0) * SAME
    below, above = (np.where(is_sure, np.rint(one), outwards) for one, outwards in _outwards(low, high))
    return np.minimum(below.astype(np.int64), cents), np.maximum(above.astype(np.int64), cents)


def _outwards(low: FloatArray, high: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    return [(low, np.floor(low)), (high, np.ceil(high))]


def _totals(found: Valued, unit: float) -> Iterator[ContractTotal]:
    """The sums of what each customer and company holds. What orders bill is in the orders' value already."""
    places: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for place, one in enumerate(found.going):
        for pair in owners(one.last):
            places[pair].append(place)
    for (owner, owner_id), own in sorted(places.items()):
        added = [place for place in own if not found.going[place].last["contract__is_billed_by_orders"]]
        value, low, high = _sum(found.draws[own], found.worth.value[own], unit)
        year, year_low, year_high = _sum(found.year_draws[added], found.ahead["year_cents"][added], unit)
        yield ContractTotal(
            owner=owner,
            owner_id=owner_id,
            contracts=len(own),
            value_cents=value,
            low_cents=low,
            high_cents=high,
            year_cents=year,
            year_low_cents=year_low,
            year_high_cents=year_high,
            three_years_cents=round(float(found.ahead["three_years_cents"][added].sum()) * unit),
            lifetime_cents=round(float(found.ahead["lifetime_cents"][added].sum()) * unit),
        )


def _sum(draws: Draws, expected: FloatArray, unit: float) -> tuple[int, int, int]:
    """The expected sum in minor units, and its interval."""
    whole = expected.sum(keepdims=True)
    cents = np.rint(whole * unit).astype(np.int64)
    low, high = _bounds(draws.sum(axis=0, keepdims=True), whole, cents, unit)
    return int(cents[0]), int(low[0]), int(high[0])


def owners(term: Term) -> Iterator[tuple[str, int]]:
    """Whose contract it is: the customer's, and the company's or, where none is named, the customer's company's."""
    if term["contract__customer_id"]:
        yield Owner.CUSTOMER, term["contract__customer_id"]
    company = term["contract__company_id"] or term["contract__customer__company_id"]
    if company:
        yield Owner.COMPANY, company
