"""An import whose customers have points by now is not taken back: the ledger is kept for ever."""

import pytest

from customers.models import Customer, Order
from customers.services import undo
from loyalty.services import points
from tests.customers.rows import order_row
from tests.customers.test_undo_import import load
from tests.loyalty.accounts import NOW, totals

pytestmark = pytest.mark.django_db


def test_it_says_so_and_nothing_is_changed():
    batch = load(order_row(2, document="1"), order_row(3, document="2"))
    customer = Customer.objects.get()
    points.earn(customer_id=customer.pk, points=5, key="earn", at=NOW)
    with pytest.raises(undo.CannotUndo, match=f"customer {customer.pk} has points"):
        undo.undo(batch_id=batch)
    assert Order.objects.count() == 2
    assert totals(customer) == (5, 0, 0)
