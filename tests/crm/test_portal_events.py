"""Events on the customers' pages: what they see, and their answers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from loyalty.models import Event, Programme, Reply
from loyalty.services import events
from tests.crm.test_portal import make_person, read, signed_in
from tests.factories import make_business, make_customer
from tests.loyalty.tiers import make_member, make_tier

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def programme():
    make_business(name="Juniper & Oak")
    made, _ = Programme.objects.update_or_create(id=1, defaults={"opened_at": timezone.now(), "name": "Oak club"})
    return made


@pytest.fixture
def ada():
    return make_person("Ada Lovelace", "ada@example.com")


@pytest.fixture
def client(ada):
    return signed_in(ada)


def make_event(**fields):
    now = timezone.now()
    told = {
        "name": "Cupping evening",
        "starts_at": now + timedelta(days=20),
        "visible_from": now - timedelta(days=1),
        "reply_by": now + timedelta(days=10),
        "places": 1,
    }
    return Event.objects.create(**told | fields)


def answer(client, event, word):
    return client.post(f"/me/events/{event.pk}/", {"answer": word}, follow=True)


def test_a_place_the_waiting_list_and_moving_up(client, ada):
    """Ada takes the last place; Eve waits, and gets it when Ada gives it back."""
    event = make_event()
    eve = make_person("Eve Else", "eve@example.com")
    assert "1 of 1 places is free" in read(client, "/me/events/")
    assert "Cupping evening" in read(client, "/me/")
    answer(client, event, "yes")
    assert "You have a place" in read(client, "/me/events/")
    hers = signed_in(eve)
    assert "Put me on the waiting list" in read(hers, "/me/events/")
    answer(hers, event, "yes")
    assert "0 people wait before you" in read(hers, "/me/events/")
    answer(client, event, "no")
    assert "You have a place" in read(hers, "/me/events/")
    assert "Put me on the waiting list" in read(client, "/me/events/")
    event.refresh_from_db()
    assert event.taken == 1


def test_early_access_says_since_when_others_see_it(client, ada):
    make_event(visible_from=timezone.now() + timedelta(days=2))
    assert "Cupping" not in read(client, "/me/events/")
    make_member(make_tier(name="Gold", early_days=3), customer=ada, since=timezone.localdate() - timedelta(days=1))
    assert "You see it before others" in read(client, "/me/events/")


def test_what_is_not_for_her_is_not_there(client, ada):
    theirs = make_event(tier=make_tier(name="Gold"))
    assert answer(client, theirs, "yes").status_code == 404
    assert client.post("/me/events/999999/", {"answer": "yes"}).status_code == 404
    assert not Reply.objects.exists()


def test_too_late_is_said_and_changes_nothing(client, ada):
    event = make_event(reply_by=timezone.now() - timedelta(minutes=1))
    assert "Replies were possible until" in read(client, "/me/events/")
    assert "Replies to this event are closed" in answer(client, event, "yes").content.decode()
    assert not Reply.objects.exists()


def test_who_had_a_place_reads_that_it_was_cancelled(client, ada):
    event = make_event(places=5)
    answer(client, event, "yes")
    events.cancel(event_id=event.pk, at=timezone.now())
    page = read(client, "/me/events/")
    assert "Cancelled" in page
    assert "I cannot come" not in page
    assert "Cupping" not in read(signed_in(make_person("Eve", "eve@example.com")), "/me/events/")


def test_the_place_in_the_queue(client, ada):
    event = make_event()
    now = timezone.now()
    for minutes in (9, 8):
        events.reply_for(
            event_id=event.pk, customer_id=make_customer().pk, comes=True, at=now - timedelta(minutes=minutes)
        )
    answer(client, event, "yes")
    assert "1 person waits before you" in read(client, "/me/events/")


def test_without_a_programme_there_are_none(client, programme):
    Programme.objects.update(opened_at=None)
    assert client.get("/me/events/").status_code == 404
    assert answer(client, make_event(), "yes").status_code == 404
