"""Attacks on the customers' sign-in, each beside a control that shows that it would work without the protection.

The long form (SOAK=1) makes ten thousand guesses.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.core.internal import ratelimit
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.portal import addresses, codes
from customers.services import portal
from tests.crm.test_portal_sign_in import ADDRESS, ask, confirm, is_in, make_known
from tests.factories import make_business

AT_ONCE = 64
GUESSES = 10_000 if os.environ.get("SOAK") else 90
IN_TEN_MINUTES = 3 * 3  # codes of an address, guesses at each


@pytest.fixture(autouse=True)
def shop(db):
    return make_business(name="Juniper & Oak")


class TestOneCodeSixtyFourTimesAtOnce:
    @pytest.fixture
    def signed_in(self, transactional_db):
        """How many of 64 requests with the same cookie and the right code got a session."""

        def run():
            make_known(ADDRESS)
            asking = Client()
            code = ask(asking)
            cookie = asking.cookies["sessionid"].value
            gate = Barrier(AT_ONCE)

            def press(_number):
                client = Client(raise_request_exception=False)
                client.cookies["sessionid"] = cookie
                gate.wait()
                try:
                    answer = confirm(client, code)
                    return answer.status_code == 302 and answer.url == "/me/" and is_in(client)
                finally:
                    connection.close()

            with ThreadPoolExecutor(AT_ONCE) as pool:
                return sum(pool.map(press, range(AT_ONCE)))

        return run

    @pytest.fixture(autouse=True)
    def no_limit_per_caller(self, settings):
        settings.ACCOUNT_RATE_LIMITS = {}

    def test_one_signs_in(self, signed_in):
        assert signed_in() == 1

    def test_without_the_lock_several_would(self, signed_in, monkeypatch):
        monkeypatch.setattr(codes, "hold", lambda request: True)
        assert signed_in() > 1


class TestManyWrongGuessesAtOnce:
    """Sixteen requests of one session, all of them wrong: three are compared with the code."""

    @pytest.fixture
    def compared(self, transactional_db, monkeypatch, settings):
        settings.ACCOUNT_RATE_LIMITS = {}
        looked_at = []

        def compare(**texts):
            looked_at.append(texts)
            return False

        for module in (codes, addresses):
            monkeypatch.setattr(module, "compare_user_code", compare)

        def run(asking, page):
            gate = Barrier(16)

            def press(_number):
                client = Client(raise_request_exception=False)
                client.cookies["sessionid"] = asking.cookies["sessionid"].value
                gate.wait()
                try:
                    client.post(page, {"code": "BBBB-BBBB"})
                finally:
                    connection.close()

            with ThreadPoolExecutor(16) as pool:
                list(pool.map(press, range(16)))
            return len(looked_at)

        return run

    @pytest.fixture
    def asking(self, transactional_db):
        make_known(ADDRESS)
        client = Client()
        client.post("/me/sign-in/", {"email": ADDRESS})
        return client

    def test_at_the_code_to_sign_in(self, compared, asking):
        assert compared(asking, "/me/code/") == 3

    def test_at_the_code_of_a_new_address(self, compared, asking):
        asking.force_login(portal.enter(address=ADDRESS, at=timezone.now()))
        asking.post("/me/profile/address/", {"email": "ada@king.test"})
        assert compared(asking, "/me/profile/address/code/") == 3

    def test_without_the_lock_more_would_be(self, compared, asking, monkeypatch):
        monkeypatch.setattr(codes, "hold", lambda request: True)
        assert compared(asking, "/me/code/") > 3


class TestKnownAndUnknownAddresses:
    def statements(self, address):
        client = Client()
        client.get("/me/sign-in/")
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.post("/me/sign-in/", {"email": address})
            confirm(client, "BBBB-BBBB")
        return [re.sub(r"'[^']*'|\b\d+\b|_x\d+", "?", query["sql"]) for query in caught]

    def test_the_database_is_asked_the_same(self):
        make_known(ADDRESS)
        known, unknown = self.statements(ADDRESS), self.statements("eve@example.com")
        assert known == unknown
        assert known, "nothing was compared"


class TestManyGuesses:
    """Guesses from as many callers as there are guesses, each with a new code if it can have one."""

    @pytest.fixture
    def compared(self, monkeypatch, settings):
        """Guess at somebody's code; returns how many guesses were compared with one at all."""
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        looked_at = []
        real = codes.compare_user_code

        def counting(**texts):
            looked_at.append(texts)
            return real(**texts)

        monkeypatch.setattr(codes, "compare_user_code", counting)

        def run(guesses):
            client = Client()
            for number in range(guesses):
                caller = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
                if number % 3 == 0:
                    client = Client(headers={"X-Forwarded-For": caller})
                    client.post("/me/sign-in/", {"email": ADDRESS})
                client.post("/me/code/", {"code": "BBBB-BBBB"}, headers={"X-Forwarded-For": caller})
            return len(looked_at)

        return run

    def test_nine_are_looked_at_and_the_person_still_gets_in(self, compared, monkeypatch):
        client, elsewhere = (Client(headers={"X-Forwarded-For": caller}) for caller in ("192.0.2.1", "192.0.2.2"))
        make_known(ADDRESS)
        confirm(client, ask(client))
        client.post("/me/sign-out/")
        before = compared(0)
        assert compared(GUESSES) - before <= IN_TEN_MINUTES
        confirm(client, ask(client))
        assert is_in(client), "in the browser where they have been before, at once"
        assert ask(elsewhere) == ""
        later = ratelimit.time.time() + 601
        monkeypatch.setattr(ratelimit.time, "time", lambda: later)
        confirm(elsewhere, ask(elsewhere))
        assert is_in(elsewhere), "in another one ten minutes after the guesser stopped"

    def test_without_the_limit_all_would_be(self, compared, settings):
        settings.ACCOUNT_RATE_LIMITS = {"request_login_code": None, "confirm_login_code": None}
        make_known(ADDRESS)
        assert compared(60) == 60

    def test_one_caller_is_told_to_wait(self, client):
        make_known(ADDRESS)
        ask(client)
        answers = [confirm(client, "BBBB-BBBB").status_code for _ in range(31)]
        assert answers[:3] == [200, 200, 302]
        assert answers[30] == 429
