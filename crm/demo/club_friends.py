"""Who came to the demo's shop by a friend, with the ends that it can take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from django.db import connection

from core.models import User
from crm.demo import dice
from loyalty.models import Referral
from loyalty.referral_refusals import Refused
from loyalty.selectors.referrals import OPEN
from loyalty.services import referrals

MOST: Final = 34
ADVOCATES: Final = 9
OF_MEMBER: Final = 5
HOUSE: Final = "192.0.2.14"  # RFC 5737: an address that nobody has
LEAST_CENTS: Final = 20_00
LATE_DAYS: Final = 100  # later than an order may come
State = Referral.State

# New customers since the programme began, by their first order: when, and what the largest of all came to.
NEW: Final = """
SELECT o.customer_id, min(o.placed_at), max(o.value_cents), bool_and(coalesce(
    date_trunc('month', o.fully_refunded_on) > date_trunc('month', o.placed_on), false))
FROM customers_order o JOIN customers_customer c ON c.id = o.customer_id AND c.company_id IS NULL
WHERE o.status = 'paid' GROUP BY 1 HAVING min(o.placed_at) > %(opened)s ORDER BY 2, 1
"""
OLD: Final = """
SELECT customer_id FROM customers_order WHERE status = 'paid' AND customer_id IS NOT NULL
GROUP BY 1 HAVING min(placed_at) < %(opened)s ORDER BY count(*) DESC, customer_id LIMIT %(most)s
"""


@dataclass(frozen=True)
class Claim:
    at: datetime
    friend: int
    advocate: int
    caller: str = ""


@dataclass(frozen=True)
class Newcomer:
    customer: int
    first_at: datetime
    most_cents: int
    came_back: bool


def claims(*, random: np.random.Generator, member: int | None, opened_at: datetime, ends_at: datetime) -> list[Claim]:
    """What will be claimed, in the order of time. The world to look at is the whole one."""
    with connection.cursor() as cursor:
        cursor.execute(OLD, {"opened": opened_at, "most": ADVOCATES})
        old = [pk for (pk,) in cursor.fetchall() if pk != member]
        cursor.execute(NEW, {"opened": opened_at + timedelta(days=LATE_DAYS + 10)})
        new = [Newcomer(*row) for row in cursor.fetchall()]
    if not old and member is None:
        return []
    advocates = [member] * OF_MEMBER if member else []
    made = list(_claims(random, _chosen(random, new, ends_at), [*advocates, *old, *old, *old], ends_at))
    return sorted(made, key=lambda claim: (claim.at, claim.friend))


def _chosen(random: np.random.Generator, new: Sequence[Newcomer], ends_at: datetime) -> list[Newcomer]:
    """Some whose order came back, some who have not bought for enough yet, those of the last weeks, and others."""
    back = [one for one in new if one.came_back][:3]
    small = [one for one in new if one.most_cents < LEAST_CENTS and one.first_at > ends_at - timedelta(days=70)][:4]
    late = [one for one in new if one.first_at > ends_at - timedelta(days=20) and one not in small][:7]
    taken = {one.customer for one in (*back, *small, *late)}
    rest = [one for one in new if one.customer not in taken]
    others = dice.some(random, rest, MOST - len(taken))
    return sorted([*back, *small, *late, *others], key=lambda one: one.first_at)


def _claims(
    random: np.random.Generator, new: Sequence[Newcomer], advocates: Sequence[int], ends_at: datetime
) -> Iterator[Claim]:
    """Most claim some days before they buy, some far too early, some when they have bought already."""
    mixed = [advocates[int(place)] for place in random.permutation(len(advocates))]
    for number, one in enumerate(new):
        before = timedelta(days=1 + 6 * random.random())
        is_late = one.first_at > ends_at - timedelta(days=20)
        if not (is_late or one.came_back or one.most_cents < LEAST_CENTS):
            before = {4: timedelta(days=LATE_DAYS), 7: timedelta(hours=-5)}.get(number % 10, before)
        caller = referrals.caller_of(HOUSE) if is_late else ""
        yield Claim(one.first_at - before, one.customer, mixed[number % len(mixed)], caller)


def claim(told: Sequence[Claim], *, begin: datetime, end: datetime) -> None:
    """Note those of a month."""
    for one in told:
        if begin <= one.at < end:
            code = referrals.code_for(customer_id=one.advocate, at=begin)
            try:
                referrals.claim(text=code.code, customer_id=one.friend, at=one.at, caller=one.caller)
            except Refused:
                continue


def judge(*, at: datetime) -> None:
    """What has become of them by now; an order may come back later."""
    waiting = Referral.objects.filter(state__in=OPEN)
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        referrals.judge(referral_id=pk, at=at)
    referrals.pass_time(at=at)


def decide(*, by: User, at: datetime) -> None:
    """One of those that are held is let go, one is cancelled; the others wait."""
    held = list(Referral.objects.filter(state=State.HELD).order_by("claimed_at", "pk").values_list("pk", flat=True))
    if len(held) > 4:
        referrals.release(referral_id=held[0], by=by, at=at)
        referrals.cancel(referral_id=held[1], by=by, at=at, note="Lives at the advocate's address")
