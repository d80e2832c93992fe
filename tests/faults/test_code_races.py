"""Codes that 64 clients use at the same moment: exactly as often as they may, and what is given back can be had again.

The short form runs with every test; SOAK=1 takes 200 rounds. Each guarantee is shown to fail without the lock.
"""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection

from loyalty.models import Code, Offer, Use
from loyalty.offer_refusals import Refused
from loyalty.services import offers
from tests import factories
from tests.loyalty.offers import AT, basket, make_code, make_offer, redeem

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SOAK = os.environ.get("SOAK") == "1"
CLIENTS = 64
ROUNDS = 200 if SOAK else 2


def at_once(*attempts):
    """What each attempt came to, a refusal's name or a use, when all begin at the same moment."""
    start = Barrier(len(attempts), timeout=60)

    def run(attempt):
        try:
            connection.ensure_connection()
            start.wait()
            return attempt()
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(attempts)) as threads:
        return list(threads.map(run, attempts))


def used(outcomes):
    return [one for one in outcomes if isinstance(one, Use)]


@pytest.fixture(autouse=True)
def business(transactional_db):
    """Without the row each would try to make it, and wait for the others' transactions there."""
    return factories.make_business()


@pytest.fixture
def customers():
    return [factories.make_customer() for _ in range(CLIENTS)]


@pytest.fixture
def unlocked(monkeypatch):
    """The same code without its protection: counters are read, and nobody waits."""

    def read(offer):
        offer.refresh_from_db(fields=offers.COUNTERS)
        return offer

    monkeypatch.setattr(offers, "lock", read)


@pytest.fixture
def meeting(monkeypatch):
    """Who has looked and is about to write waits for a second one to come as far; under a lock nobody comes."""
    quick, met = offers._use, Barrier(2)

    def slow(*args, **kwargs):
        with contextlib.suppress(BrokenBarrierError):
            met.wait(timeout=1)
        return quick(*args, **kwargs)

    monkeypatch.setattr(offers, "_use", slow)


def give_back(use):
    offers.release(use_id=use.pk, at=AT)
    return "released"


def race(code, customers):
    return at_once(*[partial(redeem, code, customer=customer) for customer in customers])


def test_a_single_use_code_is_used_once(customers):
    for _ in range(ROUNDS):
        code = make_code()
        outcomes = race(code, customers)

        assert len(used(outcomes)) == 1
        assert outcomes.count("code_exhausted") == CLIENTS - 1
        code.refresh_from_db()
        assert code.used == 1


def test_two_who_have_both_looked_cannot_both_use_it(customers, meeting):
    assert len(used(race(make_code(), customers[:2]))) == 1


def test_without_the_lock_both_use_it(customers, meeting, unlocked):
    assert len(used(race(make_code(), customers[:2]))) == 2


def test_a_code_for_seven_is_used_seven_times(customers):
    for _ in range(ROUNDS):
        code = make_code(max_uses=7)

        assert len(used(race(code, customers))) == 7


def test_an_offer_for_seven_whatever_the_codes(customers):
    for _ in range(ROUNDS):
        offer = make_offer(max_uses=7)
        codes = [make_code(offer) for _ in customers]
        pairs = zip(codes, customers, strict=True)
        outcomes = at_once(*[partial(redeem, code, customer=who) for code, who in pairs])

        assert len(used(outcomes)) == 7
        assert Offer.objects.get(pk=offer.pk).used == 7


def test_a_customer_has_no_more_than_two_and_a_budget_is_kept():
    """Each use costs 10; there are 55, and the customer may have five of them, all sent at once."""
    for _ in range(ROUNDS):
        customer = factories.make_customer()
        offer = make_offer(max_per_customer=5, max_per_day=6, budget_cents=5_500)
        mine = [make_code(offer) for _ in range(CLIENTS // 2)]
        others = [(make_code(offer), factories.make_customer()) for _ in range(CLIENTS // 2)]
        outcomes = at_once(
            *[partial(redeem, code, customer=customer) for code in mine],
            *[partial(redeem, code, customer=who) for code, who in others],
        )

        offer.refresh_from_db()
        assert len(used(outcomes)) == offer.used == offer.used_on_day == 5
        assert offer.spent_cents == 5_000
        assert Use.objects.filter(offer=offer, customer=customer).count() <= 5


def test_one_order_takes_one_exclusive_code(customers):
    """Two quotes that pass alone: only one of all codes is used on the order."""
    for _ in range(ROUNDS):
        customer, purchase = factories.make_customer(), basket(reference="cart-7")
        codes = [make_code() for _ in range(16)]
        outcomes = at_once(*[partial(redeem, code, customer=customer, purchase=purchase) for code in codes])

        assert len(used(outcomes)) == 1
        assert outcomes.count("not_stackable") == 15


def two_codes_on_one_order():
    customer, purchase = factories.make_customer(), basket(reference="cart-7")
    return at_once(*[partial(redeem, make_code(), customer=customer, purchase=purchase) for _ in range(2)])


def test_two_codes_that_both_fit_cannot_both_be_used_on_an_order(meeting):
    assert len(used(two_codes_on_one_order())) == 1


def test_without_the_order_s_lock_both_are_used(meeting, monkeypatch):
    monkeypatch.setattr(offers, "_lock_order", lambda *told: None)
    assert len(used(two_codes_on_one_order())) == 2


def test_the_same_key_is_one_use():
    for _ in range(ROUNDS):
        code, customer = make_code(max_uses=None), factories.make_customer()
        key = f"same-{code.pk}"
        outcomes = at_once(*[partial(redeem, code, customer=customer, key=key)] * CLIENTS)

        assert len({use.pk for use in outcomes}) == 1
        assert Code.objects.get(pk=code.pk).used == 1


def test_giving_back_and_taking_at_once_keeps_the_count():
    """Every reservation is released by four at once while others take: the counters are the uses that are left."""
    for _ in range(ROUNDS):
        offer = make_offer(max_uses=20)
        code = make_code(offer, max_uses=20)
        held = [redeem(code, until=AT + timedelta(hours=1)) for _ in range(8)]
        outcomes = at_once(
            *[partial(give_back, use) for use in held * 4],
            *[partial(redeem, code)] * (CLIENTS - 32),
        )

        live = Use.objects.filter(code=code).exclude(state=Use.State.RELEASED).count()
        offer.refresh_from_db()
        code.refresh_from_db()
        assert outcomes.count("released") == 32
        assert live == offer.used == code.used == 20
        assert offer.spent_cents == 20 * 1_000
