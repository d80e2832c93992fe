"""A shelf of rewards and customers with points, one changed fact per line."""

from datetime import UTC, datetime, timedelta
from itertools import count

from loyalty.models import Account, Lot, PoolCode, Programme, Redemption, Reward, Standing, Tier
from loyalty.services import points, rewards
from loyalty.services.rewards import Wish
from tests.factories import make_customer

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
numbers = count(1)


def make_programme(**settings):
    """One that is switched on; 100 points are worth 1.00."""
    return Programme.objects.update_or_create(id=1, defaults={"opened_at": NOW - 365 * DAY} | settings)[0]


def make_reward(**fields):
    return Reward.objects.create(**{"name": f"Mug {next(numbers)}", "kind": "product", "cost_points": 100} | fields)


def make_member(balance=500, *, at=NOW, expires_at=None, **fields):
    """A customer with so many points."""
    customer = make_customer(**fields)
    if balance:
        key = f"earn:test:{next(numbers)}"
        points.earn(customer_id=customer.pk, points=balance, key=key, at=at - 30 * DAY, expires_at=expires_at)
    return customer


def make_tier(rank, **fields):
    return Tier.objects.create(**{"name": f"Tier {rank}", "rank": rank, "threshold": rank * 100} | fields)


def stand(customer, tier, **fields):
    return Standing.objects.create(customer=customer, tier=tier, since=NOW - 90 * DAY, **{"value": 0} | fields)


def wish(customer, reward=None, points=None):
    return Wish(customer_id=customer.pk, reward_id=reward and reward.pk, points=points)


def redeem(customer, reward=None, *, points=None, key=None, at=NOW, place="portal"):
    key = key or f"test:{next(numbers)}"
    return rewards.redeem(wish=wish(customer, reward, points), key=key, at=at, place=place).redemption


def hold(customer, reward=None, *, points=None, key=None, at=NOW):
    key = key or f"test:{next(numbers)}"
    return rewards.hold(wish=wish(customer, reward, points), key=key, at=at, place="api").redemption


def fill_pool(reward, *texts):
    PoolCode.objects.bulk_create(PoolCode(reward=reward, code=text) for text in texts)


def balance(customer):
    return Account.objects.get(customer=customer).balance


def left(reward):
    return Reward.objects.get(pk=reward.pk).stock


def state(redemption):
    return Redemption.objects.get(pk=redemption.pk).state


def lots(customer):
    """What is left of each lot, in the order in which they came."""
    return list(Lot.objects.filter(account__customer=customer).order_by("pk").values_list("points_left", flat=True))
