"""Tiers in `verify_ledger`: each mistake is made on purpose, and found."""

import pytest
from django.utils import timezone

from core import business, feed
from core.models import Change
from loyalty.models import Standing
from loyalty.selectors import tier_values
from loyalty.services import tiers, verifying
from tests.factories import make_customer
from tests.loyalty.tiers import make_posting, make_tiers

pytestmark = pytest.mark.django_db


def wrong():
    return [text for result in verifying.verify() for text in result.wrong if "tier" in text or "rank" in text]


@pytest.fixture
def ada():
    make_tiers()
    ada, now = make_customer(), timezone.now()
    make_posting(ada, 120, at=now)
    tiers.settle(customer_ids=[ada.pk], business=business.current(), at=now)
    return ada


def test_all_is_well(ada):
    assert wrong() == []


def test_a_tier_that_no_move_speaks_of(ada):
    gold = tier_values.in_use()[1]
    Standing.objects.filter(customer=ada).update(tier=gold)
    assert wrong() == [f"standing of customer {ada.pk}: tier {gold.pk}, but the last move says {gold.pk - 1}"]


def test_somebody_below_what_was_reached(ada):
    make_posting(ada, 200, at=timezone.now())
    assert wrong() == [f"customer {ada.pk}: rank 1, but 320 are enough for rank 2"]


def test_an_order_that_nobody_has_looked_at_is_no_mistake(ada):
    make_posting(ada, 200, at=timezone.now())
    feed.record(Change.Kind.CUSTOMER_ORDERS, [ada.pk])
    assert wrong() == []


def test_lowered_by_hand_is_no_mistake(ada):
    make_posting(ada, 200, at=timezone.now())
    today = timezone.localdate()
    Standing.objects.filter(customer=ada).update(set_by="lowered", ends_on=today, until=today)
    assert wrong() == []


def test_without_tiers_there_is_nothing_to_check():
    make_posting(make_customer(), 200, at=timezone.now())
    assert wrong() == []
