"""Points given or taken by hand: at once up to a limit, above it when a second person agrees.

The row says who wanted what and why, and who decided; rows are not removed. Who asks or decides is a person (`by`) or
a program (`program`, its key). The second one is neither the same key nor the same person, and a key is, beside
itself, the person who made it: nobody agrees with themselves by way of a program.
"""

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from core.models import ApiKey
from customers.services import people_lock
from loyalty import expiry, ledger
from loyalty.models import Adjustment, Posting
from loyalty.models.adjustment import LONGEST_REASON
from loyalty.models.ledger import LARGEST
from loyalty.problems import KeyReused, LedgerProblem, NotPoints, PointsOverflow
from loyalty.selectors import programme

DECISION: Final = ("decided_by", "decided_program", "decided_at", "answer")


class NothingChanges(NotPoints):
    """Zero points; below zero takes."""

    def __init__(self) -> None:
        LedgerProblem.__init__(self, _("Nothing would change: above zero gives, below zero takes away."))


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
    program: ApiKey | None = None,
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
        customer_id = people_lock.writing_about(customer_id)
        facts = {"customer_id": customer_id, "points": points, "reason": reason}
        adjustment, is_new = _asked(facts, key=key, at=at, by=by, program=program)
        if is_new and abs(points) <= limit:
            _carry_out(adjustment, at=at, by=by, expires_at=expires_at)
    return adjustment


@transaction.atomic
def approve(
    *,
    adjustment_id: int,
    at: datetime,
    by: int | None = None,
    program: ApiKey | None = None,
    answer: str = "",
    expires_at: datetime | None = None,
) -> Adjustment:
    """Carry out what waits. A program's second time is its first.

    Raises NotYourOwn, AlreadyDecided, InsufficientPoints, ReasonMissing (a long answer).
    """
    answer = _words(answer) if answer.strip() else ""
    adjustment = _locked(adjustment_id)
    if _has_decided(program, adjustment, state=Adjustment.State.DONE):
        return adjustment
    _decide(adjustment, by=by, program=program, at=at, answer=answer)
    _carry_out(adjustment, at=at, by=by, expires_at=expires_at)
    return adjustment


@transaction.atomic
def refuse(
    *, adjustment_id: int, at: datetime, answer: str, by: int | None = None, program: ApiKey | None = None
) -> Adjustment:
    """It does not come about, and `answer` says why. A program's second time is its first.

    Raises NotYourOwn, AlreadyDecided, ReasonMissing.
    """
    answer = _words(answer)
    adjustment = _locked(adjustment_id)
    if _has_decided(program, adjustment, state=Adjustment.State.REFUSED):
        return adjustment
    _decide(adjustment, by=by, program=program, at=at, answer=answer)
    adjustment.state = Adjustment.State.REFUSED
    adjustment.save(update_fields=["state", *DECISION])
    return adjustment


def _checked(*, points: int, reason: str) -> str:
    reason = _words(reason)
    if not points:
        raise NothingChanges
    if abs(points) > LARGEST:
        raise PointsOverflow
    return reason


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not 0 < len(words) <= LONGEST_REASON:
        raise ReasonMissing
    return words


def _asked(
    facts: dict[str, Any], *, key: str, at: datetime, by: int | None, program: ApiKey | None
) -> tuple[Adjustment, bool]:
    """The key's row, and whether it is new. Waits for a transaction that has the key at work."""
    asked = {"asked_by_id": by, "asked_program": program, "asked_at": at}
    adjustment, is_new = Adjustment.objects.get_or_create(
        key=key, defaults=facts | asked | {"state": Adjustment.State.WAITING}
    )
    if any(getattr(adjustment, name) != value for name, value in facts.items()):
        raise KeyReused(key)
    return adjustment, is_new


def _locked(adjustment_id: int) -> Adjustment:
    """A merge takes the account before this row; so it is to wait before either."""
    people_lock.writing()
    rows = Adjustment.objects.select_related("asked_program").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=adjustment_id)


def _has_decided(program: ApiKey | None, adjustment: Adjustment, *, state: Adjustment.State) -> bool:
    """Programs may send the same again; people look at what they do."""
    return program is not None and adjustment.decided_program_id == program.pk and adjustment.state == state


def _decide(adjustment: Adjustment, *, by: int | None, program: ApiKey | None, at: datetime, answer: str) -> None:
    if adjustment.state != Adjustment.State.WAITING:
        raise AlreadyDecided
    decider_id = by or (program.created_by_id if program else None)
    is_same_key = program is not None and adjustment.asked_program_id == program.pk
    if is_same_key or (decider_id is not None and decider_id == adjustment.asker_id):
        raise NotYourOwn
    adjustment.decided_by_id, adjustment.decided_program = by, program
    adjustment.decided_at, adjustment.answer = at, answer


def _carry_out(adjustment: Adjustment, *, at: datetime, by: int | None, expires_at: datetime | None) -> None:
    adjustment.posting = _post(adjustment, at=at, by=by, expires_at=expires_at)
    adjustment.state = Adjustment.State.DONE
    adjustment.save(update_fields=["posting", "state", *DECISION])


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
