"""Tiers as pages, prices and programs ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet

from core import business as settings_row
from core.models import Business
from loyalty import tiering
from loyalty.models import Move, Standing, Tier, TierNotice, TierPlan
from loyalty.selectors import tier_values
from loyalty.tiering import Stand

GOALS: Final = "\nSELECT customer_id, (%(ids)s::bigint[])[goal] FROM decided"

# What one customer's standing is made of.
COURSE: Final = """
SELECT stood.has_stood, stood.rank, stood.ends_on, stood.until, stood.set_by, stood.since, coalesce(now.value, 0),
    coalesce(now.facts, 0), now.oldest, coalesce(kept.value, 0)
FROM stood
CROSS JOIN LATERAL (SELECT {first_now} AS first, %(today)s::date AS last) today
LEFT JOIN LATERAL (
    SELECT least(greatest(sum(f.amount), 0), %(most)s)::bigint AS value, count(*) AS facts,
        min(f.day) FILTER (WHERE f.amount > 0) AS oldest
    FROM ({facts_now}) f
) now ON true
LEFT JOIN LATERAL (SELECT {first_kept} AS first, stood.ends_on AS last) span ON stood.ends_on IS NOT NULL
LEFT JOIN LATERAL (
    SELECT least(greatest(sum(f.amount), 0), %(most)s)::bigint AS value FROM ({facts_kept}) f
) kept ON stood.ends_on IS NOT NULL"""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a customer stands and what is missing; amounts in points, or in the currency's minor unit.

    `keep_missing` more by `keep_by` keep the tier for another period; `until` is its last day otherwise.
    """

    tier: Tier | None
    since: datetime | None
    until: date | None
    is_by_hand: bool
    counts_money: bool
    value: int
    next_tier: Tier | None
    next_missing: int
    next_by: date | None
    keep_missing: int
    keep_by: date | None

    @property
    def percent(self) -> int:
        """Of the way to the next tier, from zero; 100 in the highest one."""
        if self.next_tier is None or not self.next_tier.threshold:
            return 100
        return min(100 * self.value // self.next_tier.threshold, 100)

    @property
    def is_in_danger(self) -> bool:
        """Whether something is missing to keep the tier."""
        return self.keep_missing > 0


def progress(customer_id: int, at: datetime) -> Progress | None:
    """The tier of a customer, and how much more is needed to reach the next one or to keep it. None without tiers."""
    tiers, of, business = tier_values.in_use(), tier_values.scheme(), settings_row.current()
    if not tiers:
        return None
    told = tier_values.params(of, business=business, at=at, customers=[customer_id])
    first, facts = tier_values.FIRST[of.window], tier_values.FACTS[TierPlan.By(of.qualify_by)]
    query = tier_values.STOOD.format(asked=tier_values.THESE) + COURSE.format(
        first_now=first.format(day="%(today)s::date"),
        first_kept=first.format(day="stood.ends_on"),
        facts_now=facts.format("today"),
        facts_kept=facts.format("span"),
    )
    with connection.cursor() as cursor:
        cursor.execute(query, told)
        row = cursor.fetchone()
    return _told(row, tiers=tiers, of=of, today=told["today"])


def _told(row: Sequence[Any], *, tiers: Sequence[Tier], of: tier_values.Scheme, today: date) -> Progress:
    has_stood, rank, ends_on, until, set_by, since, value, facts, oldest, kept = row
    stand = Stand(rank, ends_on, until, set_by) if has_stood else None
    now = tiering.decide(of.rules, stand, today=today, value_now=value, value_then=kept, has_facts=facts > 0)
    stand = now.stand if now else None
    is_as_before = stand is not None and stand.ends_on == ends_on
    way = tiering.progress(
        of.rules, stand, today=today, value_now=value, value_kept=kept if is_as_before else value, oldest=oldest
    )
    return Progress(
        tier=tiers[stand.rank - 1] if stand and stand.rank else None,
        since=since,
        until=stand.until if stand else None,
        is_by_hand=stand is not None and stand.set_by != "rules",
        counts_money=of.qualify_by == TierPlan.By.MONEY,
        value=value,
        next_tier=None if way.next_rank is None else tiers[way.next_rank - 1],
        next_missing=way.next_missing,
        next_by=way.next_by,
        keep_missing=way.keep_missing,
        keep_by=way.keep_by,
    )


def tiers_at(customer_ids: Sequence[int], at: datetime) -> dict[int, Tier]:
    """The tier of each customer who has one at `at`, judged by the times: the night may be still to come."""
    business = settings_row.current()
    today = at.astimezone(business.zone).date()
    rows = list(Standing.objects.filter(pk__in=customer_ids).values_list("customer_id", "tier_id", "since", "until"))
    found: dict[int, int | None] = {customer: tier for customer, tier, since, until in rows}
    found |= _decided([pk for pk, _, _, until in rows if until is not None and until < today], business, at)
    found |= _before([pk for pk, _, since, _ in rows if since > at], at)
    tiers = Tier.objects.in_bulk({tier for tier in found.values() if tier is not None})
    return {customer: tiers[tier] for customer, tier in found.items() if tier is not None}


def _decided(customer_ids: Sequence[int], business: Business, at: datetime) -> dict[int, int | None]:
    """Of those whose last day is over."""
    if not customer_ids:
        return {}
    of = tier_values.scheme()
    with connection.cursor() as cursor:
        query = tier_values.judge(of, asked=tier_values.THESE) + GOALS
        cursor.execute(query, tier_values.params(of, business=business, at=at, customers=customer_ids))
        return dict(cursor.fetchall())


def _before(customer_ids: Sequence[int], at: datetime) -> dict[int, int | None]:
    """Of those who came to their present tier after `at`."""
    moves = Move.objects.filter(customer_id__in=customer_ids, at__lte=at).order_by("customer_id", "-id")
    earlier = dict(moves.distinct("customer_id").values_list("customer_id", "after_id"))
    return {customer: earlier.get(customer) for customer in customer_ids}


def multipliers(customer_ids: Sequence[int], at: datetime) -> dict[int, Decimal]:
    """By what the points of these customers are multiplied; who is not named has 1."""
    return {customer: tier.multiplier for customer, tier in tiers_at(customer_ids, at).items()}


def seen_from(customer_id: int, at: datetime) -> datetime:
    """What becomes visible up to this time is shown to the customer already: early access of the tier."""
    tier = tiers_at([customer_id], at).get(customer_id)
    return at + timedelta(days=tier.early_days if tier else 0)


def notices(customer_id: int, at: datetime) -> list[TierNotice]:
    """What the customer was not shown yet, the newest first; an end that is over is no news."""
    today = at.astimezone(settings_row.current().zone).date()
    is_true = Q(until=None) | Q(until__gte=today)
    rows = TierNotice.objects.filter(is_true, customer_id=customer_id, seen_at=None)
    return list(rows.select_related("tier").order_by("-id")[:5])


def history(customer_id: int | None = None) -> QuerySet[Move]:
    """Moves between tiers, the newest first: of one customer, or of all."""
    moves = Move.objects.select_related("before", "after", "by", "customer")
    if customer_id is None:
        return moves.order_by("-at", "-id")
    return moves.filter(customer_id=customer_id).order_by("-id")


def members() -> Mapping[int, int]:
    """How many stand in each tier."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tier_id, count(*) FROM loyalty_standing WHERE tier_id IS NOT NULL GROUP BY 1")
        return dict(cursor.fetchall())
