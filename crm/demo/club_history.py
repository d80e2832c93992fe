"""What became of the demo's programme in a year and a half: month after month, by the services that work every day.

Each month begins with what its first midnight decides and with the points of the month before; then people redeem, use
codes and bring friends. The same seed gives the same history, but for codes, which nobody can guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np
from django.db import connection
from django.db.models import Min

from core.models import Business, Role, User
from crm.demo import club, club_friends, dice, past
from crm.demo.club_friends import Claim
from customers.models import Customer, Order
from loyalty import expiry
from loyalty.baskets import BadBasket
from loyalty.models import Account, Offer, Programme, Redemption, Reward, Tier
from loyalty.offer_refusals import Refused
from loyalty.problems import LedgerProblem
from loyalty.selectors.basket_lines import Item
from loyalty.services import (
    adjustments,
    codes,
    crediting,
    events,
    fulfilment,
    midnight,
    offer_settings,
    offers,
    rewards,
)
from loyalty.services import tiers as tier_rules
from loyalty.services.refusals import CapReached, NotOffered, OutOfStock
from loyalty.services.rewards import Done, Wish

MONTHS: Final = 18
REDEEMED: Final = 0.12  # of all points that can be, each month
State, Place = Redemption.State, Redemption.Place
REASONS: Final = [
    (150, "Parcel came late"), (300, "Broken mug in the parcel"), (-200, "Credited to the wrong person"),
    (250, "Wrong beans sent"), (100, "Found a mistake on our page"), (-120, "Order was rung up twice"),
]  # fmt: skip

# Who has bought for longest, lately too, and has an address of example.com.
MEMBER: Final = """
SELECT c.id FROM customers_customer c JOIN customers_order o ON o.customer_id = c.id AND o.status = 'paid'
WHERE c.company_id IS NULL
    AND EXISTS (SELECT FROM customers_email e WHERE e.customer_id = c.id AND e.address LIKE '%%@example.com')
GROUP BY c.id HAVING min(o.placed_at) < %(opened)s
ORDER BY max(o.placed_at) > %(lately)s DESC, sum(o.value_cents) FILTER (WHERE o.placed_at > %(opened)s) DESC NULLS LAST,
    c.id LIMIT 1
"""

DATE_BACK: Final = (
    "UPDATE loyalty_offer SET created_at = greatest(%(opened)s, starts_at - interval '9 days')",
    """UPDATE loyalty_code c SET created_at = greatest(o.created_at, coalesce((
        SELECT min(u.used_at) FROM loyalty_use u WHERE u.code_id = c.id), %(ends)s) - interval '2 days')
    FROM loyalty_offer o WHERE o.id = c.offer_id""",
)


@dataclass(frozen=True)
class Club:
    """What a month needs to know."""

    business: Business
    random: np.random.Generator
    prizes: Sequence[tuple[Reward, float]]
    deals: Sequence[tuple[club.Deal, Offer]]
    member: int | None
    staff: int | None
    ends_at: datetime


def make(*, business: Business, seed: int, until: date) -> None:
    """The programme and its history up to the end of a day. Nothing where there is a programme already."""
    if not business.is_demo or Programme.objects.filter(opened_at__isnull=False).exists():
        return
    turns = _turns(until, business)
    with past.seen():
        past.show(turns[0])
        club.set_up(opened_at=turns[0])
        member, staff = _member(turns[0], turns[-1]), _somebody(Role.AGENT)
        random = dice.stream(seed, "club")
        made = [(deal, club.make_offer(deal)) for deal in club.deals(turns[0], turns[-1])]
        club.make_prices()
        this = Club(business, random, club.fill_shelf(), made, member, staff, turns[-1])
        past.show(turns[-1])
        friends = club_friends.claims(random=random, member=member, opened_at=turns[0], ends_at=turns[-1])
        _live(this, turns, friends)
        _finish(this)
        _date_back(opened_at=turns[0], ends_at=turns[-1])


def _live(this: Club, turns: Sequence[datetime], friends: Sequence[Claim]) -> None:
    before = turns[0]
    for begin, end in pairwise(turns):
        past.show(begin)
        _turn(this, before, begin)
        club_friends.judge(at=begin)
        _redeem(this, begin, end)
        _use_codes(this, begin, end)
        _adjust(this, begin, end)
        club_friends.claim(friends, begin=begin, end=end)
        before = begin
    past.show(turns[-1])
    _turn(this, before, turns[-1])
    club_friends.judge(at=turns[-1])


def _turns(until: date, business: Business) -> list[datetime]:
    """The first midnights of 18 months, and the end of the last day."""
    first = expiry.add_months(until.replace(day=1), 1 - MONTHS)
    days = [expiry.add_months(first, number) for number in range(MONTHS)]
    starts = [datetime.combine(day, time(), business.zone) for day in days]
    return [*starts, expiry.midnight_after(until, business.zone)]


def _member(opened_at: datetime, ends_at: datetime) -> int | None:
    with connection.cursor() as cursor:
        past.show(ends_at)
        cursor.execute(MEMBER, {"opened": opened_at, "lately": ends_at - timedelta(days=13)})
        row = cursor.fetchone()
        past.show(opened_at)
    return row[0] if row else None


def _somebody(role: Role) -> int | None:
    """One of the demo's own people, where it has some."""
    return User.objects.filter(role=role, is_active=True).order_by("pk").values_list("pk", flat=True).first()


