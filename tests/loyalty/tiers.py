"""Tiers, points and standings as tests need them: one changed fact per call."""

from datetime import UTC, datetime, time
from itertools import count

from loyalty.models import Account, Posting, Standing, Tier, TierPlan
from tests.factories import DAY, make_customer

numbers = count(1)


def noon(day):
    return datetime.combine(day, time(12), UTC)


def make_plan(**fields):
    plan, _ = TierPlan.objects.update_or_create(id=1, defaults=fields)
    return plan


def make_tier(*, rank=1, threshold=100, **fields):
    return Tier.objects.create(**{"name": f"Tier {rank}", "rank": rank, "threshold": threshold} | fields)


def make_tiers(**plan):
    """Silver from 100 and Gold from 300."""
    make_plan(**plan)
    silver = make_tier(name="Silver", multiplier="1.25")
    return silver, make_tier(name="Gold", rank=2, threshold=300, multiplier="1.5", early_days=3, hue="gold")


def make_posting(customer, points, *, day=DAY, at=None, kind="earn", pending=0):
    """As the ledger posts it; `pending` of the points are not active yet."""
    account, _ = Account.objects.get_or_create(customer=customer)
    return Posting.objects.create(
        account=account,
        customer=customer,
        kind=kind,
        points=points - pending,
        pending_points=pending,
        asked=points,
        key=f"test:{next(numbers)}",
        at=at or noon(day),
    )


def make_member(tier, *, since=DAY, ends_on=None, until=None, **fields):
    """Somebody who stands in `tier`."""
    told = {"since": noon(since), "ends_on": ends_on, "until": until or ends_on, "value": 0}
    return Standing.objects.create(**{"customer": make_customer(), "tier": tier} | told | fields)
