"""The programme's settings tried out on what really happened: the last 12 months beside those of now.

Whatever is written goes with a rollback. Points live longer than a year, so the replay begins two years before the
months that it tells of. Once the programme has been on for these months, only orders that it credits count; until then
earlier ones are judged by the rules of now.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction

from core.models import Business
from loyalty import breakage, expiry, replay, worth
from loyalty.models import Programme
from loyalty.replay import Course, Sums
from loyalty.selectors import breakage as breakages
from loyalty.selectors import programme as programmes
from loyalty.services import crediting, replay_facts
from loyalty.services.replay_facts import Span

LOOKED_AT: Final = 40_000  # orders; of more, those of every second, third, … customer
TOLD_MONTHS: Final = 12
MONTHS: Final = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What some settings make of the facts: flows of the 12 months, and what there is at their end."""

    earned: int
    given: int
    taken_back: int
    taken: int
    redeemed: int
    missed: int  # redeemed in fact, and not there under these settings
    expired: int
    active: int
    pending: int
    owed: int
    breakage: float | None  # share of what is outstanding; None: too little was seen
    worth_cents: int
    months: Sequence[tuple[date, int]]  # what customers had less what they owed, at the end of each

    @property
    def outstanding(self) -> int:
        return self.active + self.pending

    @property
    def cost_cents(self) -> int:
        """What was earned and not taken back, if all of it is redeemed."""
        points = self.earned + self.given - self.taken_back - self.taken
        return worth.cents_of(max(points, 0), worth_cents=self.worth_cents)

    @property
    def liability_cents(self) -> int:
        return round(self.outstanding * (1 - (self.breakage or 0.0)) * self.worth_cents / worth.RATE_POINTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`looked_at` customers of `customers`; more or less is what they redeemed and have, as money off a bill."""

    first: date
    since: date
    is_real: bool  # only orders that were credited, too; else earlier ones by the rules of now
    orders: int
    customers: int
    looked_at: int
    gain: int
    lose: int
    now: Outcome
    then: Outcome

    @property
    def is_estimated(self) -> bool:
        return self.looked_at < self.customers

    @property
    def same(self) -> int:
        return self.customers - self.gain - self.lose


def with_settings(row: Programme, settings: Mapping[str, Any]) -> Programme:
    """A copy of the programme that nobody saves."""
    tried = copy.copy(row)
    for name, value in settings.items():
        setattr(tried, name, value)
    return tried


def of_settings(*, row: Programme, tried: Programme, business: Business, at: datetime) -> Replay:
    """Look at what both would have made of the same facts, each as if it had held all the time."""
    today = at.astimezone(business.zone).date()
    first, since = expiry.add_months(today, -TOLD_MONTHS), expiry.add_months(today, -MONTHS)
    counted = crediting.first_day(row, business) if row.is_open else today
    is_real = counted <= first
    since = max(since, counted) if is_real else since
    with transaction.atomic():
        orders = replay_facts.orders(since=since, today=today)
        span = Span(since=since, today=today, at=at, share=-(-orders // LOOKED_AT) or 1)
        bases = sorted({row.earn_base, tried.earn_base})
        facts = replay_facts.of_customers(span, programme=row, business=business, bases=bases)
        transaction.set_rollback(True)
    now, had = _played(row, facts[row.earn_base], business, first, span)
    then, would_have = _played(tried, facts[tried.earn_base], business, first, span)
    more = [would_have.get(pk, 0) * tried.worth_cents - had.get(pk, 0) * row.worth_cents for pk in had | would_have]
    return Replay(
        first=first,
        since=since,
        is_real=is_real,
        orders=orders,
        customers=len(more) * span.share,
        looked_at=len(more),
        gain=sum(cents > 0 for cents in more) * span.share,
        lose=sum(cents < 0 for cents in more) * span.share,
        now=now,
        then=then,
    )


def _played(
    programme: Programme, facts: replay_facts.Facts, business: Business, first: date, span: Span
) -> tuple[Outcome, dict[int, int]]:
    """The sums, scaled up to all customers, and what each had of it."""
    terms, sums = programmes.terms(programme, business), Sums()
    course = Course(terms=terms, policy=programme.refund_policy, first=first, today=span.today)
    had = {pk: replay.play(rows, course=course, sums=sums) for pk, rows in facts.items()}
    return _outcome(sums, course, programme.worth_cents, span.share), had


def _outcome(sums: Sums, course: Course, worth_cents: int, share: int) -> Outcome:
    flows = {name: number * share for name, number in sums.flows.items()}
    names = ("earned", "given", "taken_back", "taken", "redeemed", "missed", "expired")
    now = breakage.number_of(course.today)
    estimate = breakage.estimate(
        sums.rest,
        breakage.seen(sums.cells, until=now),
        now=now,
        rest=breakages.rest_of_month(course.today),
        ends_move=course.terms.kind == Programme.Expiry.INACTIVITY,
    )
    return Outcome(
        **{name: flows.get(name, 0) for name in names},
        active=sums.active * share,
        pending=sums.pending * share,
        owed=sums.owed * share,
        breakage=estimate.share,
        worth_cents=worth_cents,
        months=_months(sums, breakage.number_of(course.first), now, share),
    )


def _months(sums: Sums, first: int, now: int, share: int) -> list[tuple[date, int]]:
    have = sum(points for month, points in sums.months.items() if month < first)
    found = []
    for month in range(first, now + 1):
        have += sums.months[month]
        found.append((breakage.first_day_of(month), have * share))
    return found
