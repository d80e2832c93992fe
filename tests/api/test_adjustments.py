"""Adjustments over HTTP: a program agrees or declines, and never with itself or with who made its key."""

import pytest
from django.utils import timezone

from core.models import ApiKey, Role, User
from loyalty.models import Adjustment
from loyalty.services import adjustments
from loyalty.services.adjustments import NotYourOwn
from tests.api.callers import Caller, caller, codes, make_key
from tests.factories import make_business
from tests.loyalty.rewards import balance, make_member, make_programme

LIST = "/api/v1/adjustments/"


@pytest.fixture
def customer(db):
    make_business()
    make_programme(adjust_limit=1_000)
    return make_member(100, at=timezone.now())


def person(name):
    return User.objects.create(email=f"{name}@example.com", name=name, role=Role.ADMIN)


def key_of(maker):
    """A program whose key that person made; None for a key that a command made."""
    key, text = make_key("loyalty")
    ApiKey.objects.filter(pk=key.pk).update(created_by=maker)
    return Caller(text)


def ask(customer, *, by, points=5_000, key="k"):
    return adjustments.adjust(
        customer_id=customer.pk, points=points, key=key, at=timezone.now(), reason="Sorry", by=by.pk
    )


def ask_by(api, customer, points=5_000):
    body = {"points": points, "reason": "Sorry"}
    return api.post(f"/api/v1/points/{customer.pk}/adjust/", body, Idempotency_Key="k-1").json()["id"]


def approve(api, pk):
    return api.post(f"{LIST}{pk}/approve/")


def decline(api, pk, **body):
    return api.post(f"{LIST}{pk}/decline/", body)


def test_a_program_agrees_with_a_person(customer):
    """100 and 5,000 that Ann asked for; sent again by the same key nothing changes."""
    api, one = key_of(person("bo")), ask(customer, by=person("ann"))
    answers = [approve(api, one.pk) for _again in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["state"], balance(customer)) == ("done", 5_100)
    one.refresh_from_db()
    assert (one.decided_by, one.decided_program.created_by.name) == (None, "bo")


def test_or_declines_and_says_why(customer):
    api, one = caller("loyalty"), ask(customer, by=person("ann"))
    answer = decline(api, one.pk, answer="Too much")
    assert (answer.json()["state"], answer.json()["answer"], balance(customer)) == ("refused", "Too much", 100)
    assert decline(api, one.pk, answer="Too much").json() == answer.json()
    assert (approve(api, one.pk).status_code, codes(approve(api, one.pk))) == (409, {None: "already_decided"})
    assert codes(decline(api, one.pk)) == {"answer": "required"}


def test_what_somebody_else_decided_is_decided(customer):
    one = ask(customer, by=person("ann"))
    approve(caller("loyalty"), one.pk)
    answer = approve(caller("loyalty"), one.pk)
    assert (answer.status_code, codes(answer), balance(customer)) == (409, {None: "already_decided"}, 5_100)


def test_nobody_agrees_with_themselves_by_way_of_a_program(customer):
    """Neither with the same key, nor with another one of the same person, nor from key to person and back."""
    ann = person("ann")
    own, other = key_of(ann), key_of(ann)
    by_ann, by_key = ask(customer, by=ann).pk, ask_by(own, customer)
    for answer in (
        approve(own, by_ann),
        approve(own, by_key),
        approve(other, by_key),
        decline(own, by_key, answer="x"),
    ):
        assert (answer.status_code, codes(answer)) == (409, {None: "not_your_own"})
    with pytest.raises(NotYourOwn):
        adjustments.approve(adjustment_id=int(by_key), by=ann.pk, at=timezone.now())
    assert balance(customer) == 100
    bo = key_of(person("bo"))
    assert [approve(bo, pk).status_code for pk in (by_ann, by_key)] == [200, 200]


def test_a_key_of_nobody_is_itself_alone(customer):
    own = key_of(None)
    pk = ask_by(own, customer)
    assert codes(approve(own, pk)) == {None: "not_your_own"}
    assert approve(key_of(None), pk).status_code == 200


def test_more_than_there_is_goes_on_waiting(customer):
    one = ask(customer, by=person("ann"), points=-5_000)
    answer = approve(caller("loyalty"), one.pk)
    assert (answer.status_code, codes(answer)) == (409, {None: "insufficient_points"})
    one.refresh_from_db()
    assert (one.state, one.decided_program) == ("waiting", None)


def test_what_waits_is_listed(customer):
    ann = person("ann")
    ask(customer, by=ann, points=5, key="small")
    one = ask(customer, by=ann)
    (told,) = caller("loyalty:read").get(f"{LIST}?state=waiting&customer={customer.pk}").json()["results"]
    assert (told["id"], told["points"], told["reason"], told["decided_at"]) == (str(one.pk), 5_000, "Sorry", None)
    assert len(caller("loyalty:read").get(LIST).json()["results"]) == 2


def test_who_may(customer):
    one = ask(customer, by=person("ann"))
    for api in (caller("loyalty:read"), caller("orders")):
        assert (approve(api, one.pk).status_code, decline(api, one.pk, answer="x").status_code) == (403, 403)
    assert approve(caller("loyalty"), Adjustment.objects.latest("pk").pk + 1).status_code == 404
    assert balance(customer) == 100
