"""Events with places: who comes, who waits, and that there are never more guests than chairs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from loyalty.models import Event, Reply
from loyalty.selectors import events as found
from loyalty.services import events
from loyalty.services.events import Plan
from tests.factories import DAY, make_customer
from tests.loyalty.tiers import make_member, make_tiers, noon

NOW = noon(DAY)


def make_event(*, places=2, days=20, **fields):
    told = {"name": "Tasting", "starts_at": NOW + timedelta(days=days), "visible_from": NOW - timedelta(days=1)}
    return Event.objects.create(**told | {"reply_by": NOW + timedelta(days=10), "places": places} | fields)


def reply(event, customer, *, comes=True, at=NOW):
    return events.reply(event_id=event.pk, customer_id=customer.pk, comes=comes, at=at)


def states(event):
    event.refresh_from_db()
    return event.taken, list(event.replies.order_by("pk").values_list("state", flat=True))


@pytest.mark.django_db
class TestStory:
    def test_two_places_for_four(self):
        event, (ada, bob, cem, dan) = make_event(), [make_customer() for _ in range(4)]
        for minute, guest in enumerate((ada, bob, cem, dan)):
            reply(event, guest, at=NOW + timedelta(minutes=minute))
        assert states(event) == (2, ["yes", "yes", "waiting", "waiting"])
        reply(event, bob, comes=False)
        assert states(event) == (2, ["yes", "no", "yes", "waiting"])
        reply(event, dan, comes=False)
        assert states(event) == (2, ["yes", "no", "yes", "no"])
        reply(event, cem, comes=False)
        assert states(event) == (1, ["yes", "no", "no", "no"])

    def test_the_same_answer_again_changes_nothing(self):
        event, ada = make_event(places=1), make_customer()
        first = reply(event, ada)
        again = reply(event, ada, at=NOW + timedelta(hours=1))
        assert (again.pk, again.since, states(event)) == (first.pk, NOW, (1, ["yes"]))

    def test_whoever_comes_back_goes_to_the_end_of_the_queue(self):
        event, (ada, bob, cem) = make_event(places=1), [make_customer() for _ in range(3)]
        for guest in (ada, bob, cem):
            reply(event, guest)
        reply(event, bob, comes=False)
        reply(event, bob, at=NOW + timedelta(hours=1))
        reply(event, ada, comes=False)
        assert states(event) == (1, ["no", "waiting", "yes"])

    def test_more_places_go_to_those_who_wait(self):
        event = make_event(places=1)
        for _ in range(3):
            reply(event, make_customer())
        events.change(event_id=event.pk, plan=plan(event, places=2), at=NOW)
        assert states(event) == (2, ["yes", "yes", "waiting"])

    def test_fewer_places_than_guests(self):
        event = make_event()
        for _ in range(2):
            reply(event, make_customer())
        with pytest.raises(events.TooFewPlaces, match="2 places"):
            events.change(event_id=event.pk, plan=plan(event, places=1), at=NOW)
        assert states(event)[0] == 2

    def test_too_late(self):
        event, ada = make_event(), make_customer()
        late = NOW + timedelta(days=11)
        with pytest.raises(events.TooLate):
            reply(event, ada, at=late)
        assert events.reply_for(event_id=event.pk, customer_id=ada.pk, comes=True, at=late).state == "yes"

    def test_cancelled(self):
        event = make_event()
        events.cancel(event_id=event.pk, at=NOW)
        with pytest.raises(events.Cancelled):
            reply(event, make_customer())
        assert not found.visible_to(make_customer().pk, NOW)

    def test_the_database_refuses_one_too_many(self):
        event = make_event(places=1)
        with pytest.raises(IntegrityError), transaction.atomic():
            Event.objects.filter(pk=event.pk).update(taken=2)


def plan(event, **fields):
    return Plan(**{name: getattr(event, name) for name in events.FIELDS} | fields)


@pytest.mark.django_db
class TestInvited:
    def test_from_a_tier_on(self):
        silver, gold = make_tiers()
        event = make_event(tier=gold)
        below, member = make_member(silver).customer, make_member(gold).customer
        assert reply(event, member).state == "yes"
        for outsider in (below, make_customer()):
            with pytest.raises(events.NotInvited):
                reply(event, outsider)
            assert event not in found.visible_to(outsider.pk, NOW)
        assert found.visible_to(member.pk, NOW).get().own[0].state == "yes"

    def test_some_days_earlier_for_a_tier(self):
        silver, gold = make_tiers()
        event = make_event(visible_from=NOW + timedelta(days=3))
        assert reply(event, make_member(gold).customer).state == "yes"
        with pytest.raises(events.NotInvited):
            reply(event, make_member(silver).customer)

    def test_whoever_replied_still_sees_it(self):
        _, gold = make_tiers()
        event, outsider = make_event(tier=gold), make_customer()
        events.reply_for(event_id=event.pk, customer_id=outsider.pk, comes=True, at=NOW)
        assert event in found.visible_to(outsider.pk, NOW)
        assert reply(event, outsider, comes=False).state == "no"


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    GUESTS, PLACES = 12, 3

    def test_never_overbooked(self):
        event = make_event(places=self.PLACES)
        self.rush(event, lambda guest: reply(event, guest))
        taken, told = states(event)
        assert (taken, told.count("yes"), told.count("waiting")) == (3, 3, 9)

    def test_a_place_that_is_given_back_goes_to_one(self):
        event = make_event(places=self.PLACES)
        for guest in (guests := [make_customer() for _ in range(self.GUESTS)]):
            reply(event, guest)
        self.rush(event, lambda guest: reply(event, guest, comes=False), guests=guests[:6])
        taken, told = states(event)
        assert (taken, told.count("yes"), told.count("no")) == (3, 3, 6)

    def test_looking_first_and_writing_then_overbooks(self):
        """Without the lock of the row the same rush gives away more places than there are."""
        event = make_event(places=self.PLACES)
        barrier = Barrier(self.GUESTS)

        def look_then_write(guest):
            with transaction.atomic():
                taken = Reply.objects.filter(event=event, state="yes").count()
                barrier.wait(timeout=60)
                state = "yes" if taken < self.PLACES else "waiting"
                Reply.objects.create(event=event, customer=guest, state=state, since=NOW)

        self.rush(event, look_then_write)
        assert Reply.objects.filter(event=event, state="yes").count() == self.GUESTS > self.PLACES

    def rush(self, event, act, guests=None):
        guests = guests or [make_customer() for _ in range(self.GUESTS)]

        def one(guest):
            try:
                act(guest)
            finally:
                connection.close()

        with ThreadPoolExecutor(len(guests)) as pool:
            list(pool.map(one, guests))
