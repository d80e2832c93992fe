"""Who stands where, who is near the next tier, and what other rules would change: counted over everybody.

A large shop is counted by every so-manieth customer and said to be estimated.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection

from core import business as settings_row
from customers.models import Customer
from loyalty.models import Tier
from loyalty.selectors import tier_values
from loyalty.selectors.tier_values import Scheme

MOST_LOOKED_AT: Final = 20_000

# What everybody earned in the last 12 months is what another multiplier would have changed.
COUNT: Final = """
SELECT stood.tier_id, stood.rank, stood.goal, count(*),
    count(*) FILTER (WHERE stood.value_now >= %(near)s * (%(thresholds)s::bigint[])[stood.goal + 1]),
    coalesce(sum(year.points), 0)::bigint
FROM decided stood
CROSS JOIN LATERAL (SELECT {first} AS first, %(today)s::date AS last) span
CROSS JOIN LATERAL (SELECT sum(f.amount) AS points FROM ({points}) f) year
WHERE stood.goal > 0 OR stood.tier_id IS NOT NULL OR stood.value_now > 0
GROUP BY 1, 2, 3"""
NEAR: Final = Decimal("0.8")


class Group(NamedTuple):
    """Customers who stand in `tier_id` now (None: in none), and would stand in the rank `goal`."""

    tier_id: int | None
    rank: int
    goal: int
    customers: int
    near: int
    points: int


@dataclass(frozen=True, kw_only=True)
class Census:
    """`share`: one in so many customers was looked at; the numbers stand for all."""

    groups: Sequence[Group]
    share: int

    @property
    def is_estimated(self) -> bool:
        return self.share > 1

    def near(self) -> Mapping[int, int]:
        """By rank, how many have at least 80 % of what the next tier takes."""
        return _sums((one.goal, one.near) for one in self.groups)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would change. Points are those of the last 12 months, as they were given and as they would have been."""

    rise: int
    fall: int
    join: int
    stay: int
    kept: int  # who would fall if it were asked for
    points: int
    points_then: int
    is_estimated: bool
    by_rank: Mapping[int, int]

    @property
    def points_more(self) -> int:
        return self.points_then - self.points


def census(*, at: datetime, of: Scheme | None = None, may_lower: bool = True, by_rule: bool = False) -> Census:
    """Count under the rules as they are, or under others (`by_rule`) as if they held from now on."""
    business, scheme = settings_row.current(), of or tier_values.scheme()
    share = _share()
    decide = tier_values.BY_RULE if by_rule else tier_values.BY_TIME
    query = tier_values.judge(scheme, asked=tier_values.EVERYONE, decide=decide) + COUNT.format(
        first=tier_values.FIRST["rolling"].format(day="%(today)s::date"), points=tier_values.POINTS.format("span")
    )
    told = tier_values.params(scheme, business=business, at=at, share=share, near=NEAR, may_lower=may_lower)
    with connection.cursor() as cursor:
        cursor.execute(query, told)
        rows = [Group(*row) for row in cursor.fetchall()]
    return Census(groups=[_whole(row, share) for row in rows], share=share)


def _share() -> int:
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return max(1, last // MOST_LOOKED_AT)


def _whole(row: Group, share: int) -> Group:
    return row._replace(customers=row.customers * share, near=row.near * share, points=row.points * share)


def preview(*, of: Scheme, multipliers: Sequence[Decimal], may_lower: bool, at: datetime) -> Preview:
    """`multipliers` of the proposed tiers in the order of their ranks."""
    found = _members(at=at, of=of, may_lower=may_lower)
    lowered = found if may_lower else _members(at=at, of=of, may_lower=True)
    now: dict[int | None, Decimal] = dict(Tier.objects.values_list("pk", "multiplier"))
    then = [Decimal(1), *multipliers]
    points_then = sum(
        (one.points / now.get(one.tier_id, Decimal(1)) * then[one.goal] for one in found.groups), Decimal(0)
    )
    return Preview(
        rise=_count(found, lambda one: one.tier_id is not None and one.goal > one.rank),
        fall=_count(found, lambda one: _falls(one, of)),
        join=_count(found, lambda one: one.tier_id is None),
        stay=_count(found, lambda one: one.goal == one.rank and one.tier_id in of.ids),
        kept=_count(lowered, lambda one: _falls(one, of)) - _count(found, lambda one: _falls(one, of)),
        points=sum(one.points for one in found.groups),
        points_then=round(points_then),
        is_estimated=found.is_estimated,
        by_rank=_sums((one.goal, one.customers) for one in found.groups),
    )


def _members(*, at: datetime, of: Scheme, may_lower: bool) -> Census:
    """Those who have a tier, or would have one."""
    found = census(at=at, of=of, may_lower=may_lower, by_rule=True)
    return replace(found, groups=[one for one in found.groups if one.goal or one.tier_id is not None])


def _falls(one: Group, of: Scheme) -> bool:
    """Whose tier is taken away falls to the one below, even where nobody else does."""
    return one.goal < one.rank or (one.goal == one.rank and one.tier_id not in of.ids)


def _count(found: Census, matches: Callable[[Group], bool]) -> int:
    return sum(one.customers for one in found.groups if matches(one))


def _sums(pairs: Iterable[tuple[int, int]]) -> Mapping[int, int]:
    sums: Counter[int] = Counter()
    for key, number in pairs:
        sums[key] += number
    return sums
