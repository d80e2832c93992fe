"""Tiers, points and standings as tests need them: one changed fact per call."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from core import business
from loyalty.models import Account, Move, Posting, Standing, Tier, TierPlan
from loyalty.services import tiers
from tests.factories import DAY, make_customer

numbers = count(1)
YESTERDAY = DAY - timedelta(days=1)
A_YEAR_ON = date(2027, 3, 9)


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


def settle(*customers, day=DAY, at=None):
    ids = [customer.pk for customer in customers]
    return tiers.settle(customer_ids=ids, business=business.current(), at=at or noon(day))


def midnight(day):
    at = noon(day)
    return tiers.expire(business=business.current(), at=at), tiers.begin_periods(business=business.current(), at=at)


def stands(customer):
    row = Standing.objects.select_related("tier").filter(customer=customer).first()
    return None if row is None else (row.tier.name if row.tier else None, row.ends_on, row.until, row.value)


def history(customer):
    moves = Move.objects.filter(customer=customer).order_by("id").select_related("before", "after")
    return [(str(move.before or "-"), str(move.after or "-"), move.reason, move.value) for move in moves]
