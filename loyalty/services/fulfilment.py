"""What staff do with what was bought: lay it ready, hand it over, send it; and codes that customers show.

Each step is one UPDATE that names the states it starts from, so two people who do the same do it once.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import connection

from loyalty import codes
from loyalty.models import Redemption
from loyalty.services.refusals import NoSuchCode, TooLate
from loyalty.services.rewards import DONE, OPEN, UNDO

State = Redemption.State
FROM: Final = {
    State.READY: (State.COMMITTED,),
    State.HANDED_OVER: OPEN,
    State.SENT: OPEN,
}
MOST_AT_ONCE: Final = 1_000

# The ledger ends a hold by its time alone, so no account is needed here: only the stock and the codes come back.
RELEASE = """
WITH over AS (
    UPDATE loyalty_redemption SET state = 'released', handled_at = %(at)s
    WHERE id IN (
        SELECT id FROM loyalty_redemption WHERE state = 'held' AND expires_at <= %(at)s
        ORDER BY expires_at, id LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id, reward_id, took_stock
), freed AS (
    UPDATE loyalty_poolcode p SET redemption_id = NULL FROM over WHERE p.redemption_id = over.id
), returned AS (
    SELECT reward_id, count(*) AS pieces FROM over WHERE took_stock GROUP BY reward_id
), locked AS MATERIALIZED (
    SELECT r.id, returned.pieces FROM loyalty_reward r JOIN returned ON returned.reward_id = r.id
    ORDER BY r.id FOR NO KEY UPDATE OF r
), stocked AS (
    UPDATE loyalty_reward r SET stock = r.stock + locked.pieces FROM locked WHERE locked.id = r.id
)
SELECT count(*) FROM over"""


def mark(*, redemption_ids: Collection[int], state: State, at: datetime, by: int | None) -> int:
    """Take so many a step further; returns how many could take it. The rest has moved on by somebody else."""
    rows = Redemption.objects.filter(pk__in=list(redemption_ids)[:MOST_AT_ONCE], state__in=FROM[state])
    return rows.update(state=state, handled_at=at, handled_by_id=by)


def show(*, code: str, at: datetime, by: int | None) -> Redemption:
    """Hand over what a customer shows a code for. Raises NoSuchCode, and TooLate when it was handed over before."""
    one = find(code)
    if one is None:
        raise NoSuchCode
    done = mark(redemption_ids=[one.pk], state=State.HANDED_OVER, at=at, by=by)
    one.refresh_from_db()
    if not done:
        raise TooLate(one)
    return one


def take_back(*, redemption_id: int, at: datetime) -> bool:
    """Undo the handing over, for as long as UNDO; the points stay spent. Whether it was still possible."""
    rows = Redemption.objects.filter(pk=redemption_id, state__in=DONE, handled_at__gt=at - UNDO)
    return bool(rows.update(state=State.COMMITTED, handled_at=None, handled_by=None))


def find(code: str) -> Redemption | None:
    """The redemption that this code belongs to, however it is written."""
    text = codes.normalise(code)
    rows = Redemption.objects.select_related("reward", "customer")
    return rows.filter(code=text).first() if len(text) == codes.LENGTH else None


def release_overdue(*, at: datetime) -> int:
    """Give the stock of holds that ran out back, a bounded number at a time; returns how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, {"at": at, "most": MOST_AT_ONCE})
        (released,) = cursor.fetchone()
    return int(released)
