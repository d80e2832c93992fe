"""A demo takes its points along; the points of a business stay."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from loyalty.models import Account, Posting
from loyalty.services import adjustments, points, removing
from tests.factories import make_business, make_customer
from tests.loyalty.accounts import DAY, NOW, disagreements, totals

pytestmark = pytest.mark.django_db


@pytest.fixture
def customers():
    """Two who have something of everything, but nothing of each other's."""
    both = [make_customer(), make_customer()]
    for customer in both:
        pk = customer.pk
        points.earn(customer_id=pk, points=100, key=f"earn:{pk}", at=NOW)
        points.redeem(customer_id=pk, points=30, key=f"redeem:{pk}", at=NOW)
        points.hold(customer_id=pk, points=10, key=f"hold:{pk}", at=NOW, until=NOW + DAY)
        adjustments.adjust(customer_id=pk, points=5, key=f"adjust:{pk}", at=NOW, reason="A gift")
    return both


def test_a_demo_s_points_go_and_others_stay(customers):
    make_business(is_demo=True)
    gone, stays = customers
    assert removing.remove_demo(customer_ids=[gone.pk]) == 1
    gone.delete()
    assert totals(stays) == (65, 0, 10)
    assert not Posting.objects.filter(customer_id=gone.pk).exists()
    assert disagreements() == []


def test_points_of_a_business_stay(customers):
    make_business(is_demo=False)
    with pytest.raises(IntegrityError, match="Only the points of a demo"), transaction.atomic():
        removing.remove_demo(customer_ids=[customer.pk for customer in customers])
    assert Account.objects.count() == 2


def test_the_door_is_closed_again_behind_them(customers):
    make_business(is_demo=True)
    removing.remove_demo(customer_ids=[customers[0].pk])
    with (
        pytest.raises(DatabaseError, match="never changed or removed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM loyalty_posting WHERE customer_id = %s", [customers[1].pk])
