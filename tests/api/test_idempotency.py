"""A request that is sent twice takes effect once, and two at once do, too."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from core import idempotency
from core.models import ApiKey, Change, IdempotencyKey
from tests.api.callers import caller, codes

EFFECTS = "/api/v1/effects/"
AT = datetime(2026, 3, 1, tzinfo=UTC)
ANSWER = idempotency.Answer(status=201, body=b"{}")


def test_it_works(probe):
    first = probe.post(EFFECTS, {"kind": "day"}, Idempotency_Key="a")
    again = probe.post(EFFECTS, {"kind": "day"}, Idempotency_Key="a")
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["Content-Type"] == again.headers["Content-Type"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Change.objects.count() == 1


def test_another_key_is_another_effect(probe):
    for key in "ab":
        probe.post(EFFECTS, {"kind": "day"}, Idempotency_Key=key)
    caller("orders").post(EFFECTS, {"kind": "day"}, Idempotency_Key="a")
    assert Change.objects.count() == 3


def test_the_order_of_fields_does_not_matter(probe):
    probe.send("POST", EFFECTS, raw=b'{"kind": "day", "x": 1}', Idempotency_Key="a")
    again = probe.send("POST", EFFECTS, raw=b'{"x":1,"kind":"day"}', Idempotency_Key="a")
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_for_something_else_422(probe):
    probe.post(EFFECTS, {"kind": "day"}, Idempotency_Key="a")
    answer = probe.post(EFFECTS, {"kind": "order"}, Idempotency_Key="a")
    assert answer.status_code == 422
    assert codes(answer) == {None: "idempotency_mismatch"}
    assert Change.objects.count() == 1


def test_no_key_400(probe):
    answer = probe.post(EFFECTS, {"kind": "day"})
    assert answer.status_code == 400
    assert codes(answer) == {"Idempotency-Key": "required"}


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_that_cannot_be_one_400(probe, key):
    assert codes(probe.post(EFFECTS, {"kind": "day"}, Idempotency_Key=key)) == {"Idempotency-Key": "invalid"}


def test_what_failed_is_not_remembered(probe):
    refused = probe.post(EFFECTS, {"kind": "conflict"}, Idempotency_Key="a")
    assert refused.status_code == 409
    assert not Change.objects.exists()
    assert probe.post(EFFECTS, {"kind": "day"}, Idempotency_Key="a").status_code == 201


def test_answers_are_forgotten_after_two_days(db):
    for hours in (1, 47, 49):
        IdempotencyKey.objects.create(caller="a", key=str(hours), created_at=AT - timedelta(hours=hours))
    assert idempotency.prune(at=AT) == 1
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"1", "47"}


def race(send, *, clients=8):
    """`send` from several threads at once, each with a connection of its own; returns what they got."""
    results = []
    start = threading.Barrier(clients)

    def run():
        start.wait()
        try:
            results.append(send())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def effect():
    Change.objects.create(kind="day", object_id=1)
    return ANSWER


def send_once():
    return idempotency.once(caller="a", key="k", asked="f", at=AT, effect=effect)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_take_effect_once():
    answers = race(send_once)
    assert Change.objects.count() == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7


@pytest.mark.django_db(transaction=True)
def test_without_the_row_they_would_not(monkeypatch):
    """The negative control: looking first and writing afterwards lets several through."""
    everybody_looked = threading.Barrier(8)

    def look(*, caller, key, asked, at):
        seen = IdempotencyKey.objects.filter(caller=caller, key=key).exists()
        everybody_looked.wait()
        return None if seen else 0

    monkeypatch.setattr(idempotency, "_claim", look)
    race(send_once)
    assert Change.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_a_first_request_that_takes_too_long_409(settings, monkeypatch, other_connection):
    settings.ROOT_URLCONF, settings.ACCESS_TABLE = "tests.api.probe", "tests.api.probe.TABLE"
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 1)
    program = caller("orders")
    with other_connection() as other, other.transaction():
        other.execute(
            "INSERT INTO core_idempotencykey (caller, key, fingerprint, status, body, created_at)"
            " VALUES (%s, 'a', 'f', 0, '', now())",
            [f"key:{ApiKey.objects.get().pk}"],
        )
        answer = program.post(EFFECTS, {"kind": "day"}, Idempotency_Key="a")
    assert answer.status_code == 409
    assert codes(answer) == {None: "busy"}
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.django_db(transaction=True)
def test_the_wait_ends_with_the_transaction():
    with transaction.atomic():
        idempotency.wait_at_most(1)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
