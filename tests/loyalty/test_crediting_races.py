"""The reaction as workers run it: from the feed, after a crash, and two of them at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection

from core import feed
from core.models import Cursor
from customers.services import corrections
from loyalty.models import Posting
from loyalty.services import crediting, refunding, verifying
from tests.factories import make_customer
from tests.loyalty.shop import NOW, history, line, make_rule, open_programme, order, refund, totals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def programme(transactional_db):
    make_rule()
    return open_programme()


@pytest.fixture(autouse=True)
def sound_ledger(transactional_db):
    yield
    assert [result for result in verifying.verify() if result.wrong] == []


def credit():
    feed.wait_until_readable()
    return crediting.credit(at=NOW)


def position():
    return Cursor.objects.get(reaction=crediting.REACTION).xid


class TestFeed:
    def test_the_first_time_every_order_and_then_what_changed(self):
        customer = make_customer()
        first = order(customer, line("100.00"))
        assert [credit(), credit()] == [1, 0]
        order(customer, line("20.00"))
        refund(first, 1)
        assert [credit(), credit()] == [2, 0]
        assert history(customer) == [("earn", 0, 100), ("reverse", 0, -100), ("earn", 0, 20)]

    def test_from_the_beginning_again_changes_nothing(self):
        customer = make_customer()
        placed = [order(customer, line("100.00")) for _ in range(3)]
        refund(placed[0], 0, cents=5_000)
        corrections.cancel(order_id=placed[1].pk)
        credit()
        before = list(Posting.objects.order_by("id").values())
        Cursor.objects.update(xid=0)
        assert credit() == 0
        assert list(Posting.objects.order_by("id").values()) == before
        assert totals(customer) == (0, 150)

    def test_some_at_a_time(self, monkeypatch):
        monkeypatch.setattr(crediting, "AT_ONCE", 2)
        monkeypatch.setattr(crediting, "CUSTOMERS", 3)
        people = [make_customer() for _ in range(7)]
        for person in people:
            order(person, line("10.00"))
        assert credit() == 7
        for person in people:
            order(person, line("5.00"))
        assert credit() == 7
        assert {totals(person) for person in people} == {(0, 15)}

    def test_an_order_cancelled_before_a_new_beginning(self):
        customer = make_customer()
        placed = order(customer, line("100.00"))
        credit()
        corrections.cancel(order_id=placed.pk)
        Cursor.objects.filter(reaction=crediting.REACTION).update(xid=0)
        assert credit() == 1
        assert totals(customer) == (0, 0)

    def test_nothing_and_no_cursor_before_it_is_switched_on(self, programme):
        programme.opened_at = None
        programme.save(update_fields=["opened_at"])
        order(make_customer(), line("100.00"))
        assert credit() == 0
        assert not Cursor.objects.filter(reaction=crediting.REACTION).exists()

    def test_a_crash_leaves_nothing_half_done(self, monkeypatch):
        monkeypatch.setattr(crediting, "AT_ONCE", 1)
        customer = make_customer()
        credit()
        before = position()
        for _ in range(2):
            order(customer, line("10.00"))
        with monkeypatch.context() as patch:
            patch.setattr(refunding, "forgive", crash_at_the(2))
            with pytest.raises(ZeroDivisionError):
                credit()
        assert (totals(customer), position()) == ((0, 10), before)
        assert credit() == 1
        assert totals(customer) == (0, 20)


def crash_at_the(number):
    calls = []

    def crash():
        calls.append(1)
        if len(calls) == number:
            raise ZeroDivisionError

    return crash


def at_once(order_ids):
    """Two workers credit the same orders."""

    return both(lambda: crediting.credit_orders(order_ids=order_ids, at=NOW))


def both(credit):
    """What two who credit at once came to."""

    def run(number):
        try:
            return credit()
        except IntegrityError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, range(2)))


class TestTwoAtOnce:
    def orders(self):
        people = [make_customer() for _ in range(10)]
        return people, [order(person, line("10.00")).pk for person in people]

    def test_each_order_is_credited_once(self):
        people, ids = self.orders()
        assert sorted(at_once(ids)) == [0, 10]
        assert {totals(person) for person in people} == {(0, 10)}

    def test_two_who_look_at_every_order_credit_each_once(self, monkeypatch):
        """In parts beside each other: of one part, who comes second waits for the first."""
        monkeypatch.setattr(crediting, "CUSTOMERS", 4)
        people, _ids = self.orders()
        feed.wait_until_readable()
        told = both(lambda: crediting.credit(at=NOW))
        assert sum(told) == 10
        assert {totals(person) for person in people} == {(0, 10)}

    def test_without_the_lock_they_meet(self, monkeypatch):
        """The negative control: both work it out, and only the unique keys are left to refuse the second."""
        people, ids = self.orders()
        barrier, changed = Barrier(2, timeout=60), crediting._changed

        def meet():
            found = changed()
            barrier.wait()
            return found

        monkeypatch.setattr(feed, "position", lambda reaction: 1)
        monkeypatch.setattr(crediting, "_changed", meet)
        outcomes = at_once(ids)
        assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1
        assert {totals(person) for person in people} == {(0, 10)}
