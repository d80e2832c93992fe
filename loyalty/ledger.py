"""The ledger of points: the only code that writes postings, lots, allocations and balances.

Each function here is one statement: one call of the SQL function that decides and writes under the account's lock
(loyalty/migrations/sql, docs/adr/0012-ledger.md). Alone it is a transaction of its own; inside a transaction it is part
of that. A refusal has changed nothing, but that what time had decided is posted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import DataError, IntegrityError, connection

from loyalty.models import Posting
from loyalty.models.ledger import LARGEST
from loyalty.problems import (
    AccountHasHolds,
    BadPeriod,
    HoldEnded,
    InsufficientPoints,
    KeyReused,
    LedgerProblem,
    NotPoints,
    PointsOverflow,
    SameAccount,
    TooMuchBack,
    UnknownPosting,
)

EARN: Final = (
    "SELECT outcome, balance, (posting).* FROM loyalty_earn(%(customer)s, %(kind)s, %(points)s, %(key)s, %(at)s,"
    " %(active_at)s, %(expires_at)s, %(reason)s, %(order)s, %(by)s)"
)
SPEND: Final = (
    "SELECT outcome, balance, (posting).* FROM loyalty_spend(%(customer)s, %(kind)s, %(points)s, %(key)s, %(at)s,"
    " %(until)s, %(reason)s, %(by)s)"
)
END_HOLD: Final = "SELECT outcome, balance, (posting).* FROM loyalty_end_hold(%(hold)s, %(kind)s, %(key)s, %(at)s)"
GIVE_BACK: Final = (
    "SELECT outcome, balance, (posting).*"
    " FROM loyalty_give_back(%(posting)s, %(points)s, %(key)s, %(at)s, %(grace)s, %(reason)s)"
)
TAKE_BACK: Final = (
    "SELECT outcome, balance, (posting).*"
    " FROM loyalty_take_back(%(posting)s, %(points)s, %(key)s, %(at)s, %(policy)s, %(reason)s)"
)
MERGE: Final = "SELECT outcome, balance, (posting).* FROM loyalty_merge(%(into)s, %(other)s, %(key)s, %(at)s, %(by)s)"
SETTLE: Final = "SELECT count(loyalty_lock(id, %(at)s)) FROM unnest(%(accounts)s::bigint[]) AS id"

COLUMNS: Final = tuple(column.attname for column in Posting._meta.concrete_fields)
LONGEST_KEY: Final = 120
ONCE: Final = "a_fact_counts_once"


class Policy(StrEnum):
    """How far a reversal goes when the points are no longer in their own lot."""

    ONLY_PENDING = "only_pending"
    WITHIN_BALANCE = "within_balance"
    ALLOW_NEGATIVE = "allow_negative"


@dataclass(frozen=True, slots=True)
class Outcome:
    posting: Posting
    balance: int
    replayed: bool


def earn(
    *,
    customer_id: int,
    kind: str,
    points: int,
    key: str,
    at: datetime,
    active_at: datetime | None,
    expires_at: datetime | None,
    reason: str,
    order_id: int | None,
    by: int | None,
) -> Outcome:
    """Points as a lot of their own; pending when `active_at` lies ahead of `at`."""
    active_at = at if active_at is None else active_at
    if expires_at is not None and expires_at <= active_at:
        raise BadPeriod
    facts = {"customer": customer_id, "kind": kind, "order": order_id, "active_at": active_at, "expires_at": expires_at}
    return _write(EARN, points=points, key=key, at=at, reason=reason, by=by, **facts)


def spend(
    *,
    customer_id: int,
    kind: str,
    points: int,
    key: str,
    at: datetime,
    until: datetime | None,
    reason: str,
    by: int | None,
) -> Outcome:
    """Points out of the lots, soonest-expiring first; for a hold until `until`."""
    if until is not None and until <= at:
        raise BadPeriod
    facts = {"customer": customer_id, "kind": kind, "until": until}
    return _write(SPEND, points=points, key=key, at=at, reason=reason, by=by, **facts)


def end_hold(*, hold_id: int, kind: str, key: str, at: datetime) -> Outcome:
    return _write(END_HOLD, key=key, at=at, hold=hold_id, kind=kind)


def give_back(*, posting_id: int, points: int, key: str, at: datetime, grace_days: int, reason: str) -> Outcome:
    facts = {"posting": posting_id, "grace": timedelta(days=grace_days)}
    return _write(GIVE_BACK, points=points, key=key, at=at, reason=reason, **facts)


def take_back(*, posting_id: int, points: int, key: str, at: datetime, policy: Policy, reason: str) -> Outcome:
    facts = {"posting": posting_id, "policy": Policy(policy).value}
    return _write(TAKE_BACK, points=points, key=key, at=at, reason=reason, **facts)


def merge(*, into: int, other: int, key: str, at: datetime, by: int | None) -> Outcome:
    """Both are customers' ids."""
    return _write(MERGE, key=key, at=at, into=into, other=other, by=by)


def settle(*, account_ids: list[int], at: datetime) -> None:
    """Post what time has decided. Lock order: give the ids sorted."""
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {"accounts": account_ids, "at": at})


def _write(statement: str, *, key: str, points: int = 1, **facts: Any) -> Outcome:
    if points < 1:
        raise NotPoints
    if points > LARGEST:
        raise PointsOverflow
    if not 0 < len(key) <= LONGEST_KEY:
        raise ValueError(f"A key has 1 to {LONGEST_KEY} characters: {key!r}")
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"key": key, "points": points, **facts})
            names = [column.name for column in cursor.description or ()][2:]
            outcome, balance, *row = cursor.fetchone()
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) == ONCE:
            raise KeyReused(key) from error
        raise
    except DataError as error:
        raise PointsOverflow from error
    if outcome not in ("done", "replayed"):
        raise _problem(outcome, key=key, balance=balance)
    found = dict(zip(names, row, strict=True))  # columns stand in another order in the table
    posting = Posting.from_db(connection.alias, COLUMNS, [found[name] for name in COLUMNS])
    return Outcome(posting, balance, outcome == "replayed")


def _problem(outcome: str, *, key: str, balance: int) -> LedgerProblem:
    if outcome == "insufficient":
        return InsufficientPoints(balance=balance)
    if outcome == "reused":
        return KeyReused(key)
    return PROBLEMS[outcome]()


PROBLEMS: Final = {
    "ended": HoldEnded,
    "unknown": UnknownPosting,
    "too_much": TooMuchBack,
    "held": AccountHasHolds,
    "same": SameAccount,
}
