"""For machines: alive, ready, metrics. Each part is asked for itself, and a part that hangs holds nobody up."""

import json
import threading

import psycopg
import pytest
from django.conf import settings as project

from core import health, metrics, stopping
from core.health import NotReadyError
from core.models import Job, Pulse, Role
from tests.core.test_alerts import AT, make_user


@pytest.fixture
def draining():
    stopping.begin()
    yield
    stopping.reset()


class TestLivez:
    def test_it_works_without_any_database(self, client):
        """pytest-django refuses every query of a test that asks for no database."""
        answer = client.get("/livez")
        assert (answer.status_code, answer.content) == (200, b"ok\n")

    def test_with_a_session_cookie_it_asks_none_either(self, client):
        client.cookies["sessionid"] = "somebody"
        assert client.get("/livez").status_code == 200

    def test_before_the_redirect_to_https_and_for_any_host(self, client, settings):
        settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["crm.example.com"]
        assert client.get("/livez", headers={"host": "10.0.0.7:8000"}).status_code == 200

    def test_post_is_refused(self, client):
        assert client.post("/livez").status_code == 405


@pytest.mark.django_db(transaction=True)
class TestReadyz:
    def test_it_works(self, client):
        answer = client.get("/readyz")
        body = answer.json()
        assert (answer.status_code, body["ready"]) == (200, True)
        assert body["parts"] == {"postgres": "ok", "migrations": "ok", "redis": "ok"}
        assert answer["Cache-Control"] == "no-store"

    def test_silent_workers_are_named_and_turn_nobody_away(self, client):
        assert client.get("/readyz").json()["workers"] == "not seen yet"
        Pulse.objects.create(name=Pulse.WATCH, at=AT.replace(year=2020), since=AT)
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["workers"].startswith("silent for")

    def test_redis_gone(self, client, settings):
        settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["parts"] == {"postgres": "ok", "migrations": "ok", "redis": "does not answer"}
        assert "secret" not in answer.content.decode()

    def test_postgres_gone(self, client, monkeypatch):
        def refuse():
            raise psycopg.OperationalError("connection to server at 10.0.0.5 failed: password of crm is wrong")

        monkeypatch.setitem(health.PARTS, "postgres", refuse)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]["postgres"]) == (503, "does not answer")
        assert "password" not in answer.content.decode()
        assert "workers" not in answer.json()

    def test_a_migration_is_missing(self, client, monkeypatch):
        coming = health._known() | {("core", "9999_tomorrow")}
        monkeypatch.setattr(health, "_known", lambda: coming)
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["parts"] == {"postgres": "ok", "migrations": "1 to apply: run `migrate`", "redis": "ok"}
        assert "workers" not in answer.json()

    def test_while_it_stops_it_is_not_ready(self, client, draining):
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]) == (503, {"server": "stopping"})
        assert client.get("/livez").status_code == 200


class TestParts:
    def test_one_that_hangs_is_left_behind(self):
        released = threading.Event()

        def hang():
            released.wait(60)

        try:
            found = health.parts({"stuck": hang, "fine": lambda: None})
        finally:
            released.set()
        assert found == {"stuck": "no answer within 1 s", "fine": "ok"}

    def test_when_all_of_them_hang_it_still_answers(self):
        """More calls than threads: those that get none are given up as well."""
        released = threading.Event()

        def hang():
            released.wait(60)

        hanging = {f"part {n}": hang for n in range(3)}
        try:
            for _ in range(3):
                assert set(health.parts(hanging).values()) == {"no answer within 1 s"}
        finally:
            released.set()

    def test_what_a_part_says_of_itself(self):
        def half_ready():
            raise NotReadyError("3 to apply: run `migrate`")

        assert health.parts({"migrations": half_ready}) == {"migrations": "3 to apply: run `migrate`"}


@pytest.mark.django_db
class TestMetrics:
    TOKEN = "a-long-token"

    def scrape(self, client, token=None):
        return client.get("/metrics", headers={"authorization": f"Bearer {token}"} if token else {})

    def test_it_works_with_the_token(self, client, settings):
        settings.METRICS_TOKEN = self.TOKEN
        Job.objects.create(step="one", ready_at=AT, state="dead")
        page = self.scrape(client, self.TOKEN).content.decode()
        assert 'perennial_jobs{state="dead"} 1.0' in page
        assert 'perennial_jobs{state="ready"} 0.0' in page
        assert "perennial_alerts_open 0.0" in page
        assert "perennial_oldest_waiting_job_seconds 0.0" in page
        assert "perennial_last_published_night_seconds NaN" in page
        assert "django_http_requests_before_middlewares_total" in page

    def test_for_an_admin(self, client):
        client.force_login(make_user())
        assert self.scrape(client).status_code == 200

    @pytest.mark.parametrize("role", [role for role in Role.values if role != "admin"])
    def test_other_roles_get_401(self, client, role):
        client.force_login(make_user("other@example.com", role=role))
        assert self.scrape(client).status_code == 401

    @pytest.mark.parametrize("given", [None, "wrong", "", "ü"])
    def test_nobody_else(self, client, settings, given):
        settings.METRICS_TOKEN = self.TOKEN
        assert self.scrape(client, given).status_code == 401

    def test_without_a_token_set_an_empty_one_opens_nothing(self, client):
        assert project.METRICS_TOKEN == ""
        assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 401

    def test_the_age_of_the_job_that_waits_longest(self, monkeypatch):
        Job.objects.create(step="one", ready_at=AT)
        assert 'perennial_jobs{state="ready"} 1.0' in metrics.text().decode()
        line = next(row for row in metrics.text().decode().splitlines() if row.startswith("perennial_oldest"))
        assert float(line.split()[1]) >= 0


def test_the_body_names_nothing_but_the_parts(client, monkeypatch):
    monkeypatch.setattr(health, "ready", lambda: (False, {"redis": "does not answer"}))
    assert json.loads(client.get("/readyz").content) == {"ready": False, "parts": {"redis": "does not answer"}}
