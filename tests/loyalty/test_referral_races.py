"""Sixteen at once: the limit of a code holds, a friend has one referrer, and points come once."""

import threading

import pytest
from django.db import connection

from core import feed
from loyalty import referral_refusals as refusals
from loyalty.models import Posting, Referral, ReferralCode
from loyalty.selectors import referrals as found
from loyalty.services import referrals
from tests.loyalty.referrals import buy, claim, code_of, follow, make_person, open_for_friends, open_plan
from tests.loyalty.shop import DAY, NOW, totals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def plan():
    return open_for_friends()


@pytest.fixture
def ann():
    return make_person(name="Ann", email="ann@example.com", phone="+491701234567")


@pytest.fixture
def ben():
    return make_person(name="Ben", email="ben@example.com")


def together(calls):
    ready, outcomes = threading.Barrier(len(calls)), []

    def run(call):
        try:
            ready.wait(20)
            outcomes.append(call())
        except refusals.Refused as refused:
            outcomes.append(type(refused))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_the_limit_of_a_code(ann):
    open_plan(most_friends=5)
    code_of(ann)
    people = [make_person() for _ in range(16)]
    outcomes = together([lambda person=person: claim(ann, person) for person in people])
    assert outcomes.count(refusals.Limit) == 11
    assert Referral.objects.count() == 5


def test_without_the_lock_the_limit_does_not_hold(ann, monkeypatch):
    """The negative control."""
    open_plan(most_friends=5)
    code_of(ann)
    people = [make_person() for _ in range(16)]
    checked = threading.Barrier(16)
    monkeypatch.setattr(ReferralCode.objects, "select_for_update", lambda **options: ReferralCode.objects.all())
    looked = found.suspicions
    monkeypatch.setattr(found, "suspicions", lambda **asked: (checked.wait(20), looked(**asked))[1])
    together([lambda person=person: claim(ann, person) for person in people])
    assert Referral.objects.count() == 16


def test_one_referrer(ben):
    advocates = [make_person() for _ in range(16)]
    for advocate in advocates:
        code_of(advocate)
    outcomes = together([lambda advocate=advocate: claim(advocate, ben) for advocate in advocates])
    assert outcomes.count(refusals.AlreadyReferred) == 15
    assert Referral.objects.count() == 1


def test_the_feed_tells_of_those_whose_orders_changed(ann, ben):
    claim(ann, ben)
    claim(ann, make_person())
    assert referrals.follow(at=NOW) == 2
    assert referrals.follow(at=NOW) == 0
    buy(ben)
    assert feed.wait_until_readable()
    assert referrals.follow(at=NOW + DAY) == 1
    assert totals(ann) == (0, 500)


def test_one_code_for_one_customer(ann):
    outcomes = together([lambda: code_of(ann)] * 8)
    assert len(set(outcomes)) == 1
    assert ReferralCode.objects.count() == 1


def test_points_once_however_many_follow(ann, ben):
    claim(ann, ben)
    buy(ben)
    together([lambda: follow(NOW + DAY)] * 8)
    assert Posting.objects.filter(key__startswith="referral:").count() == 2
    assert totals(ann) == (0, 500)
