"""What firms have agreed for a time: coffee for the office, machines with beans, service of machines.

Each firm has its own chance to leave at a renewal, as people do who renew or cancel: those likely to leave go first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from crm.demo import dice
from crm.demo.facts import Deal, Decision, Firm, Person
from customers import terms


@dataclass(frozen=True)
class Plan:
    name: str
    months: int
    price: int  # of a term, about
    margin: Decimal | None
    automatic: bool
    leaves: tuple[float, float]  # θ ~ Beta of those who hold it
    weight: float


PLANS: Final = [
    Plan("Coffee for the office", 3, 420, None, True, (0.7, 6.0), 50.0),
    Plan("Machine and beans", 12, 2400, Decimal("0.35"), False, (1.1, 4.5), 34.0),
    Plan("Machine service", 6, 190, Decimal("0.6"), False, (0.9, 3.2), 16.0),
]
HOLDS: Final = 0.86
HOLDS_ANOTHER: Final = 0.3
UNDECIDED_DAYS: Final = 45  # a term that ended lately may still wait for a word
UNDECIDED: Final = 0.5
LAPSES: Final = 0.3
PRICE_RISE: Final = Decimal("1.03")
REASONS: Final = [("", 40.0), ("price", 22.0), ("moved", 14.0), ("closed", 12.0), ("other supplier", 12.0)]


def deals(people: Sequence[Person], *, until: date, seed: int) -> list[Deal]:
    """The contracts of the firms that people belong to, in the order of the firms."""
    random = dice.stream(seed, "contracts")
    firms: dict[str, tuple[Firm, Person]] = {}
    for person in people:
        if person.firm is not None:
            firms.setdefault(person.firm.name, (person.firm, person))
    found = [deal for firm, person in firms.values() for deal in _of_firm(random, firm, person, until)]
    return [Deal(f"K{1001 + number}", *deal) for number, deal in enumerate(found)]


Draft = tuple[str, str, str, date, int, Decimal, Decimal | None, bool, list[Decision]]


def _of_firm(random: np.random.Generator, firm: Firm, person: Person, until: date) -> Iterator[Draft]:
    if not dice.happens(random, HOLDS):
        return
    taken: set[str] = set()
    for _ in range(1 + dice.happens(random, HOLDS_ANOTHER)):
        plan = dice.weighted(random, [(plan, plan.weight) for plan in PLANS])
        starts_on = firm.contract_starts_on + timedelta(days=int(random.integers(0, 60)))
        price = Decimal(round(plan.price * float(random.lognormal(0.0, 0.45)) / 10) * 10)
        decided = list(_decisions(random, plan, starts_on, price, until))
        if plan.name not in taken and starts_on <= until:
            taken.add(plan.name)
            yield (
                firm.name,
                person.external_id,
                plan.name,
                starts_on,
                plan.months,
                price,
                plan.margin,
                plan.automatic,
                decided,
            )


def _decisions(
    random: np.random.Generator, plan: Plan, starts_on: date, price: Decimal, until: date
) -> Iterator[Decision]:
    """Term after term until today, or until one that is not renewed."""
    leaves, first, value = float(random.beta(*plan.leaves)), starts_on, price
    while (last := terms.last_day(starts_on=first, months=plan.months, anchor=starts_on.day)) <= until:
        goes = dice.happens(random, leaves)
        late = int(random.integers(2, 30)) if dice.happens(random, 0.12) else -int(random.integers(0, 25))
        on = max(min(last + timedelta(days=late), until), first)
        if (until - last).days < UNDECIDED_DAYS and dice.happens(random, UNDECIDED):
            return
        if goes:
            lapses = dice.happens(random, LAPSES) and on > last
            yield Decision("lapsed" if lapses else "cancelled", on, dice.weighted(random, REASONS))
            return
        value = _raised(value) if plan.months == 12 or dice.happens(random, 0.2) else value
        yield Decision("renewed", on, "", value)
        first = last + timedelta(days=1)


def _raised(value: Decimal) -> Decimal:
    return (value * PRICE_RISE / 5).quantize(Decimal(1)) * 5
