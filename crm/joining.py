"""Two customers are one person: facts and points become one customer's in one transaction, or nothing does.

What hangs on a customer is each app's matter (customers.services.joining, loyalty.services.joining). There is no way
back: what is written afterwards is about the one customer, and nothing could tell whose of the two it would have been.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Final

from django.db import OperationalError, transaction
from django.utils.translation import gettext as _
from psycopg.errors import DeadlockDetected, LockNotAvailable

from core import idempotency
from core.models import User
from customers.models import Merge
from customers.services import joining as facts
from customers.services.joining import CannotMerge
from loyalty.problems import AccountHasHolds
from loyalty.services import joining as loyalty

WAIT_SECONDS: Final = 3


class Busy(CannotMerge):
    def __init__(self) -> None:
        super().__init__(_("Somebody else is changing one of the two at this moment. Try again."))


class OnHold(CannotMerge):
    """The ledger's refusal."""


def merge(*, into: int, other: int, by: User | None, at: datetime) -> Merge:
    """`other` becomes `into`, and everything of both is one customer's. The same again is the first merge.

    Raises CannotMerge, whose message is for people, and Customer.DoesNotExist.
    """
    try:
        with transaction.atomic():
            return _merge(into=into, other=other, by=by, at=at)
    except facts.MergedBefore as problem:
        if (problem.merge.into_id, problem.merge.other_id) == (into, other):
            return problem.merge
        raise
    except AccountHasHolds as problem:
        raise OnHold(str(problem)) from problem
    except OperationalError as problem:
        if isinstance(problem.__cause__, LockNotAvailable | DeadlockDetected):
            raise Busy from problem
        raise


def _merge(*, into: int, other: int, by: User | None, at: datetime) -> Merge:
    """Locks: both customers, their accounts, what hangs on them."""
    idempotency.wait_at_most(WAIT_SECONDS)
    pair = facts.lock(into=into, other=other)
    done = facts.join(pair=pair, by=by.pk if by else None, at=at)
    points = loyalty.join(into=pair.into, other=pair.other, by=by, at=at)
    done.moved |= asdict(points)
    done.save(update_fields=["moved"])
    return done
