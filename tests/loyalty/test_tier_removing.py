"""A demo that goes takes tiers, moves and replies along; nothing else removes moves."""

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import Move, Standing, TierNotice
from loyalty.services import events, removing
from tests.factories import make_business, make_customer
from tests.loyalty.test_events import NOW, make_event
from tests.loyalty.tiers import make_posting, make_tiers, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def two():
    """Two members who come to an event."""
    make_tiers()
    people = [make_customer() for _ in range(2)]
    for customer in people:
        make_posting(customer, 120)
    settle(*people)
    event = make_event()
    for customer in people:
        events.reply_for(event_id=event.pk, customer_id=customer.pk, comes=True, at=NOW)
    return people, event


def test_it_works(two):
    make_business(is_demo=True)
    (ada, bob), event = two
    assert removing.remove_demo_tiers(customer_ids=[ada.pk]) == 1
    assert [rows.objects.get().customer_id for rows in (Standing, Move, TierNotice)] == [bob.pk] * 3
    event.refresh_from_db()
    assert (event.taken, event.replies.get().customer_id) == (1, bob.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Move.objects.all().delete()


def test_only_of_a_demo(two):
    make_business(is_demo=False)
    (ada, _), _ = two
    with pytest.raises(IntegrityError, match="Only the tiers of a demo"), transaction.atomic():
        removing.remove_demo_tiers(customer_ids=[ada.pk])
    assert Move.objects.count() == 2
