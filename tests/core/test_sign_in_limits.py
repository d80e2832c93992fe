"""Limits on guessing: counted by address and by caller, believed from our own proxies only, and open without Redis."""

import logging

import pytest
from django.test import Client

from core.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
FOR_ONE_ADDRESS, FOR_ONE_CALLER = 5, 10


@pytest.fixture
def user():
    return User.objects.create_user("ada@example.com", PASSWORD)


def guess(email="ada@example.com", password="wrong", **headers):
    return Client(headers=headers).post("/accounts/login/", {"login": email, "password": password})


def is_limited(answer):
    return "Too many failed" in answer.content.decode()


def test_one_address_is_guessed_five_times(user):
    assert not any(is_limited(guess()) for _ in range(FOR_ONE_ADDRESS))
    assert is_limited(guess())
    assert is_limited(guess(password=PASSWORD)), "the right one tells a guesser nothing"


def test_another_address_is_not_locked_out_by_it(user):
    for _ in range(FOR_ONE_ADDRESS + 1):
        guess("eve@example.com")
    assert guess(password=PASSWORD).status_code == 302


def test_a_forged_header_does_not_make_another_caller():
    answers = [guess(f"p{n}@example.com", **{"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(FOR_ONE_CALLER + 1)]
    assert [is_limited(answer) for answer in answers] == [False] * FOR_ONE_CALLER + [True]


def test_behind_a_proxy_only_what_it_wrote_counts(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    forged = [
        guess(f"p{n}@example.com", **{"X-Forwarded-For": f"10.0.0.{n}, 192.0.2.7"}) for n in range(FOR_ONE_CALLER + 1)
    ]
    assert [is_limited(answer) for answer in forged] == [False] * FOR_ONE_CALLER + [True]
    assert not is_limited(guess("q@example.com", **{"X-Forwarded-For": "192.0.2.8"})), "another caller goes on"


class TestWithoutRedis:
    @pytest.fixture(autouse=True)
    def gone(self, settings):
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1"}}

    def test_people_sign_in_and_the_log_says_what_is_off(self, user, caplog):
        with caplog.at_level(logging.WARNING, logger="core.cache"):
            assert guess(password=PASSWORD).status_code == 302
        assert "Redis does not answer" in caplog.text

    def test_a_wrong_password_stays_wrong(self, user):
        assert guess().status_code == 200
        assert not is_limited(guess())


def test_known_and_unknown_addresses_get_the_same_page(user):
    known, unknown = guess(), guess("eve@example.com")
    assert known.status_code == unknown.status_code == 200
    errors = [answer.context["form"].errors.as_text() for answer in (known, unknown)]
    assert errors[0] == errors[1]


def test_who_is_limited_gets_a_page_in_our_look(client):
    answers = [client.post("/accounts/password/reset/key/1-wrong/") for _ in range(21)]
    assert [answer.status_code for answer in answers[:20]] == [200] * 20
    assert answers[20].status_code == 429
    assert "Too many attempts" in answers[20].content.decode()
