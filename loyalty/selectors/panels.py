"""What staff see of a customer's points beside everything else: now, soon, tier, redemptions, friends and codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from core.models import Business
from customers.models import Customer
from loyalty import worth
from loyalty.models import Adjustment, Redemption, Referral, ReferralCode
from loyalty.selectors import adjustments, points, programme, redemptions, referrals, tiers, wallet
from loyalty.selectors.points import Points
from loyalty.selectors.referrals import Tally
from loyalty.selectors.tiers import Progress
from loyalty.selectors.wallet import Ticket

SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    points: Points
    worth_cents: int
    coming: Sequence[tuple[date, int]]  # pending points by the day on which they become active
    going: Sequence[tuple[datetime, int]]  # (when, how many) expire
    progress: Progress | None
    waiting: Sequence[Adjustment]
    redemptions: Sequence[Redemption]
    code: ReferralCode | None
    tally: Tally | None
    came_by: Referral | None
    may_claim: bool  # nobody's code is noted, and she is new: the first order could still count for a friend
    tickets: Sequence[Ticket]
    more_tickets: int


def panel(customer: Customer, *, business: Business, at: datetime) -> Panel:
    now = points.standing(customer_id=customer.pk, at=at)
    code = ReferralCode.objects.filter(customer=customer).first()
    tickets = wallet.wallet(customer.pk, at=at, business=business)
    came_by = Referral.objects.filter(friend=customer).select_related("advocate").first()
    return Panel(
        points=now,
        worth_cents=worth.cents_of(max(now.balance, 0), worth_cents=programme.current().worth_cents),
        coming=now.coming(at, zone=business.zone)[:SHOWN],
        going=now.expiring()[:SHOWN],
        progress=tiers.progress(customer.pk, at),
        waiting=list(adjustments.waiting(customer.pk)[:SHOWN]),
        redemptions=redemptions.open_of_customer(customer.pk, at=at, most=SHOWN),
        code=code,
        tally=referrals.tally(customer.pk) if code else None,
        came_by=came_by,
        may_claim=business.has_loyalty and referrals.may_claim(customer.pk, at=at),
        tickets=tickets[:SHOWN],
        more_tickets=len(tickets[SHOWN:]),
    )
