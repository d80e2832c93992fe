"""Rewards as customers and staff see them: at which price, how many are left, and who may still have one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, prefetch_related_objects
from django.db.models.functions import Coalesce

from core import business
from loyalty.models import Offer, PoolCode, Redemption, Reward, RewardPrice, Tier
from loyalty.selectors import tiers

State, Period = Redemption.State, Reward.Period
PAGE_ROWS: Final = 50
LATELY: Final = timedelta(days=30)
COUNTED: Final = (State.HELD, State.COMMITTED, State.READY, State.HANDED_OVER, State.SENT)
WAITING: Final = (State.COMMITTED, State.READY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A reward as one customer sees it: `left` is None without an end, `missing` the points that she lacks."""

    reward: Reward
    points: int
    left: int | None
    is_used_up: bool  # she has had as many as one customer may
    missing: int

    @property
    def is_within_reach(self) -> bool:
        return not self.missing and self.can_be_had

    @property
    def can_be_had(self) -> bool:
        """With points enough."""
        return not self.is_used_up and self.left != 0


def priced(reward_id: int, *, customer_id: int, at: datetime) -> tuple[Reward, int] | None:
    """The reward and what this customer pays for it; None when there is no such reward. One query without tiers."""
    has_prices = Exists(RewardPrice.objects.filter(reward=OuterRef("pk")))
    reward = Reward.objects.select_related("offer").annotate(has_prices=has_prices).filter(pk=reward_id).first()
    if reward is None:
        return None
    if not reward.has_prices:
        return reward, reward.cost_points
    rows = Reward.objects.select_related("offer").filter(pk=reward_id)
    found = _with_price(rows, rank=_rank(customer_id, at)).get()
    return found, _price(found)


def is_offered_to(reward: Reward, *, customer_id: int, at: datetime) -> bool:
    """Whether she can choose it at `at`; tiers with early access can before the others."""
    if reward.is_offered(at):
        return True
    begins = reward.visible_from
    if begins is None or begins <= at or not reward.is_offered(begins):
        return False
    return tiers.seen_from(customer_id, at) >= begins


def offered(*, customer_id: int, balance: int, at: datetime) -> list[Offered]:
    """What she can choose from at `at`, the cheapest first."""
    tier = tiers.tiers_at([customer_id], at).get(customer_id)
    return offered_in(tier, customer_id=customer_id, balance=balance, at=at)


def offered_in(tier: Tier | None, *, customer_id: int, balance: int, at: datetime) -> list[Offered]:
    """The same where her tier is known. Four queries at most, whatever the number."""
    seen = shown(at, early=timedelta(days=tier.early_days if tier else 0))
    rows = list(_with_price(seen, rank=tier.rank if tier else 0).order_by("price_points", "pk"))
    free = _free_codes([row.pk for row in rows if row.has_pool])
    had = _had_of([row for row in rows if row.cap is not None], customer_id, at=at)
    return [
        Offered(
            reward=row,
            points=_price(row),
            left=_left(row, free),
            is_used_up=row.cap is not None and had.get(row.pk, 0) >= row.cap,
            missing=max(0, _price(row) - balance),
        )
        for row in rows
    ]


def shown(at: datetime, *, early: timedelta = timedelta()) -> QuerySet[Reward]:
    """Rewards that are offered at `at`, to those who see them so much earlier."""
    begun = Q(visible_from__isnull=True) | Q(visible_from__lte=at + early)
    lasts = Q(visible_until__isnull=True) | Q(visible_until__gt=at)
    good = Q(offer__isnull=True) | Q(offer__state=Offer.State.ACTIVE)
    good &= Q(offer__ends_at__isnull=True) | Q(offer__ends_at__gt=at)
    return Reward.objects.filter(begun & lasts & good, archived_at__isnull=True)


def _with_price(rows: QuerySet[Reward], *, rank: int) -> QuerySet[Reward]:
    """With `price_points`: the price of the highest tier up to this rank, else the reward's own."""
    reached = RewardPrice.objects.filter(reward=OuterRef("pk"), tier__retired_at=None, tier__rank__lte=rank)
    best = Subquery(reached.order_by("-tier__rank", "pk").values("cost_points")[:1])
    return rows.annotate(price_points=Coalesce(best, F("cost_points")))