def _turn(this: Club, since: datetime, at: datetime) -> None:
    """Midnight, then points for what was bought since the last one, and for what came back."""
    day = (at - timedelta(hours=1)).astimezone(this.business.zone).date()
    midnight.activate(as_of=day, business=this.business, at=at)
    tier_rules.expire(business=this.business, at=at)
    tier_rules.begin_periods(business=this.business, at=at)
    midnight.expire(as_of=day, business=this.business, at=at)
    bought = set(Order.objects.filter(placed_at__gt=since).exclude(customer=None).values_list("pk", "customer_id"))
    back = set(Order.objects.filter(refunds__refunded_at__gt=since).values_list("pk", flat=True))
    crediting.credit_orders(order_ids=sorted(back | {pk for pk, _customer in bought}), at=at)
    tier_rules.settle(customer_ids=[customer for _pk, customer in bought if customer], business=this.business, at=at)


def _moments(random: np.random.Generator, count: int, begin: datetime, end: datetime) -> list[datetime]:
    seconds = (end - begin).total_seconds()
    return [begin + timedelta(seconds=int(part * seconds)) for part in sorted(random.random(count))]


def _redeem(this: Club, begin: datetime, end: datetime) -> None:
    """A part of all points goes. Who has more redeems more often, but each at most once a month and before they buy
    again, so that one account's times follow each other.
    """
    wishes = _wishes(this)
    until = _next_orders([customer_id for customer_id, _reward in wishes], begin=begin, end=end)
    parts = this.random.random(len(wishes))
    times = [begin + part * (until.get(pk, end) - begin) for part, (pk, _reward) in zip(parts, wishes, strict=True)]
    for at, (customer_id, reward) in sorted(zip(times, wishes, strict=True), key=lambda one: (one[0], one[1][0])):
        _redeem_one(this, customer_id, reward, at.replace(microsecond=0))


def _wishes(this: Club) -> list[tuple[int, Reward]]:
    """Who redeems this month, and what. Who has much looks at what costs much."""
    cheapest = min(reward.cost_points for reward, _weight in this.prizes)
    found = Account.objects.filter(balance__gte=cheapest).order_by("customer_id")
    ids = list(found.values_list("customer_id", "balance"))
    all_points = sum(balance for _pk, balance in ids)
    shares = [balance / all_points for _pk, balance in ids]
    left, wishes = REDEEMED * all_points, list[tuple[int, Reward]]()
    for customer_id, balance in dice.some(this.random, ids, len(ids), shares):
        affordable = [(one, weight * one.cost_points**2) for one, weight in this.prizes if one.cost_points <= balance]
        reward = dice.weighted(this.random, affordable)
        wishes.append((customer_id, reward))
        left -= reward.cost_points
        if left <= 0:
            break
    return wishes


def _next_orders(customer_ids: Sequence[int], *, begin: datetime, end: datetime) -> dict[int, datetime]:
    """When each buys next within the month, as far as they do."""
    past.show(end)
    bought = Order.objects.filter(customer__in=customer_ids, placed_at__gt=begin).values("customer")
    found = dict(bought.annotate(first=Min("placed_at")).values_list("customer", "first"))
    past.show(begin)
    return found


def _redeem_one(this: Club, customer_id: int, reward: Reward, at: datetime) -> None:
    random = this.random
    place = dice.weighted(random, [(Place.PORTAL, 55.0), (Place.TILL, 35.0), (Place.API, 10.0)])
    wish, key = Wish(customer_id=customer_id, reward_id=reward.pk), f"demo:{customer_id}:{at:%Y%m%d%H%M%S}"
    by = this.staff if place == Place.TILL else None
    fate = random.random()
    if customer_id == this.member and fate < 0.6:
        return
    try:
        if fate < 0.06:
            done = _hold_one(wish, key, at, place, is_wanted=fate < 0.03)
        else:
            done = rewards.redeem(wish=wish, key=key, at=at, place=place, by=by)
    except (LedgerProblem, CapReached, NotOffered, OutOfStock):
        return
    if done.redemption.state == State.COMMITTED:
        _fulfil(this, done.redemption, at, fate)


def _hold_one(wish: Wish, key: str, at: datetime, place: str, *, is_wanted: bool) -> Done:
    held = rewards.hold(wish=wish, key=key, at=at, place=place).redemption
    end = rewards.commit if is_wanted else rewards.release
    return end(redemption_id=held.pk, at=at + timedelta(minutes=4))


def _fulfil(this: Club, one: Redemption, at: datetime, fate: float) -> None:
    """A tenth is cancelled; the rest is ready in a day or two and handed over or sent some days later."""
    ready, done = at + timedelta(days=1, hours=4), at + timedelta(days=3 + 8 * fate)
    if fate > 0.9 and ready < this.ends_at:
        rewards.cancel(redemption_id=one.pk, at=at + timedelta(hours=5), reason="Changed their mind", by=this.staff)
        return
    state = State.HANDED_OVER if fate < 0.6 else State.SENT
    for until, step in ((ready, State.READY), (done, state)):
        if until < this.ends_at:
            fulfilment.mark(redemption_ids=[one.pk], state=step, at=until, by=this.staff)


