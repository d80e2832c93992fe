"""The bell and the page behind it: who sees what, and what the buttons do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core import alert_texts, alerts
from core.models import Alert, AlertMailOff, Pulse, Role
from tests.core.test_alerts import cause, make_user
from tests.factories import make_business

pytestmark = pytest.mark.django_db

EVERY_KIND = [
    cause(why="disk-full", job=81),
    cause("night-late:2026-11-20", as_of="2026-11-20", shown="2026-11-19", behind=2),
    cause("import-stale:2026-11-01", last_on="2026-11-01", age_days=21, usual_days=1),
    cause("dead-job:8", job=8, name="Import a file", why="file-missing"),
]


@pytest.fixture
def desk(client):
    make_business()
    client.force_login(make_user())
    return client


def open_all():
    alerts.reconcile(causes=EVERY_KIND, at=timezone.now())


def page_of(client, path="/alerts/"):
    return client.get(path).content.decode()


class TestList:
    def test_it_works(self, desk):
        open_all()
        page = page_of(desk)
        assert "The night of 21 November 2026 failed" in page
        assert "The disk is full. Pages still show the figures" in page
        assert 'action="/jobs/81/retry/"' in page
        assert "they are 2 days behind" in page
        assert 'action="/jobs/nights/start/"' in page
        assert "The last ones came 21 days ago; usually some come every day." in page
        assert "The job “Import a file” failed" in page

    def test_nothing_open(self, desk):
        assert "Nothing needs you" in page_of(desk)

    def test_what_is_gone_is_listed_below(self, desk):
        open_all()
        alerts.reconcile(causes=EVERY_KIND[1:], at=timezone.now())
        page = page_of(desk)
        assert page.index("Closed in the last 30 days") < page.index("The night of 21 November 2026 failed")

    def test_a_silent_worker_is_named(self, desk):
        now = timezone.now()
        Pulse.objects.create(name=Pulse.WATCH, at=now - timedelta(hours=1), since=now)
        assert "No worker has answered for 60 minutes" in page_of(desk)

    @pytest.mark.parametrize("role", [Role.MARKETER, Role.AGENT, Role.VIEWER])
    def test_others_get_403(self, client, role):
        make_business()
        client.force_login(make_user("other@example.com", role=role))
        assert client.get("/alerts/").status_code == 403

    def test_queries_do_not_grow(self, desk, django_assert_num_queries):
        open_all()
        alerts.reconcile(
            causes=[*EVERY_KIND, *(cause(f"dead-job:{n}", job=n, name="x", why="data") for n in range(20, 40))],
            at=timezone.now(),
        )
        with django_assert_num_queries(8):
            desk.get("/alerts/")


class TestBell:
    def test_it_counts_what_is_unread(self, desk):
        assert 'aria-label="Alerts"' in page_of(desk, "/jobs/")
        open_all()
        assert "4 unread alerts" in page_of(desk, "/jobs/")

    def test_a_viewer_has_none(self, client):
        make_business()
        client.force_login(make_user("viewer@example.com", role=Role.VIEWER))
        assert "/alerts/" not in page_of(client, "/jobs/")


class TestRead:
    def test_one(self, desk):
        open_all()
        number = Alert.objects.get(kind="dead-job").pk
        answer = desk.post("/alerts/read/", {"alert": number})
        assert answer.url == "/alerts/"
        assert "3 unread alerts" in page_of(desk)

    def test_all(self, desk):
        open_all()
        desk.post("/alerts/read/")
        assert 'aria-label="Alerts"' in page_of(desk)

    @pytest.mark.parametrize("given", ["999999", "12345678901234567890", "-1", "x"])
    def test_what_is_not_there_does_no_harm(self, desk, given):
        assert desk.post("/alerts/read/", {"alert": given}).status_code == 302

    def test_looking_alone_changes_nothing(self, desk):
        open_all()
        page_of(desk)
        assert "4 unread alerts" in page_of(desk)
        assert desk.get("/alerts/read/").status_code == 405


class TestMails:
    def test_off_and_on(self, desk):
        desk.post("/alerts/mail/", {"wanted": "0"})
        assert AlertMailOff.objects.count() == 1
        assert "You get no mails about alerts" in page_of(desk)
        desk.post("/alerts/mail/", {"wanted": "1"})
        assert AlertMailOff.objects.count() == 0
        assert "mailed once to admin@example.com" in page_of(desk)

    def test_a_manager_has_no_such_switch(self, client):
        make_business()
        client.force_login(make_user("manager@example.com", role=Role.MANAGER))
        assert "/alerts/mail/" not in page_of(client)
        assert client.post("/alerts/mail/", {"wanted": "0"}).status_code == 403


@pytest.mark.parametrize("given", EVERY_KIND, ids=lambda given: given.kind)
def test_each_kind_has_words_and_a_button(given):
    text = alert_texts.text(Alert(key=given.key, kind=given.kind, facts=given.facts))
    assert all([text.title, text.said, text.advice, text.button, text.see, text.address])
    assert {Alert.Kind(kind) for kind in Alert.Kind} == set(alert_texts.WRITERS)


def test_a_failed_night_without_a_failed_job_is_opened():
    text = alert_texts.text(
        Alert(kind="night-failed", facts={"as_of": "2026-11-21", "run": 5, "why": "refused", "job": None})
    )
    assert (text.address, text.posts) == ("/jobs/nights/5/", False)
