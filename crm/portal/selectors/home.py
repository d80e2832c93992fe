"""What the first page says: points now and to come, the tier, and what can be had for them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.utils import timezone

from crm.portal.selectors import events
from crm.portal.selectors import shelf as shelves
from crm.portal.selectors.events import Invitation
from crm.portal.selectors.shelf import Almost
from customers.models import Customer
from loyalty.days import last_day
from loyalty.models import BirthdayGiven, Redemption, TierNotice
from loyalty.selectors import redemptions, tiers
from loyalty.selectors.points import Points
from loyalty.selectors.rewards import Offered
from loyalty.selectors.tiers import Progress
from loyalty.services import birthdays

SHOWN: Final = 3
OPEN: Final = frozenset({Redemption.State.HELD, Redemption.State.COMMITTED, Redemption.State.READY})


@dataclass(frozen=True, kw_only=True)
class Home:
    points: Points
    coming: Sequence[tuple[date, int]]  # pending points by the day from which they can be spent
    going: Sequence[tuple[date, int]]  # points by the last day on which they can be spent
    progress: Progress | None
    notice: TierNotice | None  # the newest: those before it are no news any more, and count as seen with it
    gift: BirthdayGiven | None  # on her birthday, and not told of yet
    now: Sequence[Offered]
    almost: Sequence[Almost]
    waiting: Sequence[Redemption]
    invitations: Sequence[Invitation]


def home(customer: Customer, *, at: datetime) -> Home:
    mine = shelves.shelf(customer, at=at)
    latest = redemptions.of_customer(customer.pk, most=SHOWN * 4)
    return Home(
        points=mine.points,
        coming=coming(mine.points, at=at),
        going=_by_day(mine.points.expiring(), day=last_day)[:SHOWN],
        progress=tiers.progress(customer.pk, at),
        notice=next(iter(tiers.notices(customer.pk, at)), None),
        gift=birthdays.unseen(customer.pk, at=at),
        now=mine.now[: -SHOWN - 1 : -1],  # the dearest first
        almost=mine.almost[:SHOWN],
        waiting=[one for one in latest if is_open(one, at=at)][:SHOWN],
        invitations=events.invitations(customer, at=at, most=SHOWN),
    )


def coming(mine: Points, *, at: datetime) -> list[tuple[date, int]]:
    return _by_day([(lot.active_at, lot.left) for lot in mine.lots if lot.active_at > at], day=timezone.localdate)


def is_open(one: Redemption, *, at: datetime) -> bool:
    """Whether there is something to show or to fetch for it still."""
    return one.state in OPEN and not (
        one.expires_at is not None and one.state == one.State.HELD and one.expires_at <= at
    )


def _by_day(parts: Sequence[tuple[datetime, int]], *, day: Callable[[datetime], date]) -> list[tuple[date, int]]:
    days: defaultdict[date, int] = defaultdict(int)
    for at, number in parts:
        days[day(at)] += number
    return sorted(days.items())