def _rank(customer_id: int, at: datetime) -> int:
    """Of the customer's tier; 0 without one."""
    tier = tiers.tiers_at([customer_id], at).get(customer_id)
    return tier.rank if tier else 0


def had(reward: Reward, customer_id: int, *, at: datetime) -> int:
    """How many of the reward count against the customer's cap at `at`. One query."""
    return _had_of([reward], customer_id, at=at).get(reward.pk, 0)


def _price(reward: Reward) -> int:
    """What `_with_price` found."""
    return int(reward.price_points)  # type: ignore[attr-defined]


def local(at: datetime) -> datetime:
    """The same moment in the zone of the business. One query."""
    return at.astimezone(business.current().zone)


def _had_of(rewards: Sequence[Reward], customer_id: int, *, at: datetime) -> Mapping[int, int]:
    if not rewards:
        return {}
    counts, moment = Q(pk__in=()), local(at)
    for reward in rewards:
        begin = period_start(reward.cap_period, moment)
        counts |= Q(reward=reward) & (Q(made_at__gte=begin) if begin else Q())
    mine = Redemption.objects.filter(counts, customer=customer_id, state__in=COUNTED)
    still = mine.exclude(state=State.HELD, expires_at__lte=at)
    return dict(still.order_by().values_list("reward").annotate(number=Count("pk")))


def period_start(period: str, moment: datetime) -> datetime | None:
    """When the calendar day, month or year of a moment began, in its zone; None for ever."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {Period.DAY: day, Period.MONTH: day.replace(day=1), Period.YEAR: day.replace(day=1, month=1)}
    return starts.get(Period(period))


def _left(reward: Reward, free: Mapping[int, int]) -> int | None:
    if not reward.has_pool:
        return reward.stock
    codes = free.get(reward.pk, 0)
    return codes if reward.stock is None else min(codes, reward.stock)


def _free_codes(reward_ids: Sequence[int]) -> dict[int, int]:
    if not reward_ids:
        return {}
    free = PoolCode.objects.filter(reward__in=reward_ids, redemption=None)
    return dict(free.order_by().values_list("reward").annotate(number=Count("pk")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A reward in the list of staff."""

    reward: Reward
    is_offered: bool
    left: int | None
    lately: int  # redeemed in the last 30 days
    waiting: int


def of_state(state: str, *, at: datetime) -> QuerySet[Reward]:
    """`archived`, `hidden` (not offered now, not archived), `all`; anything else: what is offered."""
    if state == "archived":
        return Reward.objects.filter(archived_at__isnull=False)
    if state == "hidden":
        return Reward.objects.filter(archived_at=None).exclude(pk__in=shown(at).values("pk"))
    return Reward.objects.all() if state == "all" else shown(at)


def counts(*, at: datetime) -> dict[str, int]:
    """How many there are of each state. Two queries."""
    told = Reward.objects.aggregate(all=Count("pk"), archived=Count("pk", filter=Q(archived_at__isnull=False)))
    open_ = shown(at).count()
    return {"": open_, "hidden": told["all"] - told["archived"] - open_, **told}


def page(state: str, *, number: str, at: datetime) -> Page[Reward]:
    return Paginator(of_state(state, at=at).order_by("cost_points", "pk"), PAGE_ROWS).get_page(number)


def rows(rewards: Sequence[Reward], *, at: datetime) -> list[Row]:
    """Three queries at most."""
    prefetch_related_objects(rewards, "offer")
    ids = [reward.pk for reward in rewards]
    free = _free_codes([reward.pk for reward in rewards if reward.has_pool])
    found = Redemption.objects.filter(reward__in=ids).order_by().values("reward")
    lately = Count("pk", filter=Q(made_at__gt=at - LATELY, state__in=COUNTED))
    told = {
        row["reward"]: row for row in found.annotate(lately=lately, waiting=Count("pk", filter=Q(state__in=WAITING)))
    }
    return [
        Row(
            reward=reward,
            is_offered=reward.is_offered(at),
            left=_left(reward, free),
            lately=told.get(reward.pk, {}).get("lately", 0),
            waiting=told.get(reward.pk, {}).get("waiting", 0),
        )
        for reward in rewards
    ]
