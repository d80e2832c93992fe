"""What counts for tiers, and what follows from it, for many customers in one statement.

The rules are those of loyalty.tiering; tests hold the two against each other on histories of all kinds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.models import Business
from loyalty import tiering
from loyalty.models import Tier, TierPlan
from loyalty.tiering import Rules

MOST_VALUE: Final = 10**15

# Who is looked at: parts that name the column customer_id.
THESE: Final = "SELECT unnest(%(customers)s::bigint[]) AS customer_id"
RANGE: Final = "SELECT id AS customer_id FROM customers_customer WHERE id >= %(low)s AND id < %(high)s"
EXPIRED: Final = "SELECT customer_id FROM loyalty_standing WHERE until < %(today)s"
CLOSED: Final = "SELECT customer_id FROM loyalty_standing WHERE ends_on < %(today)s AND until >= %(today)s"
EVERYONE: Final = "SELECT id AS customer_id FROM customers_customer WHERE id %% %(share)s = 0"

# Facts of the customer of the row `stood`, within the days of the row {0}.
# Postings of accounts that were merged into another one count for that one's customer.
POINTS: Final = """
    SELECT p.points + p.pending_points AS amount, (p.at AT TIME ZONE %(zone)s)::date AS day
    FROM (
        WITH RECURSIVE line AS (
            SELECT id FROM loyalty_account WHERE customer_id = stood.customer_id AND merged_into_id IS NULL
            UNION ALL SELECT m.id FROM loyalty_account m JOIN line ON m.merged_into_id = line.id
        ) SELECT id FROM line
    ) a
    JOIN loyalty_posting p ON p.account_id = a.id AND p.kind IN ('earn', 'reverse')
        AND p.at >= ({0}.first::timestamp AT TIME ZONE %(zone)s)
        AND p.at < (({0}.last + 1)::timestamp AT TIME ZONE %(zone)s) AND p.at <= %(at)s"""
MONEY: Final = """
    SELECT o.value_cents AS amount, o.placed_on AS day FROM customers_order o
    WHERE o.customer_id = stood.customer_id AND o.status = 'paid' AND o.placed_on BETWEEN {0}.first AND {0}.last
    UNION ALL
    SELECT -r.value_cents, r.refunded_on FROM customers_refund r
    JOIN customers_order o ON o.id = r.order_id AND o.status = 'paid'
    WHERE r.customer_id = stood.customer_id AND r.refunded_on BETWEEN {0}.first AND {0}.last
    UNION ALL
    SELECT -u.value_cents, u.returned_on FROM customers_unmatchedreturn u
    WHERE u.customer_id = stood.customer_id AND u.returned_on BETWEEN {0}.first AND {0}.last"""
FACTS: Final = {TierPlan.By.POINTS: POINTS, TierPlan.By.MONEY: MONEY}

FIRST: Final = {
    "rolling": "(({day} + 1) - interval '12 months')::date",
    "year": "make_date(extract(year FROM {day})::int, 1, 1)",
    "lifetime": "'-infinity'::date",
}
PERIOD_END: Final = {
    "rolling": "({day} + interval '12 months')::date - 1",
    "year": "make_date(extract(year FROM {day})::int, 12, 31)",
    "lifetime": "NULL::date",
}

# Where everybody stands. A tier that is not among the ids any more has the rank of the tier below it.
STOOD: Final = """
WITH asked AS ({asked}),
stood AS (
    SELECT a.customer_id, s.customer_id IS NOT NULL AS has_stood, s.tier_id, s.since, s.ends_on, s.until,
        coalesce(s.set_by, 'rules') AS set_by, coalesce(s.ends_on < %(today)s, false) AS has_ended,
        coalesce(
            array_position(%(ids)s::bigint[], s.tier_id), width_bucket(t.threshold, %(thresholds)s::bigint[]), 0
        ) AS rank
    FROM asked a
    LEFT JOIN loyalty_standing s ON s.customer_id = a.customer_id
    LEFT JOIN loyalty_tier t ON t.id = s.tier_id
)"""

# What counts today, and what counted in the period that ended.
JUDGED: Final = (
    STOOD
    + """,
