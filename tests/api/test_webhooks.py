"""Webhooks over HTTP."""

import ipaddress
from datetime import UTC, datetime

import pytest

from core.models import Delivery, Webhook
from tests.api.callers import caller, codes
from tests.core.receivers import receiving
from tests.core.test_webhooks import work_off

URL = "/api/v1/webhooks/"


@pytest.fixture
def api(db, settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    return caller("admin")


def make(api, **changes):
    return api.post(URL, {"url": "http://127.0.0.1:9/x", **changes})


def test_it_works(api):
    with receiving() as receiver:
        answer = make(api, url=receiver.url, description="Till", events=["ping"])
        assert answer.status_code == 201
        told = answer.json()
        assert told["secret"] == Webhook.objects.get().secret
        one = f"{URL}{told['id']}/"
        assert api.post(f"{one}test/").status_code == 201
        assert work_off(datetime.now(UTC)) == [204]
    (row,) = api.get(f"{one}deliveries/?state=delivered").json()["results"]
    assert (row["kind"], row["attempts"], row["tries"][0]["status"]) == ("ping", 1, 204)
    assert row["event"] == receiver.got[0][1]["webhook-id"]
    assert api.post(f"{one}deliveries/{row['id']}/replay/").json()["state"] == "pending"
    assert codes(api.post(f"{one}deliveries/{row['id']}/replay/")) == {None: "not_settled"}


def test_the_secret_is_told_once(api):
    told = make(api).json()
    assert "secret" not in api.get(f"{URL}{told['id']}/").json()
    assert "secret" not in api.get(URL).json()["results"][0]
    assert api.post(f"{URL}{told['id']}/secret/").json()["secret"] not in {told["secret"], ""}


def test_the_same_key_makes_one(api):
    first, again = (api.post(URL, {"url": "http://127.0.0.1:9/x"}, Idempotency_Key="k") for _ in range(2))
    assert (first.content, Webhook.objects.count()) == (again.content, 1)


def test_put_changes_pauses_and_goes_on(api):
    one = f"{URL}{make(api).json()['id']}/"
    body = {"url": "http://127.0.0.1:9/y", "active": False}
    assert api.put(one, body).json() | {"created_at": ""} == {
        "id": str(Webhook.objects.get().pk),
        "url": "http://127.0.0.1:9/y",
        "description": "",
        "events": [],
        "state": "paused",
        "created_at": "",
    }
    assert api.put(one, {"url": body["url"]}).json()["state"] == "paused"
    assert api.put(one, body | {"active": True}).json()["state"] == "active"
    assert make(api, active=False).json()["state"] == "paused"
    assert api.send("DELETE", one).status_code == 204
    assert api.get(one).status_code == 404


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"url": "https://169.254.169.254/latest"}, {"url": "not-public"}),
        ({"url": "nothing"}, {"url": "not-an-address"}),
        ({"url": ""}, {"url": "blank"}),
        ({"events": ["sun.rises"]}, {"events": "unknown_kind"}),
        ({"events": [7]}, {"events.0": "invalid"}),
        ({"active": "yes"}, {"active": "invalid"}),
        ({"secret": "whsec_mine"}, {"secret": "unknown_field"}),
    ],
)
def test_it_refuses(api, changes, wrong):
    answer = make(api, **changes)
    assert (answer.status_code, codes(answer)) == (400, wrong)
    assert not Webhook.objects.exists()


def test_there_is_an_end_to_them(api, monkeypatch):
    monkeypatch.setattr("core.webhooks.managing.MOST", 0)
    answer = make(api)
    assert (answer.status_code, codes(answer)) == (409, {None: "too_many"})


def test_one_receiver_s_delivery_is_not_reached_by_another_s_address(api):
    one, other = (make(api).json()["id"] for _ in range(2))
    delivery = api.post(f"{URL}{one}/test/").json()["id"]
    assert api.post(f"{URL}{other}/deliveries/{delivery}/replay/").status_code == 404
    assert api.get(f"{URL}{other}/deliveries/").json()["results"] == []
    assert Delivery.objects.get().webhook_id == int(one)