def _use_codes(this: Club, begin: datetime, end: datetime) -> None:
    """Each offer is used a little every month in which it runs."""
    size = Customer.objects.count() / 3000
    for deal, offer in this.deals:
        if (offer.starts_at and offer.starts_at >= end) or (offer.ends_at and offer.ends_at <= begin):
            continue
        months = 3 if offer.starts_at else MONTHS
        count = int(this.random.poisson(deal.uses * size / months + 0.1))
        people = _people(this, deal, count)
        for customer_id, at in zip(people, _moments(this.random, len(people), begin, end), strict=True):
            _use(deal, offer, customer_id, at)


def _people(this: Club, deal: club.Deal, count: int) -> list[int]:
    found = Account.objects.order_by("customer_id")
    if deal.tiers:
        found = found.filter(customer__standing__tier__name__in=deal.tiers)
    ids = list(found.values_list("customer_id", flat=True))
    return dice.some(this.random, ids, count)


def _use(deal: club.Deal, offer: Offer, customer_id: int, at: datetime) -> None:
    text = deal.code
    if deal.is_personal:
        holder = Customer.objects.get(pk=customer_id)
        text = codes.draw(offer=offer, holder=holder).code
    purchase = offers.Purchase(
        items=[Item(sku=sku, quantity=Decimal(1)) for sku in deal.basket],
        shipping_cents=450,
        reference=f"W{at:%y%m%d%H%M}",
    )
    try:
        offers.redeem(
            text=text,
            customer_id=customer_id,
            key=f"demo:{offer.pk}:{customer_id}:{at:%Y%m%d%H%M%S}",
            at=at,
            purchase=purchase,
        )
    except (Refused, BadBasket):  # a small shop has not sold everything yet
        return


def _adjust(this: Club, begin: datetime, end: datetime) -> None:
    """A mistake is made good nearly every month; who has redeemed this month is left alone."""
    if not dice.happens(this.random, 0.8):
        return
    points, reason = dice.one(this.random, REASONS)
    ids = Account.objects.filter(balance__gte=300).exclude(customer__redemptions__made_at__gte=begin)
    pks = list(ids.order_by("customer_id").values_list("customer_id", flat=True))
    if pks:
        at = _moments(this.random, 1, begin, end)[0]
        pk = dice.one(this.random, pks)
        adjustments.adjust(customer_id=pk, points=points, key=f"demo:{at:%Y%m%d}", at=at, reason=reason, by=this.staff)


def _finish(this: Club) -> None:
    """What is going on today: an adjustment that waits, a budget that runs out, an event, codes of the member."""
    ids = list(Account.objects.filter(balance__gte=200).order_by("customer_id").values_list("customer_id", flat=True))
    if ids:
        adjustments.adjust(
            customer_id=dice.one(this.random, ids),
            points=6000,
            key="demo:waiting",
            at=this.ends_at - timedelta(hours=9),
            reason="Their machine broke within the warranty",
            by=this.staff,
        )
    _spend_budget(this)
    _invite(this)
    manager = User.objects.filter(role=Role.MANAGER, is_active=True).order_by("pk").first()
    if manager is not None:
        club_friends.decide(by=manager, at=this.ends_at)
    holders = [*(pk for pk in ids[:6] if pk != this.member), *([this.member] if this.member else [])]
    for deal, offer in this.deals:
        if deal.is_personal:
            for pk in holders:
                codes.draw(offer=offer, holder=Customer.objects.get(pk=pk))


def _date_back(*, opened_at: datetime, ends_at: datetime) -> None:
    """Offers were made before they began, and codes before they were used."""
    with connection.cursor() as cursor:
        for statement in DATE_BACK:
            cursor.execute(statement, {"opened": opened_at, "ends": ends_at})


def _spend_budget(this: Club) -> None:
    """Gold days have a budget of which a tenth or less is left."""
    for deal, offer in this.deals:
        offer.refresh_from_db()
        if deal.code == "GOLDDAYS" and offer.spent_cents:
            budget = (offer.spent_cents * 106 // 100 // 100 + 1) * 100
            tiers = list(Tier.objects.filter(name__in=deal.tiers))
            terms = offer_settings.Terms(fields={"budget_cents": budget}, tiers=tiers)
            offer_settings.change(offer_id=offer.pk, terms=terms)


def _invite(this: Club) -> None:
    event = club.make_event(ended_at=this.ends_at)
    members = Customer.objects.filter(standing__tier__name__in=("Silver", "Gold")).order_by("pk")
    ids = list(members.values_list("pk", flat=True))
    for number, customer_id in enumerate(dice.some(this.random, ids, 17)):
        at = this.ends_at - timedelta(days=9) + timedelta(hours=11 * number)
        events.reply_for(event_id=event.pk, customer_id=customer_id, comes=number % 6 != 5, at=at)
