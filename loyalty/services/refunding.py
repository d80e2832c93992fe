"""Points of orders that come back: what was earned is taken back, what was spent is given back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Sum

from customers.models import Order, OrderLine
from loyalty import reversal
from loyalty.models import Posting, Programme
from loyalty.selectors import programme as programmes
from loyalty.services import points as ledger
from loyalty.services.many import ROOT

# What each order has too much, out of its own postings, the latest first. `left_over` of a posting is what was not
# taken back of it; together they are what was credited and what was forgiven.
TAKE_BACK: Final = f"""
CREATE TEMP TABLE taken_back ON COMMIT DROP AS
WITH excess AS (
    SELECT order_id, revision + 1 AS revision, was_customer,
        was_points - CASE WHEN customer_id = was_customer THEN points ELSE 0 END AS points
    FROM wanted_credit WHERE was_points > CASE WHEN customer_id = was_customer THEN points ELSE 0 END
), posted AS (
    SELECT e.order_id, e.revision, e.points, p.id, p.asked + coalesce(gone.points, 0) AS left_over
    FROM excess e
    JOIN loyalty_account o ON o.customer_id = e.was_customer
    JOIN loyalty_posting p ON p.order_id = e.order_id AND p.kind = 'earn'
    JOIN loyalty_lot l ON l.posting_id = p.id AND l.account_id = {ROOT}
    CROSS JOIN LATERAL (
        SELECT sum(r.points + r.pending_points) AS points FROM loyalty_posting r
        WHERE r.source_id = p.id AND r.kind = 'reverse'
    ) AS gone
), part AS (
    SELECT *, least(left_over, points - (sum(left_over) OVER (PARTITION BY order_id ORDER BY id DESC) - left_over))
        AS wanted
    FROM posted
)
SELECT part.order_id, part.wanted, -((done.posting).points + (done.posting).pending_points) AS taken, done.outcome
FROM part CROSS JOIN LATERAL loyalty_take_back(part.id, part.wanted::bigint,
    concat_ws(':', 'reverse:order', part.order_id, part.revision, part.id), %(at)s, %(policy)s, '') AS done
WHERE part.wanted > 0
"""
FORGIVE: Final = """
UPDATE loyalty_credit c SET forgiven = c.forgiven + t.forgiven
FROM (SELECT order_id, sum(wanted - taken) AS forgiven FROM taken_back GROUP BY order_id) AS t
JOIN wanted_credit w ON w.order_id = t.order_id
WHERE c.order_id = t.order_id AND coalesce(w.customer_id, w.was_customer) = w.was_customer AND t.forgiven > 0
"""


def take_back(*, programme: Programme, at: datetime) -> None:
    """Take from the customers in `wanted_credit` what they have too much. Their accounts are locked."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.taken_back")
        cursor.execute(TAKE_BACK, {"at": at, "policy": programme.refund_policy})
        cursor.execute("SELECT DISTINCT outcome FROM taken_back WHERE outcome <> 'done'")
        if odd := cursor.fetchall():
            raise RuntimeError(f"The ledger refused to take points back: {odd}")


def forgive() -> None:
    """Remember what the policy did not let us take, so that it is not given twice."""
    with connection.cursor() as cursor:
        cursor.execute(FORGIVE)


@transaction.atomic
def give_back_for_order(*, order_id: int, posting_ids: Sequence[int], at: datetime) -> list[Posting]:
    """Give back points that were spent on an order (by these redeem or commit postings), as far as it came back.

    In proportion to the money that was paid back, all of them when it was cancelled. What was given back before counts,
    so that the same again changes nothing. They return to their own lots and live for the programme's grace at least.
    """
    grace_days, (back, paid) = programmes.current().grace_days, came_back(order_id)
    given = []
    for posting in Posting.objects.filter(pk__in=posting_ids).order_by("pk").select_for_update(no_key=True):
        before = _given_back(posting)
        all_due = posting.asked - reversal.kept(points=posting.asked, net_cents=paid, refunded_cents=back)
        if all_due > before:
            key = f"give_back:{posting.pk}:{all_due}"
            due = all_due - before
            given.append(ledger.give_back(posting_id=posting.pk, points=due, key=key, at=at, grace_days=grace_days))
    return given


def still_spent(*, posting_id: int) -> int:
    """Points of a redeem or commit posting that did not come back so far. Locks it: others who give back wait."""
    posting = Posting.objects.select_for_update(no_key=True).get(pk=posting_id)
    return posting.asked - _given_back(posting)


def _given_back(posting: Posting) -> int:
    return posting.consequences.filter(kind=Posting.Kind.GIVE_BACK).aggregate(all=Sum("asked"))["all"] or 0


def came_back(order_id: int) -> tuple[int, int]:
    """What was paid back of an order, and what was paid. Of one that does not stand any more, all of it."""
    standing = Order.objects.filter(pk=order_id, fully_refunded_on=None).exclude(status=Order.Status.CANCELLED)
    if not standing.exists():
        return 1, 1
    sums = OrderLine.objects.filter(order_id=order_id).aggregate(back=Sum("refunded_cents"), paid=Sum("net_cents"))
    return (sums["back"], sums["paid"]) if sums["paid"] else (0, 1)
