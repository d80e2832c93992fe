"""The mails of a try-out: taken by a server of ours, kept in bounds, and shown to its admin alone."""

import os
import smtplib
import socket
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from core import outbox
from core.models import Role, User
from crm.management.commands import up
from tests.factories import make_business

BASE_DIR = Path(__file__).parents[2]


def make_mail(subject="Your code", text="ABCD-EFGH <b>", html="<p>ABCD-EFGH</p><script>alert(1)</script>"):
    made = EmailMultiAlternatives(subject=subject, body=text, from_email="shop@example.com", to=["ada@example.com"])
    made.attach_alternative(html, "text/html")
    return made.message().as_bytes()


@pytest.fixture
def kept(settings, tmp_path):
    settings.OUTBOX = tmp_path / "outbox"
    return settings.OUTBOX


@pytest.fixture
def admin(client, db):
    make_business()
    client.force_login(User.objects.create_user("admin@example.com", role=Role.ADMIN))
    return client


class TestSink:
    @pytest.fixture
    def port(self, tmp_path):
        port = up.free_port()
        command = [sys.executable, "-m", "core.mail_sink", str(port), str(tmp_path)]
        with subprocess.Popen(command, cwd=BASE_DIR) as process:
            wait_for(port)
            yield port
            process.terminate()
            assert process.wait(timeout=20) == 0, "it ends when it is told to"

    def test_it_keeps_what_it_is_sent(self, port, tmp_path, settings):
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = "Größe 42", "a@example.com", "ö@example.com"
        message.set_content("Grüße")
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.send_message(message)
        settings.OUTBOX = tmp_path
        (one,) = outbox.newest(5)
        assert (one.subject, one.text.strip()) == ("Größe 42", "Grüße")

    def test_it_takes_no_more_than_two_megabytes(self, port, tmp_path):
        with smtplib.SMTP("127.0.0.1", port) as server, pytest.raises(smtplib.SMTPException):
            server.sendmail("a@example.com", "b@example.com", b"x" * (3 << 20))
        assert not list(tmp_path.iterdir())

    def test_it_listens_on_the_loopback_only(self, port):
        address = socket.gethostbyname(socket.gethostname())
        if address.startswith("127."):
            pytest.skip("this machine has no other address")
        with socket.socket() as probe:
            assert probe.connect_ex((address, port)) != 0


def wait_for(port):
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the mail server did not answer")


class TestUp:
    def test_without_a_mail_server_it_starts_one_and_tells_the_others(self):
        env = {}
        (command,) = up.mail_sink(env).values()
        assert "core.mail_sink $MAIL_SINK_PORT" in command
        assert 1024 < int(env["MAIL_SINK_PORT"]) < 65536

    def test_with_one_it_does_not(self):
        assert up.mail_sink({"EMAIL_URL": "smtp://mail.example.com"}) == {}

    def test_two_homes_get_two_ports(self):
        first = {}
        up.mail_sink(first)
        with socket.create_server(("127.0.0.1", int(first["MAIL_SINK_PORT"]))):
            second = {}
            up.mail_sink(second)
        assert first != second

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ({"MAIL_SINK_PORT": "2525"}, "smtp 2525 True"),
            ({"MAIL_SINK_PORT": "2525", "EMAIL_URL": "smtp://mail.example.com:25"}, "smtp 25 False"),
            ({}, "console None False"),
        ],
    )
    def test_settings_follow(self, given, shown, tmp_path):
        code = (
            "from django.conf import settings as s;"
            "print(s.EMAIL_BACKEND.split('.')[-2], s.EMAIL_CONFIG.get('EMAIL_PORT'), bool(s.OUTBOX))"
        )
        env = {name: value for name, value in os.environ.items() if name not in ("EMAIL_URL", "MAIL_SINK_PORT")}
        env |= {"DJANGO_SETTINGS_MODULE": "crm.settings", "PERENNIAL_HOME": str(tmp_path), **given}
        told = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, env=env, capture_output=True, check=True)
        assert told.stdout.decode().strip() == shown


class TestFiles:
    def test_the_newest_are_kept_and_come_first(self, kept, monkeypatch):
        monkeypatch.setattr(outbox, "MOST_MAILS", 3)
        for number in range(5):
            outbox.keep(kept, make_mail(subject=f"Mail {number}"))
        assert [one.subject for one in outbox.newest(10)] == ["Mail 4", "Mail 3", "Mail 2"]
        assert len(list(kept.iterdir())) == 3

    @pytest.mark.parametrize("name", ["../secret_key", "x", "", "0" * 20 + "-0123456g"])
    def test_a_name_that_is_none_opens_nothing(self, kept, name):
        kept.mkdir()
        (kept.parent / "secret_key.eml").write_text("secret")
        with pytest.raises(outbox.NoSuchMail):
            outbox.read(name)


class TestPages:
    def test_the_admin_reads_list_text_and_html(self, admin, kept):
        name = outbox.keep(kept, make_mail()).stem
        assert "Your code" in admin.get("/outbox/").content.decode()
        page = admin.get(f"/outbox/{name}/")
        assert "ABCD-EFGH &lt;b&gt;" in page.content.decode()
        assert 'sandbox="allow-popups' in page.content.decode()

    def test_the_html_of_a_mail_runs_nothing_and_fetches_nothing(self, admin, kept):
        name = outbox.keep(kept, make_mail()).stem
        answer = admin.get(f"/outbox/{name}/html/")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "sandbox allow-popups" in policy
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"

    def test_with_a_mail_server_there_is_no_outbox(self, admin, settings):
        settings.OUTBOX = None
        for path in ("/outbox/", f"/outbox/{'0' * 20}-01234567/", f"/outbox/{'0' * 20}-01234567/html/"):
            assert admin.get(path).status_code == 404
        assert "/outbox/" not in admin.get("/settings/").content.decode()

    def test_it_is_in_the_settings_of_a_try_out(self, admin, kept):
        assert 'href="/outbox/"' in admin.get("/settings/").content.decode()

    @pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMIN])
    def test_others_get_403(self, client, db, kept, role):
        make_business()
        client.force_login(User.objects.create_user("x@example.com", role=role))
        assert client.get("/outbox/").status_code == 403

    def test_an_empty_one_says_what_comes(self, admin, kept):
        assert "No mail yet" in admin.get("/outbox/").content.decode()
        assert not mail.outbox
