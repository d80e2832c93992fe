"""A dry run: what a basket would earn, and what the customer's points could do for it. Nothing is set aside.

Two quotes may each promise the same points: only redeeming decides, under the account's lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from core.models import Business
from loyalty import baskets, earning, expiry, worth
from loyalty.baskets import BasketLine
from loyalty.models import EarningRule, Tier
from loyalty.selectors import cards, programme, rewards
from loyalty.selectors.cards import Card
from loyalty.selectors.rewards import Offered

WHOLE: Final = 100  # percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """`spend_points` take `money_off_cents` off: as much as the balance and the basket allow. Zero without a basket.

    While the programme is off or paused nothing is promised, as nothing can be redeemed.
    """

    card: Card
    earns: int
    earns_active_at: datetime | None
    spend_points: int
    money_off_cents: int
    within_reach: Sequence[Offered]
    almost: Sequence[Offered]


def quote(*, customer_id: int, lines: Sequence[BasketLine], business: Business, at: datetime) -> Quote:
    """`lines` may be empty: then it is about the rewards alone. A fixed number of queries."""
    card = cards.card(customer_id, at=at)
    balance, row = card.points.balance, programme.current()
    offered = rewards.offered_in(card.tier, customer_id=customer_id, balance=balance, at=at)
    spend = worth.most_for(baskets.total(lines), balance=balance, worth_cents=row.worth_cents) if row.is_running else 0
    earns = earned(lines, tier=card.tier, at=at) if lines and row.is_running else 0
    terms, today = programme.terms(row, business), at.astimezone(business.zone).date()
    return Quote(
        card=card,
        earns=earns,
        earns_active_at=expiry.active_at(terms, earned_on=today, at=at) if earns else None,
        spend_points=spend,
        money_off_cents=worth.cents_of(spend, worth_cents=row.worth_cents),
        within_reach=[one for one in offered if one.is_within_reach and row.is_running],
        almost=[one for one in offered if one.missing and one.can_be_had],
    )


def earned(lines: Sequence[BasketLine], *, tier: Tier | None, at: datetime) -> int:
    """Points that the basket would earn if it were paid at `at`. One query."""
    counted = [
        earning.Line(
            base_cents=line.net_cents,
            quantity=line.quantity,
            product_id=line.product_id,
            category_id=line.category_id,
            counts=line.is_goods,
        )
        for line in lines
    ]
    multiplier = int(tier.multiplier * WHOLE) if tier else WHOLE
    return sum(earning.earned(counted, rules(at), multiplier=multiplier))


def rules(at: datetime) -> list[earning.Rule]:
    """Those that orders placed at `at` are judged by. One query."""
    lasts = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
    found = EarningRule.objects.filter(lasts, starts_at__lte=at).exclude(kind=EarningRule.Kind.SEGMENT)
    return [
        earning.Rule(
            kind=rule.kind,
            points=rule.points,
            per_cents=rule.per_cents,
            minimum_cents=rule.minimum_cents,
            product_id=rule.product_id,
            category_id=rule.category_id,
            is_extra=rule.is_extra,
            is_multiplied=rule.is_multiplied,
        )
        for rule in found.order_by("pk")
    ]
