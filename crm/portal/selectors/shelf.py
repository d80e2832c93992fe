"""What one customer can have for points now, and what is left to do for the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.models import Customer
from loyalty.selectors import cards, rewards
from loyalty.selectors.points import Points
from loyalty.selectors.rewards import Offered


@dataclass(frozen=True, kw_only=True)
class Almost:
    """A reward that a few points more would buy."""

    offered: Offered
    percent: int


@dataclass(frozen=True, kw_only=True)
class Shelf:
    points: Points
    offered: Sequence[Offered]  # the cheapest first

    @property
    def now(self) -> list[Offered]:
        return [one for one in self.offered if one.is_within_reach]

    @property
    def almost(self) -> list[Almost]:
        """What is out of reach for want of points alone, the nearest first."""
        wanted = sorted((one for one in self.offered if one.missing and one.can_be_had), key=lambda one: one.missing)
        return [Almost(offered=one, percent=max(0, 100 * self.points.balance // one.points)) for one in wanted]

    @property
    def gone(self) -> list[Offered]:
        return [one for one in self.offered if not one.can_be_had]


def shelf(customer: Customer, *, at: datetime) -> Shelf:
    card = cards.card(customer.pk, at=at)
    found = rewards.offered_in(card.tier, customer_id=customer.pk, balance=card.points.balance, at=at)
    return Shelf(points=card.points, offered=found)
