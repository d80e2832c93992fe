"""What a day leaves in the log: sign-in, search, an import with bad rows, an order by API, a crash. Nobody in it."""

import io
import json
import logging

import pytest
from django.core.management import call_command
from django.test import Client

from core import engine, logs
from core.engine import Step
from core.models import Job, Role, User
from tests.api.callers import caller
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db

PEOPLE = ("ada@", "lovelace", "+4930123", "hopper", "grace@", "juniper-and-oak", "passw0rd")
ROWS = """customer_id,date,amount,email,name
c1,2026-03-01,10.00,ada@example.com,Ada Lovelace
c2,not a day Lovelace,10.00,grace@example.com,Grace Hopper
c3,2026-03-01,ten Lovelace,grace@example.com,Grace Hopper
"""


@pytest.fixture
def log():
    """Everything that any logger says while the test runs, as production would write it, at the lowest level."""
    stream = io.StringIO()
    line = logs.config(form="json", level="DEBUG")["formatters"]["line"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(line["()"](**{name: value for name, value in line.items() if name != "()"}))
    loggers = [logging.getLogger(name) for name in ("", "django", "gunicorn.error")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel("DEBUG")
    loggers[0].addHandler(handler)
    yield lambda: [json.loads(text) for text in stream.getvalue().splitlines()]
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def quiet_database():
    """At DEBUG Django would print every statement with its values: nobody runs production so."""
    logger = logging.getLogger("django.db.backends")
    before = logger.level
    logger.setLevel("INFO")
    yield
    logger.setLevel(before)


def nobody_in(lines):
    text = json.dumps(lines).lower()
    assert not [name for name in PEOPLE if name in text]


def sign_in(client, password):
    return client.post("/accounts/login/", {"login": "ada@example.com", "password": password})


@pytest.fixture(autouse=True)
def shop(quiet_database):
    make_business()
    return User.objects.create_user("ada@example.com", "juniper-and-oak", role=Role.ADMIN, name="Ada Lovelace")


def test_signing_in(client, log, shop):
    assert sign_in(client, "passw0rd").status_code == 200
    assert sign_in(client, "juniper-and-oak").status_code == 302
    client.get("/")
    finished = [line for line in log() if line["event"] == "request_finished"]
    assert [line["request"] for line in finished] == ["POST account_login", "POST account_login", "GET desk:today"]
    assert (finished[-1]["user_id"], finished[-1]["code"]) == (shop.pk, 200)
    assert len({line["request_id"] for line in finished}) == 3
    assert all(line["duration_ms"] >= 0 for line in finished)
    nobody_in(log())


def test_searching(client, log, shop):
    make_customer(name="Ada Lovelace")
    client.force_login(shop)
    assert client.get("/customers/?q=ada@example.com").status_code == 200
    assert client.get("/search/?q=Lovelace", headers={"HX-Request": "true"}).status_code == 200
    assert client.get("/no-such-page/ada@example.com/?q=Lovelace").status_code == 404
    assert [line["request"] for line in log() if line["event"] == "request_finished"][-1] == "GET -"
    nobody_in(log())


def test_importing_bad_rows(log, tmp_path):
    file, rejects = tmp_path / "orders.csv", tmp_path / "rejects.csv"
    file.write_text(ROWS)
    call_command("import_orders", str(file), "--rejects", str(rejects), stdout=io.StringIO(), stderr=io.StringIO())
    assert "Lovelace" in rejects.read_text()
    nobody_in(log())


def test_an_order_by_api(log):
    who = {
        "source": "shop",
        "external_id": "7",
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "phone": "+4930123456",
    }
    order = {
        "customer": who,
        "placed_at": "2026-03-01T12:00:00Z",
        "lines": [{"sku": "A", "quantity": 1, "unit_price": "9"}],
    }
    program = caller("orders")
    assert program.put("/api/v1/orders/shop/o-1/", order).status_code == 201
    bad = order | {"lines": [{"sku": "A", "quantity": "Lovelace", "unit_price": "9"}]}
    assert program.put("/api/v1/orders/shop/o-2/", bad).status_code == 400
    assert len([line for line in log() if line["event"] == "request_finished"]) == 2
    nobody_in(log())


def test_a_page_that_crashes(log, shop, monkeypatch):
    def crash(*args, **kwargs):
        raise ValueError("no place for “Ada Lovelace” <ada@example.com>\nDETAIL: Key (email)=(ada@example.com)")

    monkeypatch.setattr("crm.selectors.today.data", crash, raising=False)
    monkeypatch.setattr("crm.selectors.jobs.board", crash)
    client = Client(raise_request_exception=False)
    client.force_login(shop)
    assert client.get("/jobs/?state=lovelace").status_code == 500
    (line,) = [line for line in log() if line["event"] == "request_failed"]
    assert (line["request"], line["user_id"], line["error"]["kind"]) == ("GET desk:job_list", shop.pk, "ValueError")
    assert line["error"]["at"][-1].endswith(" crash")
    nobody_in(log())


def test_a_job_that_fails(log):
    def crash(job):
        raise ValueError("cannot read 'Lovelace'")

    job = Job.objects.create(step="one", ready_at="2026-01-01T00:00Z", payload={"name": "Ada"})
    engine.work_off(steps={"one": Step("one", crash)}, seconds=5)
    (line,) = [line for line in log() if "failed" in line["event"]]
    assert (line["job_id"], line["step"], line["attempt"]) == (job.pk, "one", 1)
    assert line["error"]["kind"] == "ValueError"
    nobody_in(log())


def test_the_negative_control(client, log, shop):
    """The test would notice: a line that somebody writes without a thought, past the masks."""
    logging.getLogger("careless").warning("signed in: Ada Lovelace")
    with pytest.raises(AssertionError):
        nobody_in(log())
