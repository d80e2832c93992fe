"""Two accounts of points become one."""

from datetime import datetime

from django.db import transaction

from customers.models import Order
from loyalty import ledger
from loyalty.models import Credit, Posting


@transaction.atomic
def merge(*, into: int, other: int, key: str, at: datetime, by: int | None = None) -> Posting:
    """The points and lots of the customer `other` go to the customer `into`, and so does what is written for her later.

    The postings say what moved; lifetime counters move along. Raises AccountHasHolds while one of them has points on
    hold, SameAccount when they are one already.
    """
    merged = ledger.merge(into=into, other=other, key=key, at=at, by=by).posting
    # The credits of her orders follow, or else the reaction would take them back from one and give them to the other.
    orders = Order.objects.filter(customer_id__in=[into, other]).values("pk")
    Credit.objects.filter(order_id__in=orders, customer_id=other).update(customer_id=into)
    return merged
