"""What stands on the shelf: rewards are written, priced by tier, archived and given codes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from customers.models import Product
from loyalty.models import Offer, PoolCode, Reward, RewardPrice

MOST_CODES: Final = 20_000
LONGEST_CODE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A reward as somebody wrote it. The stock is a number of pieces, None for no end."""

    name: str
    kind: str
    cost_points: int
    description: str = ""
    money_off_cents: int | None = None
    trial_days: int | None = None
    product: Product | None = None
    offer: Offer | None = None
    code_days: int | None = None
    stock: int | None = None
    cap: int | None = None
    cap_period: str = Reward.Period.EVER
    visible_from: datetime | None = None
    visible_until: datetime | None = None


@transaction.atomic
def add(*, item: Item, prices: Mapping[int, int]) -> Reward:
    """`prices` are points by the tier's id."""
    reward = Reward.objects.create(**fields(item))
    _set_prices(reward, prices)
    return reward


@transaction.atomic
def change(*, reward_id: int, item: Item, prices: Mapping[int, int] | None) -> Reward:
    """Write what differs. Redemptions so far keep what they cost. None leaves the prices of tiers as they are."""
    reward = Reward.objects.select_for_update(no_key=True).get(pk=reward_id)
    told = fields(item)
    changed = [name for name, value in told.items() if getattr(reward, name) != value]
    for name in changed:
        setattr(reward, name, told[name])
    if changed:
        reward.save(update_fields=changed)
    if prices is not None:
        _set_prices(reward, prices)
    return reward


def fields(item: Item) -> dict[str, object]:
    """Without what the kind does not have."""
    kind = item.kind
    return {
        **{name: getattr(item, name) for name in Item.__dataclass_fields__},
        "money_off_cents": item.money_off_cents if kind == Reward.Kind.MONEY else None,
        "trial_days": item.trial_days if kind == Reward.Kind.TRIAL else None,
        "offer": item.offer if kind == Reward.Kind.CODE else None,
        "code_days": item.code_days if kind == Reward.Kind.CODE and item.offer else None,
    }


def _set_prices(reward: Reward, prices: Mapping[int, int]) -> None:
    known = {price.tier_id: price for price in RewardPrice.objects.filter(reward=reward)}
    RewardPrice.objects.filter(reward=reward).exclude(tier__in=prices).delete()
    for tier_id, points in prices.items():
        price = known.get(tier_id)
        if price is None:
            RewardPrice.objects.create(reward=reward, tier_id=tier_id, cost_points=points)
        elif price.cost_points != points:
            RewardPrice.objects.filter(pk=price.pk).update(cost_points=points)


def archive(*, reward_id: int, at: datetime | None) -> None:
    """Take it out of the shop for good, or, with None, put it back. What was bought stays bought."""
    Reward.objects.filter(pk=reward_id).update(archived_at=at)


def add_codes(*, reward_id: int, texts: Iterable[str]) -> int:
    """Put codes into the pool; those that are in it stay there once. Returns how many are new."""
    before = PoolCode.objects.filter(reward=reward_id).count()
    rows = [PoolCode(reward_id=reward_id, code=text) for text in dict.fromkeys(texts)]
    PoolCode.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1_000)
    return PoolCode.objects.filter(reward=reward_id).count() - before
