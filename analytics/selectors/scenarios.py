"""Kept scenarios, and several of them beside what is.

A scenario of a segment leaves everybody else as they are. So scenarios of different segments are compared by what they
add to the whole business.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from analytics.clv.what_if import AMOUNTS, AS_IT_IS
from analytics.models import Scenario
from analytics.models.scenario import LIMITS
from analytics.selectors import what_if, whom
from analytics.selectors.what_if import Answer, Line
from analytics.selectors.whom import Whom
from core.models import Run

MOST: Final = 3  # beside what is: four columns
MOST_SHOWN: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A scenario with its segment; None where that is gone."""

    scenario: Scenario
    whom: Whom | None

    @property
    def changes(self) -> dict[str, Decimal]:
        return {lever: getattr(self.scenario, lever) for lever in LIMITS}

    @property
    def query(self) -> str:
        """The address of the simulator with its levers."""
        levers = {lever: f"{change.normalize():f}" for lever, change in self.changes.items() if change}
        of = {"of": self.whom.value} if self.whom else {}
        return urlencode({"scenario": self.scenario.pk, **of, **levers})


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    kept: Kept
    lines: Mapping[str, Line]
    payback: tuple[int | None, int | None] | None  # of whoever speaks of the whole business, where a cost is known


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """`whom` all of it is about; `left_out` could not be answered."""

    whom: Whom
    before: Answer
    compared: Sequence[Compared]
    left_out: Sequence[Kept]


def kept() -> list[Kept]:
    """Those that are not deleted, by name."""
    found = Scenario.objects.filter(deleted_at__isnull=True).select_related("changed_by")
    return _with_whom(found.order_by("name", "pk")[:MOST_SHOWN])


def deleted() -> Sequence[Scenario]:
    """The latest first."""
    return list(Scenario.objects.filter(deleted_at__isnull=False).order_by("-deleted_at", "-pk")[:MOST_SHOWN])


def chosen(pks: Sequence[int]) -> list[Kept]:
    """Those that are there, in the order asked for, each once."""
    found = Scenario.objects.filter(deleted_at__isnull=True).in_bulk(list(pks))
    return [_kept(found[pk]) for pk in dict.fromkeys(pks) if pk in found]


def find(pk: str) -> Kept | None:
    """By what stands in an address; None for a deleted one."""
    number = int(pk) if pk.isascii() and pk.isdecimal() and len(pk) < 19 else 0
    return next(iter(chosen([number])), None)


def compare(*, run: Run, several: Sequence[Kept]) -> Comparison | None:
    """None where there is nobody to expect anything of."""
    found = {one.whom.value: one.whom for one in several if one.whom}
    about = next(iter(found.values())) if len(found) == 1 else whom.everybody()
    before = what_if.answer(run=run, whom=about, levers=AS_IT_IS)
    if before is None:
        return None
    answers = [(one, _answer(run, one)) for one in several]
    return Comparison(
        whom=about,
        before=before,
        compared=[_compared(one, before, answer) for one, answer in answers if answer],
        left_out=[one for one, answer in answers if answer is None],
    )


def _answer(run: Run, one: Kept) -> Answer | None:
    return what_if.answer(run=run, whom=one.whom, levers=what_if.levers_of(one.changes)) if one.whom else None


def _compared(one: Kept, before: Answer, answer: Answer) -> Compared:
    lines = {
        name: Line(
            before=before.lines[name].before,
            after=before.lines[name].before + answer.lines[name].added.expected,
            added=answer.lines[name].added,
        )
        for name in AMOUNTS
    }
    is_whole = one.whom is not None and one.whom.is_everybody and answer.acquisition_cents is not None
    return Compared(kept=one, lines=lines, payback=answer.payback if is_whole else None)


def _with_whom(scenarios: Iterable[Scenario]) -> list[Kept]:
    """Two queries for all their segments."""
    known = {one.value: one for _label, own in whom.choices() for one in own}
    everybody = whom.everybody()
    return [
        Kept(scenario=one, whom=known.get(f"{one.scheme}:{one.slug}") if one.scheme else everybody) for one in scenarios
    ]


def _kept(scenario: Scenario) -> Kept:
    return Kept(scenario=scenario, whom=whom.find(scenario.scheme, scenario.slug))
