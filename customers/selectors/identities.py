"""How the first system that knew a customer calls them."""

from collections.abc import Mapping, Sequence

from customers.models import Identity


def first(customer_ids: Sequence[int]) -> Mapping[int, Identity]:
    """The oldest identity of each customer that has one."""
    found = Identity.objects.filter(customer_id__in=customer_ids).order_by("customer_id", "pk").distinct("customer_id")
    return {identity.customer_id: identity for identity in found}
