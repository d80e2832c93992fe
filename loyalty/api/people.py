"""Whom a program means by the number of a customer."""

from django.http import Http404

from customers.models import Customer
from customers.selectors import merged


def who(customer_id: int) -> int:
    """The customer, or who stands for them since they were merged. Raises Http404 for nobody."""
    row = Customer.objects.filter(pk=customer_id).values_list("archived_at").first()
    if row is None:
        raise Http404("No such customer.")
    return customer_id if row == (None,) else merged.survivor(customer_id)
