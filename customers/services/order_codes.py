"""The codes that buyers entered, kept with their orders for those who look for them there."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from core import doorbell, feed
from core.models import Change
from customers.models import Order


def keep(*, entered: Mapping[int, Sequence[str]]) -> int:
    """Write the codes of each order (by its id) where they differ, and tell the change feed; returns how many did."""
    return _keep(entered) if entered else 0


@transaction.atomic
def _keep(entered: Mapping[int, Sequence[str]]) -> int:
    known = Order.objects.select_for_update(no_key=True).filter(pk__in=entered).only("codes").order_by("pk")
    changed = [order for order in known if order.codes != list(entered[order.pk])]
    for order in changed:
        order.codes = list(entered[order.pk])
        order.save(update_fields=["codes"])
    if changed:
        feed.record(Change.Kind.ORDER, [order.pk for order in changed])
        doorbell.ring_once_for_many("orders")
    return len(changed)
