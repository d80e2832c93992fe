"""After a merge the night's readers of the change feed count the one customer with everything of both."""

from datetime import date, timedelta

import pytest

from analytics.models import Basket, PurchaseSummary
from analytics.services import baskets, summaries
from crm import joining
from tests.factories import make_business, make_customer, make_order, make_refund
from tests.loyalty.accounts import NOW

pytestmark = pytest.mark.django_db(transaction=True)

AS_OF = date(2026, 3, 31)


def read(as_of):
    for reader in (summaries, baskets):
        reader.refresh(as_of=as_of)


def test_every_reader_follows():
    make_business()
    ada, twin = make_customer(), make_customer()
    for customer, days in ((ada, (40, 10)), (twin, (90, 40, 5))):
        for back in days:
            make_order(customer=customer, day=AS_OF - timedelta(days=back), value_cents=5_000)
    make_refund(order=twin.orders.earliest("placed_on"), value_cents=1_000)
    read(AS_OF)
    assert PurchaseSummary.objects.get(customer_id=twin.pk).orders == 3

    joining.merge(into=ada.pk, other=twin.pk, by=None, at=NOW)
    read(AS_OF + timedelta(days=1))
    summary = PurchaseSummary.objects.get()
    assert (summary.customer_id, summary.orders, summary.order_days, summary.value_cents) == (ada.pk, 5, 4, 24_000)
    assert Basket.objects.get().customer_id == ada.pk
