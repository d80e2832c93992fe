"""Points come, go, wait and return. The same key again gives the first outcome and changes nothing.

Each call is one transaction, or part of the caller's. Raises what loyalty.problems names; `balance` of a posting's
account is in loyalty.selectors.points. A lock that does not come within 3 seconds is django.db.OperationalError.
"""

from datetime import datetime

from loyalty import ledger
from loyalty.ledger import Policy
from loyalty.models import Account, Hold, Posting

__all__ = ["Policy", "commit", "earn", "give_back", "hold", "redeem", "release", "reverse", "settle"]


def earn(
    *,
    customer_id: int,
    points: int,
    key: str,
    at: datetime,
    active_at: datetime | None = None,
    expires_at: datetime | None = None,
    reason: str = "",
    order_id: int | None = None,
    by: int | None = None,
) -> Posting:
    """Pending until `active_at`, when that lies ahead of `at`; without `expires_at` they never expire."""
    return ledger.earn(
        customer_id=customer_id,
        kind=Posting.Kind.EARN,
        points=points,
        key=key,
        at=at,
        active_at=active_at,
        expires_at=expires_at,
        reason=reason,
        order_id=order_id,
        by=by,
    ).posting


def redeem(
    *, customer_id: int, points: int, key: str, at: datetime, reason: str = "", by: int | None = None
) -> Posting:
    """Raises InsufficientPoints."""
    return ledger.spend(
        customer_id=customer_id,
        kind=Posting.Kind.REDEEM,
        points=points,
        key=key,
        at=at,
        until=None,
        reason=reason,
        by=by,
    ).posting


def hold(*, customer_id: int, points: int, key: str, at: datetime, until: datetime, reason: str = "") -> Hold:
    """Puts points aside: they leave the balance now, and return by themselves at `until`. Raises InsufficientPoints."""
    held = ledger.spend(
        customer_id=customer_id,
        kind=Posting.Kind.HOLD,
        points=points,
        key=key,
        at=at,
        until=until,
        reason=reason,
        by=None,
    )
    return Hold.objects.get(posting_id=held.posting.pk)


def commit(*, hold_id: int, at: datetime, key: str) -> Posting:
    """The held points are spent. Raises HoldEnded, also when the hold has run out."""
    return ledger.end_hold(hold_id=hold_id, kind=Posting.Kind.COMMIT, key=key, at=at).posting


def release(*, hold_id: int, at: datetime, key: str) -> Posting:
    """The held points go back into their lots. Raises HoldEnded."""
    return ledger.end_hold(hold_id=hold_id, kind=Posting.Kind.RELEASE, key=key, at=at).posting


def give_back(
    *, posting_id: int, points: int, key: str, at: datetime, grace_days: int = 0, reason: str = ""
) -> Posting:
    """Points that `posting_id` (redeem or commit) spent return to their own lots, those spent last first.

    Points whose lot has expired can be spent for `grace_days` more. Raises TooMuchBack, UnknownPosting.
    """
    return ledger.give_back(
        posting_id=posting_id, points=points, key=key, at=at, grace_days=grace_days, reason=reason
    ).posting


def reverse(*, posting_id: int, points: int, key: str, at: datetime, policy: Policy | str, reason: str = "") -> Posting:
    """Take back points that `posting_id` brought: out of its own lot, then as far as the policy goes.

    `asked` of the posting is what was wanted; `points` and `pending_points` are what was found.
    Raises TooMuchBack when all reversals together would take more than came, UnknownPosting.
    """
    return ledger.take_back(
        posting_id=posting_id, points=points, key=key, at=at, policy=Policy(policy), reason=reason
    ).posting


def settle(*, customer_id: int, at: datetime) -> None:
    """Post what time has decided about one customer's points by `at`."""
    ledger.settle(account_ids=list(Account.objects.filter(customer_id=customer_id).values_list("pk", flat=True)), at=at)
