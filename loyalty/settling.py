"""What time has decided about an account since it was last written, told without writing. Plain values in and out.

The same as loyalty_settled in loyalty/migrations/sql posts: in the order of time, what comes in pays a debt first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A lot as its row says; `is_pending` is how it was last posted."""

    id: int
    points: int
    left: int
    active_at: datetime
    expires_at: datetime | None
    is_pending: bool

    def is_live(self, at: datetime) -> bool:
        return self.active_at <= at and not self.is_over(at)

    def is_over(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """Points of a hold that ran out at `at`, on their way back into a lot."""

    lot: int
    points: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    balance: int
    pending: int
    left: dict[int, int]  # by lot; 0 for what has expired


def settled(*, balance: int, batches: Sequence[Batch], returned: Sequence[Returned], at: datetime) -> Settled:
    """`balance` is the posted one; `batches` hold all lots of `returned`, which stand in the order of their return."""
    debt = max(-balance, 0)
    left = {batch.id: 0 if batch.is_pending and batch.active_at <= at else batch.left for batch in batches}
    for _when, _turn, lot, points in sorted(_arrivals(batches, returned, at), key=lambda arrival: arrival[:2]):
        paid = min(debt, points)
        debt -= paid
        left[lot] += points - paid
    left |= {batch.id: 0 for batch in batches if batch.is_over(at)}
    return Settled(
        balance=sum(left[batch.id] for batch in batches if batch.active_at <= at) - debt,
        pending=sum(left[batch.id] for batch in batches if batch.active_at > at),
        left=left,
    )


def _arrivals(
    batches: Sequence[Batch], returned: Sequence[Returned], at: datetime
) -> list[tuple[datetime, int, int, int]]:
    """(when, turn, lot, points) of what comes into the balance by `at`; at one time lots come before holds."""
    ready = sorted((one.active_at, 1, one.id, one.left) for one in batches if one.is_pending and one.active_at <= at)
    return ready + [(one.at, 2, one.lot, one.points) for one in returned]
