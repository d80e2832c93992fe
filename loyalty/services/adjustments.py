"""Points given or taken by hand: at once up to a limit, above it when a second person agrees.

The row says who wanted what and why, and who decided; rows are not removed.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty import expiry, ledger
from loyalty.models import Adjustment, Posting
from loyalty.models.adjustment import LONGEST_REASON
from loyalty.models.ledger import LARGEST
from loyalty.problems import KeyReused, LedgerProblem, NotPoints, PointsOverflow
from loyalty.selectors import programme


class ReasonMissing(LedgerProblem):
    code = "reason_missing"

    def __init__(self) -> None:
        super().__init__(_("Say why, in %(most)s characters at most.") % {"most": LONGEST_REASON})


class NotYourOwn(LedgerProblem):
    code = "not_your_own"

    def __init__(self) -> None:
        super().__init__(_("Somebody else has to decide on this: it is your own adjustment."))


class AlreadyDecided(LedgerProblem):
    code = "already_decided"

    def __init__(self) -> None:
        super().__init__(_("Somebody has decided on this adjustment already."))


def adjust(
    *,
    customer_id: int,
    points: int,
    key: str,
    at: datetime,
    reason: str,
    by: int | None = None,
    expires_at: datetime | None = None,
    limit: int | None = None,
) -> Adjustment:
    """Give points, active at once, or take them (below zero). `limit` is the programme's where none is given.

    Without `expires_at` they expire as earned ones do. The state of what comes back is DONE, or WAITING above the
    limit. Raises ReasonMissing, NotPoints, PointsOverflow, KeyReused, InsufficientPoints.
    """
    reason = _checked(points=points, reason=reason)
    limit = programme.current().adjust_limit if limit is None else limit
    with transaction.atomic():
        adjustment, is_new = _asked(customer_id=customer_id, points=points, key=key, at=at, reason=reason, by=by)
        if is_new and abs(points) <= limit:
            _carry_out(adjustment, at=at, by=by, expires_at=expires_at)
    return adjustment


@transaction.atomic
def approve(
    *, adjustment_id: int, by: int, at: datetime, answer: str = "", expires_at: datetime | None = None
) -> Adjustment:
    """Carry out what waits. Raises NotYourOwn, AlreadyDecided, InsufficientPoints, ReasonMissing (a long answer)."""
    adjustment = _to_decide(adjustment_id, by=by)
    adjustment.decided_by_id, adjustment.decided_at = by, at
    adjustment.answer = _words(answer) if answer.strip() else ""
    _carry_out(adjustment, at=at, by=by, expires_at=expires_at)
    return adjustment


@transaction.atomic
def refuse(*, adjustment_id: int, by: int, at: datetime, answer: str) -> Adjustment:
    """It does not come about, and `answer` says why. Raises NotYourOwn, AlreadyDecided, ReasonMissing."""
    answer = _words(answer)
    adjustment = _to_decide(adjustment_id, by=by)
    adjustment.decided_by_id, adjustment.decided_at, adjustment.state = by, at, Adjustment.State.REFUSED
    adjustment.answer = answer
    adjustment.save(update_fields=["decided_by", "decided_at", "state", "answer"])
    return adjustment


def _checked(*, points: int, reason: str) -> str:
    reason = _words(reason)
    if not points:
        raise NotPoints
    if abs(points) > LARGEST:
        raise PointsOverflow
    return reason


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not 0 < len(words) <= LONGEST_REASON:
        raise ReasonMissing
    return words


def _asked(
    *, customer_id: int, points: int, key: str, at: datetime, reason: str, by: int | None
) -> tuple[Adjustment, bool]:
    """The key's row, and whether it is new. Waits for a transaction that has the key at work."""
    facts = {"customer_id": customer_id, "points": points, "reason": reason}
    adjustment, is_new = Adjustment.objects.get_or_create(
        key=key, defaults=facts | {"state": Adjustment.State.WAITING, "asked_by_id": by, "asked_at": at}
    )
    if any(getattr(adjustment, name) != value for name, value in facts.items()):
        raise KeyReused(key)
    return adjustment, is_new


def _to_decide(adjustment_id: int, *, by: int) -> Adjustment:
    adjustment = Adjustment.objects.select_for_update(no_key=True).get(pk=adjustment_id)
    if adjustment.state != Adjustment.State.WAITING:
        raise AlreadyDecided
    if adjustment.asked_by_id == by:
        raise NotYourOwn
    return adjustment


def _carry_out(adjustment: Adjustment, *, at: datetime, by: int | None, expires_at: datetime | None) -> None:
    adjustment.posting = _post(adjustment, at=at, by=by, expires_at=expires_at)
    adjustment.state = Adjustment.State.DONE
    adjustment.save(update_fields=["posting", "state", "decided_by", "decided_at", "answer"])


def _post(adjustment: Adjustment, *, at: datetime, by: int | None, expires_at: datetime | None) -> Posting:
    """What people wrote stays in the adjustment, where it can be erased; a posting cannot be changed."""
    key = f"adjust:{adjustment.pk}"
    if adjustment.points > 0:
        return ledger.earn(
            customer_id=adjustment.customer_id,
            kind=Posting.Kind.ADJUST,
            points=adjustment.points,
            key=key,
            at=at,
            active_at=None,
            expires_at=expires_at or expiry.expires_at(programme.terms(programme.current()), active_at=at),
            reason="",
            order_id=None,
            by=by,
        ).posting
    return ledger.spend(
        customer_id=adjustment.customer_id,
        kind=Posting.Kind.ADJUST,
        points=-adjustment.points,
        key=key,
        at=at,
        until=None,
        reason="",
        by=by,
    ).posting
