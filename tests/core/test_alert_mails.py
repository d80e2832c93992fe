"""Mails about alerts: each once, whatever the mail server does and wherever the sender dies."""

import smtplib
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from core import alert_mails, alerts
from core.models import Alert, AlertMail
from tests.core.test_alerts import cause, make_user
from tests.factories import make_business

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
LATER = AT + alert_mails.LEASE + timedelta(seconds=1)


class Server(EmailBackend):
    """A mail server that does what the test tells it; `log` says in which order the rows and the mails went."""

    answer: Exception | None = None
    refuses_to_open: Exception | None = None
    states: list[list[str]] = []

    def open(self):
        if self.refuses_to_open:
            raise self.refuses_to_open
        return True

    def send_messages(self, messages):
        self.states.append(list(AlertMail.objects.order_by("pk").values_list("state", flat=True)))
        if self.answer:
            raise self.answer
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def server(settings, monkeypatch):
    settings.EMAIL_BACKEND = "tests.core.test_alert_mails.Server"
    settings.PUBLIC_URL = "https://crm.example.com/"
    make_business(name="Juniper & Oak")
    monkeypatch.setattr(Server, "states", [])
    return Server


@pytest.fixture
def admin():
    return make_user()


def open_alerts(count):
    alerts.reconcile(
        causes=[cause(f"dead-job:{n}", job=n, name=f"Job {n}", why="disk-full") for n in range(1, count + 1)], at=AT
    )


def states():
    return list(AlertMail.objects.order_by("pk").values_list("state", flat=True))


def test_it_works(admin, server):
    alerts.reconcile(causes=[cause(why="database-gone", job=81)], at=AT)
    assert alert_mails.send_waiting(at=AT) == 1
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([admin.email], "Juniper & Oak: The night of 21 November 2026 failed")
    assert "The database went away" in sent.body
    assert "https://crm.example.com/jobs/nights/1/" in sent.body
    (html, kind), = sent.alternatives  # fmt: skip
    assert kind == "text/html"
    assert 'href="https://crm.example.com/jobs/nights/1/"' in html
    assert sent.extra_headers["Message-ID"].startswith("<alert-")
    assert states() == ["sent"]


def test_the_row_says_sending_before_the_server_is_called(admin, server):
    open_alerts(1)
    alert_mails.send_waiting(at=AT)
    assert server.states == [["sending"]]


def test_again_sends_nothing(admin):
    open_alerts(1)
    assert [alert_mails.send_waiting(at=AT), alert_mails.send_waiting(at=LATER)] == [1, 0]
    assert len(mail.outbox) == 1


def test_up_to_five_come_alone_and_more_come_together(admin):
    open_alerts(5)
    assert alert_mails.send_waiting(at=AT) == 5
    Alert.objects.all().delete()
    mail.outbox.clear()
    open_alerts(6)
    assert alert_mails.send_waiting(at=AT) == 1
    (digest,) = mail.outbox
    assert digest.subject == "Juniper & Oak: 6 things need attention"
    assert all(f"Job {n}" in digest.body for n in range(1, 7))
    assert states() == ["sent"] * 6


def test_in_the_reader_s_language(admin):
    admin.language = "de"
    admin.save(update_fields=["language"])
    alerts.reconcile(causes=[cause(why="database-gone", job=81)], at=AT)
    alert_mails.send_waiting(at=AT)
    assert "21. November 2026" in mail.outbox[0].subject


def test_somebody_who_switched_them_off_gets_none(admin):
    open_alerts(1)
    alerts.set_mail(user=admin, wanted=False)
    assert alert_mails.send_waiting(at=AT) == 0
    assert states() == ["dropped"]


class TestWhenTheServer:
    def test_is_away_it_is_tried_again_later(self, admin, server, monkeypatch):
        open_alerts(1)
        monkeypatch.setattr(server, "refuses_to_open", ConnectionRefusedError())
        assert alert_mails.send_waiting(at=AT) == 0
        row = AlertMail.objects.get()
        assert (row.state, row.attempts, row.error) == ("pending", 1, "ConnectionRefusedError")
        monkeypatch.setattr(server, "refuses_to_open", None)
        assert alert_mails.send_waiting(at=row.ready_at - timedelta(seconds=1)) == 0
        assert alert_mails.send_waiting(at=row.ready_at) == 1

    def test_is_away_for_long_it_is_given_up(self, admin, server, monkeypatch):
        open_alerts(1)
        monkeypatch.setattr(server, "refuses_to_open", ConnectionRefusedError())
        for _ in range(alert_mails.MOST_ATTEMPTS + 1):
            AlertMail.objects.filter(state="pending").update(ready_at=AT)
            alert_mails.send_waiting(at=AT)
        assert states() == ["failed"]

    @pytest.mark.parametrize(
        ("answer", "state"),
        [
            (smtplib.SMTPDataError(451, b"later"), "pending"),
            (smtplib.SMTPDataError(554, b"no"), "failed"),
            (smtplib.SMTPRecipientsRefused({"admin@example.com": (421, b"busy")}), "pending"),
            (smtplib.SMTPRecipientsRefused({"admin@example.com": (550, b"unknown")}), "failed"),
            (smtplib.SMTPServerDisconnected("after the dot"), "uncertain"),
            (TimeoutError(), "uncertain"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
    )
    def test_answers(self, admin, server, monkeypatch, answer, state):
        open_alerts(1)
        monkeypatch.setattr(server, "answer", answer)
        assert alert_mails.send_waiting(at=AT) == 0
        assert states() == [state]

    def test_one_person_s_refusal_is_not_another_s(self, admin, server):
        make_user("other@example.com")
        open_alerts(2)
        assert alert_mails.send_waiting(at=AT) == 4
        assert sorted(sent.to[0] for sent in mail.outbox) == ["admin@example.com"] * 2 + ["other@example.com"] * 2


class TestASenderThatDied:
    class Died(BaseException):
        """As good as kill -9: nothing of ours runs after it."""

    def die(self, server, monkeypatch):
        monkeypatch.setattr(server, "answer", self.Died())
        with pytest.raises(self.Died):
            alert_mails.send_waiting(at=AT)
        monkeypatch.setattr(server, "answer", None)

    def test_leaves_a_row_that_nobody_sends_again(self, admin, server, monkeypatch):
        open_alerts(1)
        self.die(server, monkeypatch)
        assert alert_mails.send_waiting(at=AT + timedelta(minutes=1)) == 0
        assert states() == ["sending"]
        assert alert_mails.send_waiting(at=LATER) == 0
        assert states() == ["uncertain"]

    def test_and_the_others_go_out(self, admin, server, monkeypatch):
        open_alerts(3)
        self.die(server, monkeypatch)
        assert alert_mails.send_waiting(at=LATER) == 2
        assert states() == ["uncertain", "sent", "sent"]

    def test_without_the_row_of_before_it_would_be_sent_twice(self, admin, server, monkeypatch):
        """The negative control: a sender that only notes `sent` afterwards sends again what had gone out."""
        open_alerts(1)
        row = AlertMail.objects.select_related("alert", "user").get()
        for _ in range(2):  # it sends, dies before its note, and starts again
            if AlertMail.objects.get().state == "pending":
                alert_mails.deliver(alert_mails.message(user=row.user, mails=[row]))
        assert len(mail.outbox) == 2
        assert len({sent.extra_headers["Message-ID"] for sent in mail.outbox}) == 1
