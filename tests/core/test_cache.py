"""Sign-in and the API while Redis does not answer: it refuses connections, or takes them and says nothing."""

import socket
import threading

import pytest
from django.core.cache import cache
from django.test import Client

from core.models import User
from tests.api.callers import Caller, caller
from tests.factories import make_business

PASSWORD = "a long password"
SHORT = 0.05  # seconds; the real ones are looked at below


class Silent:
    """A server that takes connections and never says a word."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            try:
                self.taken.append(self.listener.accept()[0])
            except OSError:
                return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        for one in (self.listener, *self.taken):
            one.close()


@pytest.fixture
def silent():
    server = Silent()
    yield server
    server.close()


def point_at(settings, port):
    own = settings.CACHES["default"]
    options = own["OPTIONS"] | {"socket_timeout": SHORT, "socket_connect_timeout": SHORT}
    settings.CACHES = {"default": own | {"LOCATION": f"redis://127.0.0.1:{port}", "OPTIONS": options}}


@pytest.fixture(params=["refuses", "hangs"])
def no_redis(request, settings, silent):
    if request.param == "hangs":
        point_at(settings, silent.port)
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    point_at(settings, port)


def test_nobody_waits_long_for_it(settings):
    options = settings.CACHES["default"]["OPTIONS"]
    assert 0 < options["socket_timeout"] <= 1
    assert 0 < options["socket_connect_timeout"] <= 1


def test_a_question_without_an_answer_is_asked_once(settings, silent):
    """The client's own repetitions would multiply the wait."""
    point_at(settings, silent.port)
    assert cache.get("anything", "nothing") == "nothing"
    assert len(silent.taken) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("no_redis")
class TestWithout:
    def test_people_sign_in(self, caplog):
        make_business()
        User.objects.create_user("ada@example.com", PASSWORD, role="agent")
        client = Client()
        answer = client.post("/accounts/login/", {"login": "ada@example.com", "password": PASSWORD})
        assert (answer.status_code, answer.url) == (302, "/")
        assert client.get("/").status_code == 200
        assert "Redis does not answer" in caplog.text

    def test_a_wrong_password_is_still_wrong(self):
        make_business()
        User.objects.create_user("ada@example.com", PASSWORD, role="agent")
        client = Client()
        assert client.post("/accounts/login/", {"login": "ada@example.com", "password": "wrong"}).status_code == 200
        assert client.get("/").status_code == 302

    def test_programs_are_answered(self, caplog):
        answer = caller("customers").put("/api/v1/customers/shop/1/", {"name": "Ada"})
        assert (answer.status_code, answer.json()["name"]) == (201, "Ada")
        assert "RateLimit-Limit" not in answer.headers
        assert caller("customers").get("/api/v1/customers/").status_code == 200
        assert "calls are not counted" in caplog.text

    def test_a_key_that_is_not_valid_is_refused(self):
        assert Caller("nothing").get("/api/v1/customers/").status_code == 401