judged AS (
    SELECT stood.*, coalesce(now.value, 0) AS value_now, coalesce(past.value, 0) AS value_then,
        CASE WHEN has_stood OR now.facts > 0 THEN width_bucket(coalesce(now.value, 0), %(thresholds)s::bigint[])
            ELSE 0 END AS reached,
        width_bucket(coalesce(past.value, 0), %(thresholds)s::bigint[]) AS earned_then
    FROM stood
    CROSS JOIN LATERAL (SELECT {first_now} AS first, %(today)s::date AS last) today
    LEFT JOIN LATERAL (
        SELECT least(greatest(sum(f.amount), 0), %(most)s)::bigint AS value, count(*) AS facts FROM ({facts_now}) f
    ) now ON true
    LEFT JOIN LATERAL (SELECT {first_then} AS first, stood.ends_on AS last) ended ON stood.has_ended
    LEFT JOIN LATERAL (
        SELECT least(greatest(sum(f.amount), 0), %(most)s)::bigint AS value FROM ({facts_then}) f
    ) past ON stood.has_ended
)"""
)

# As loyalty.tiering.decide. `begun` is the first day of a new period, empty where the period is as it was.
BY_TIME: Final = """,
goals AS (
    SELECT *, CASE
        WHEN set_by <> 'rules' AND until < %(today)s THEN greatest(reached, earned_then)
        WHEN set_by = 'lowered' THEN rank
        WHEN reached > rank THEN reached
        WHEN set_by <> 'rules' OR NOT has_ended OR until >= %(today)s THEN rank
        WHEN earned_then >= rank OR reached >= rank THEN rank
        WHEN %(by_step)s THEN greatest(reached, earned_then, rank - 1)
        ELSE greatest(reached, earned_then)
    END AS goal
    FROM judged
),
decided AS (
    SELECT *, CASE
        WHEN goal = rank THEN 'rule'
        WHEN set_by <> 'rules' AND until < %(today)s THEN 'hand-ended'
        WHEN goal > rank THEN 'reached'
        ELSE 'ended'
    END AS reason, CASE
        WHEN goal > rank THEN %(today)s::date
        WHEN set_by <> 'rules' THEN CASE WHEN until < %(today)s THEN %(today)s::date END
        WHEN NOT has_ended THEN NULL
        WHEN earned_then >= rank THEN ends_on + 1
        WHEN reached >= rank OR until < %(today)s THEN %(today)s::date
    END AS begun
    FROM goals
)"""

# The rules changed: everybody rises to what is reached now, and falls only where that was asked for.
# Tiers by hand hold.
BY_RULE: Final = """,
goals AS (
    SELECT *, CASE
        WHEN set_by = 'lowered' THEN rank
        WHEN set_by = 'raised' OR NOT %(may_lower)s THEN greatest(rank, reached)
        ELSE reached
    END AS goal
    FROM judged
),
decided AS (
    SELECT *, 'rule' AS reason, CASE
        WHEN goal <> rank THEN %(today)s::date
        WHEN set_by = 'rules' AND goal > 0 AND ({period_end_today} IS NULL) <> (ends_on IS NULL) THEN %(today)s::date
    END AS begun
    FROM goals
)"""


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Rules as they are, or as somebody proposes them: `ids` of tiers in the order of their ranks, 0 for a new one."""

    qualify_by: str
    window: tiering.Kind
    grace_days: int
    by_step: bool
    ids: Sequence[int]
    thresholds: Sequence[int]

    @property
    def rules(self) -> Rules:
        return Rules(window=self.window, thresholds=self.thresholds, grace_days=self.grace_days, by_step=self.by_step)


def plan() -> TierPlan:
    """The rules. The row is made with its defaults on first use."""
    row, _ = TierPlan.objects.get_or_create(id=1)
    return row


def in_use() -> list[Tier]:
    """The tiers, the lowest first."""
    return list(Tier.objects.filter(retired_at=None).order_by("rank", "id"))


def scheme() -> Scheme:
    row, tiers = plan(), in_use()
    return Scheme(
        qualify_by=row.qualify_by,
        window=row.window,  # type: ignore[arg-type]
        grace_days=row.grace_days,
        by_step=row.downgrade == TierPlan.Downgrade.STEP,
        ids=[tier.pk for tier in tiers],
        thresholds=[tier.threshold for tier in tiers],
    )


def judge(of: Scheme, *, asked: str, decide: str = BY_TIME) -> str:
    """The beginning of a statement: the relation `decided`, one row for each customer of `asked`."""
    facts = FACTS[TierPlan.By(of.qualify_by)]
    judged = JUDGED.format(
        asked=asked,
        first_now=FIRST[of.window].format(day="%(today)s::date"),
        first_then=FIRST[of.window].format(day="stood.ends_on"),
        facts_now=facts.format("today"),
        facts_then=facts.format("ended"),
    )
    return judged + decide.format(period_end_today=PERIOD_END[of.window].format(day="%(today)s::date"))


def params(of: Scheme, *, business: Business, at: datetime, **more: Any) -> Mapping[str, Any]:
    return {
        "ids": list(of.ids),
        "thresholds": list(of.thresholds),
        "by_step": of.by_step,
        "grace": of.grace_days,
        "today": at.astimezone(business.zone).date(),
        "zone": business.time_zone,
        "at": at,
        "most": MOST_VALUE,
        **more,
    }
