"""Points that were spent on an order, when it comes back.

A redemption may say on which order its points are spent, also before we know the order. What took money off comes back
in proportion to what is paid back. Another reward comes back only when all of the order does, and only while it waits:
who has the mug keeps it.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext_noop

from loyalty.models import Redemption
from loyalty.services import refunding, rewards
from loyalty.services.refusals import CodeUsed, TooLate

State = Redemption.State
REASON = gettext_noop("The order came back")

CLAIM = """
UPDATE loyalty_redemption r SET order_id = o.id FROM customers_order o
WHERE o.id = ANY(%(ids)s) AND r.customer_id = o.customer_id AND r.order_id IS NULL AND r.reference <> ''
    AND r.reference IN (o.external_id, concat(o.source, ':', o.external_id), o.id::text)"""


def follow(*, order_ids: Collection[int], at: datetime) -> int:
    """Look at orders that changed; returns how many redemptions gave points back. Again changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"ids": list(order_ids)})
    found = Redemption.objects.filter(order__in=order_ids, posting_id__isnull=False).exclude(state=State.CANCELLED)
    return sum(_settle(one, at=at) for one in found.order_by("pk"))


@transaction.atomic
def _settle(one: Redemption, *, at: datetime) -> bool:
    if one.order_id is None or one.posting_id is None:
        return False
    if one.money_off_cents:
        return bool(refunding.give_back_for_order(order_id=one.order_id, posting_ids=[one.posting_id], at=at))
    if one.state not in rewards.OPEN and one.offer_code_id is None:
        return False
    back, paid = refunding.came_back(one.order_id)
    return back >= paid and _cancelled(one, at=at)


def _cancelled(one: Redemption, *, at: datetime) -> bool:
    try:
        with transaction.atomic():
            rewards.cancel(redemption_id=one.pk, at=at, reason=REASON)
    except (TooLate, CodeUsed):
        return False
    return True
