"""Pages of events: the list, the form, and who comes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import Role
from customers.services import search
from loyalty.models import Event, Reply
from loyalty.services import events
from tests.factories import make_customer
from tests.forms import send
from tests.loyalty.test_events import make_event
from tests.loyalty.test_tier_pages import sign_in, text
from tests.loyalty.tiers import make_tiers

pytestmark = pytest.mark.django_db
LIST, ADD = "/loyalty/events/", "/loyalty/events/add/"
TOLD = {
    "name": "Tasting",
    "place": "In the shop",
    "starts_at": "2999-05-01T19:00",
    "reply_by": "2999-04-20T12:00",
    "visible_from": "2999-03-01T09:00",
    "places": "12",
}


@pytest.fixture
def marketer(client, db):
    return sign_in(client, Role.MARKETER)


@pytest.fixture
def agent(client, db):
    return sign_in(client, Role.AGENT)


def make_soon(**fields):
    now = timezone.now()
    days = {"starts_at": now + timedelta(days=9), "reply_by": now + timedelta(days=5)}
    return make_event(**days | {"visible_from": now - timedelta(days=1)} | fields)


def states(event):
    return list(event.replies.order_by("pk").values_list("state", flat=True))


def test_nothing_yet(marketer):
    page = text(marketer.get(LIST))
    assert "No events yet" in page
    assert ADD in page


def test_it_adds_an_event(marketer):
    _, gold = make_tiers()
    response = send(marketer, ADD, **TOLD, tier=str(gold.pk))
    event = Event.objects.get()
    assert response.url == f"{LIST}{event.pk}/"
    assert (event.name, event.places, event.tier, event.taken) == ("Tasting", 12, gold, 0)
    assert "Tasting" in text(marketer.get(LIST))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reply_by": "2999-05-02T12:00"}, "Replies end before the event starts."),
        ({"visible_from": "2999-04-21T12:00"}, "It has to be visible before replies end."),
        ({"places": "0"}, "greater than or equal to 1"),
    ],
)
def test_it_refuses(wrong, said, marketer):
    response = send(marketer, ADD, **TOLD | wrong)
    assert response.status_code == 422
    assert said in text(response)
    assert not Event.objects.exists()


def test_it_changes_an_event(marketer):
    event = make_soon(places=1)
    for _ in range(2):
        events.reply_for(event_id=event.pk, customer_id=make_customer().pk, comes=True, at=timezone.now())
    assert send(marketer, f"{LIST}{event.pk}/edit/", places="2").status_code == 302
    assert states(event) == ["yes", "yes"]
    refused = send(marketer, f"{LIST}{event.pk}/edit/", places="1")
    assert "2 places are given away already." in text(refused)


def test_the_desk_replies_for_somebody(agent):
    event, ada, bob = make_soon(places=1), make_customer(name="Ada"), make_customer(name="Bob")
    address = f"{LIST}{event.pk}/reply/"
    for customer in (ada, bob):
        assert agent.post(address, {"customer": customer.pk, "comes": "1"}).status_code == 302
    page = text(agent.get(f"{LIST}{event.pk}/"))
    assert "1 of 1 place is taken" in page
    assert "1 customer waits." in page
    agent.post(address, {"customer": ada.pk})
    assert states(event) == ["no", "yes"]
    assert "Nobody is found by “1000000000”." in text(agent.post(address, {"customer": 10**9, "comes": "1"}))


def test_the_desk_names_a_guest_as_it_calls_her(agent):
    event, ada, twin = make_soon(), make_customer(name="Ada Byron"), make_customer(name="Ada King")
    search.refresh(customer_ids=[ada.pk, twin.pk])
    address = f"{LIST}{event.pk}/reply/"
    told = text(agent.post(address, {"customer": "ada", "comes": "1"}))
    assert f"may be Ada Byron ({ada.pk}), Ada King ({twin.pk}). Write the number." in told
    assert not event.replies.exists()
    assert agent.post(address, {"customer": "byron", "comes": "1"}).status_code == 302
    assert event.replies.get().customer == ada


def test_it_is_cancelled(marketer):
    event = make_soon()
    assert marketer.post(f"{LIST}{event.pk}/cancel/").status_code == 302
    assert "Cancelled" in text(marketer.get(f"{LIST}{event.pk}/"))
    marketer.post(f"{LIST}{event.pk}/reply/", {"customer": make_customer().pk, "comes": "1"})
    assert not Reply.objects.exists()


def test_an_agent_makes_no_events(agent):
    assert agent.get(ADD).status_code == 403
    assert agent.post(f"{LIST}{make_soon().pk}/cancel/").status_code == 403
