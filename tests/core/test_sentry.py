"""Errors to Sentry: none without a DSN, and with one nothing that names a person."""

import json
import subprocess
import sys

import pytest
import sentry_sdk
from django.conf import settings
from sentry_sdk.transport import Transport

from core import sentry

SOMEBODY = "Ada Lovelace"


class Box(Transport):
    """Keeps what would be sent."""

    def __init__(self, options=None):
        super().__init__(options)
        self.sent = []

    def capture_envelope(self, envelope):
        self.sent += [item.payload.json for item in envelope.items]


@pytest.fixture
def box(monkeypatch):
    """Sentry switched on with the project's own settings, into a box."""
    kept = Box()
    start = sentry_sdk.init
    monkeypatch.setattr(sentry_sdk, "init", lambda **options: start(**options | {"transport": kept}))
    with sentry_sdk.isolation_scope():
        sentry.start(dsn="https://key@sentry.example.com/1", release="1")
        yield kept
        sentry_sdk.get_client().close()
        start()


def test_without_a_dsn_the_sdk_is_not_loaded():
    program = "import sys, core.sentry; core.sentry.start(dsn='', release='1'); sys.exit('sentry_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=settings.BASE_DIR, check=False).returncode == 0


def test_without_a_dsn_nothing_is_sent():
    sentry.start(dsn="", release="1")
    assert not sentry_sdk.get_client().is_active()
    assert sentry_sdk.capture_message("anything") is None


def fail_for(customer):
    note = f"about {customer}"
    raise ValueError(f"cannot read '{customer}' ({note})")


def test_an_error_tells_where_and_not_who(box):
    with sentry_sdk.isolation_scope() as scope:
        scope.set_user({"id": 7, "email": "ada@example.com", "username": "Ada", "ip_address": "10.1.1.1"})
        scope.set_extra("row", {"name": SOMEBODY})
        scope.add_breadcrumb(message=f"searched {SOMEBODY}")
        try:
            fail_for(SOMEBODY)
        except ValueError:
            sentry_sdk.capture_exception()
    (event,) = box.sent
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "")
    assert error["stacktrace"]["frames"][-1]["function"] == "fail_for"
    assert event["user"] == {"id": 7}
    told = json.dumps(event)
    assert "Ada" not in told
    assert "ada@" not in told
    assert event.keys() & {"extra", "breadcrumbs", "request"} == set()
    assert "10.1.1.1" not in told


def test_a_request_is_not_sent(box, rf):
    event = {
        "request": {
            "url": "https://x/customers/?q=Ada",
            "query_string": "q=Ada",
            "cookies": {"sessionid": "s"},
            "data": {"name": "Ada"},
        },
        "transaction": "desk:customer_list",
        "extra": {"q": "Ada"},
        "breadcrumbs": {"values": [{"message": "Ada"}]},
        "contexts": {"runtime": {"name": "CPython"}, "celery-job": {"kwargs": {"name": "Ada"}}},
        "logentry": {"message": "mail to ada@example.com failed", "params": ["Ada"]},
    }
    kept = sentry.before_send(event, {})
    assert "Ada" not in json.dumps(kept)
    assert "ada@" not in json.dumps(kept)
    assert kept["transaction"] == "desk:customer_list"
    assert kept["contexts"] == {"runtime": {"name": "CPython"}}


def test_what_an_error_of_the_code_says_is_sent(box):
    try:
        None.pk  # noqa: B018
    except AttributeError:
        sentry_sdk.capture_exception()
    assert box.sent[0]["exception"]["values"][0]["value"] == "'NoneType' object has no attribute 'pk'"


def test_the_negative_control_names_her(monkeypatch):
    """What Sentry would have sent with its own settings."""
    kept = Box()
    with sentry_sdk.isolation_scope():
        sentry_sdk.init(dsn="https://key@sentry.example.com/1", transport=kept, default_integrations=False)
        try:
            fail_for(SOMEBODY)
        except ValueError:
            sentry_sdk.capture_exception()
        sentry_sdk.get_client().close()
        sentry_sdk.init()
    assert SOMEBODY in json.dumps(kept.sent)
