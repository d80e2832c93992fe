"""How often a key may call, and what it is told about it."""

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisConnectionError

from core import keys
from core.api import throttles
from tests.api.callers import Caller, caller, codes

ECHO = "/api/v1/echo/"


@pytest.fixture(autouse=True)
def counters(redis_client, monkeypatch):
    """Counters at zero, and a clock that stands 50 s into a minute."""
    monkeypatch.setattr(throttles.time, "time", lambda: 60 * 1000 + 50.0)
    return redis_client


def test_it_works(probe, settings):
    settings.API_CALLS_PER_MINUTE = 2
    first, second = probe.get(ECHO), probe.get(ECHO)
    assert [answer.headers["RateLimit-Remaining"] for answer in (first, second)] == ["1", "0"]
    assert first.headers["RateLimit-Limit"] == "2"
    assert first.headers["RateLimit-Reset"] == "11"


def test_one_call_too_many_429(probe, settings):
    settings.API_CALLS_PER_MINUTE = 1
    probe.get(ECHO)
    answer = probe.get(ECHO)
    assert answer.status_code == 429
    assert codes(answer) == {None: "throttled"}
    assert answer.headers["Retry-After"] == "11"
    assert answer.headers["RateLimit-Remaining"] == "0"


def test_keys_are_counted_apart(probe, settings):
    settings.API_CALLS_PER_MINUTE = 1
    probe.get(ECHO)
    assert caller("orders").get(ECHO).status_code == 200


def test_the_next_minute_starts_again(probe, settings, monkeypatch):
    settings.API_CALLS_PER_MINUTE = 1
    probe.get(ECHO)
    monkeypatch.setattr(throttles.time, "time", lambda: 60 * 1001 + 1.0)
    assert probe.get(ECHO).status_code == 200


def test_keys_that_are_not_valid_are_counted_by_address_429(probe, settings):
    settings.API_FAILURES_PER_MINUTE = 1
    wrong = Caller("per_" + "0" * 12 + "_" + "0" * 48)
    assert [wrong.get(ECHO).status_code for _ in range(2)] == [401, 429]
    assert probe.get(ECHO).status_code == 200
    other = Caller(wrong.headers["Authorization"].removeprefix("Bearer "), REMOTE_ADDR="192.0.2.1")
    assert other.get(ECHO).status_code == 401


def test_a_forged_address_does_not_help(probe, settings):
    settings.API_FAILURES_PER_MINUTE = 1
    wrong = Caller("x")
    assert [wrong.get(ECHO, X_Forwarded_For=f"192.0.2.{n}").status_code for n in range(2)] == [401, 429]


def test_without_redis_the_api_answers(probe, settings, monkeypatch, caplog):
    settings.API_CALLS_PER_MINUTE = 0

    def down(*args, **options):
        raise RedisConnectionError("gone")

    monkeypatch.setattr(type(cache._connections["default"]), "incr", down)
    answer = probe.get(ECHO)
    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer.headers
    assert "calls are not counted" in caplog.text


def test_two_queries_a_call(probe, django_assert_num_queries):
    probe.get(ECHO)  # writes down the use
    with django_assert_num_queries(2):  # the key, and the business
        probe.get(ECHO)


def test_use_is_written_once_a_minute(probe, monkeypatch):
    key = keys.ApiKey.objects.get()
    written = []
    monkeypatch.setattr(keys, "note_use", lambda *, key, at: written.append(key.last_used_at))
    probe.get(ECHO)
    keys.ApiKey.objects.filter(pk=key.pk).update(last_used_at="2026-01-01T00:00:00Z")
    probe.get(ECHO)
    assert written[0] is None
    assert written[1] is not None
