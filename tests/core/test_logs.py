"""Lines of the log: JSON, one an event, and nobody's name in them."""

import io
import json
import logging
import logging.config

import pytest
import structlog

from core import logs


@pytest.fixture
def written():
    """The handlers of production on a stream of the test's own; `lines` reads what was written as JSON."""
    stream = io.StringIO()
    config = logs.config(form="json", level="DEBUG")
    formatter = config["formatters"]["line"]
    handler = logging.StreamHandler(stream)
    kind = formatter.pop("()")
    handler.setFormatter(kind(**formatter))
    logger = logging.getLogger("tests.log")
    logger.handlers, logger.propagate, before = [handler], False, logger.level
    logger.setLevel("DEBUG")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.handlers, logger.propagate = [], True
    logger.setLevel(before)


def plain():
    return logging.getLogger("tests.log")


def test_it_works(written):
    with structlog.contextvars.bound_contextvars(job_id=81, step="score"):
        structlog.get_logger("tests.log").info("job_begun", rows=10)
        plain().warning("the queue is %s", "long")
    first, second = written()
    assert (first["event"], first["rows"], first["job_id"], first["level"]) == ("job_begun", 10, 81, "info")
    assert (second["event"], second["job_id"], second["step"]) == ("the queue is long", 81, "score")
    assert second["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("mail to ada.lovelace+shop@example.co.uk failed", "mail to … failed"),
        ("call +49 (0)30 123 456-78 back", "call … back"),
        ("GET /customers/?q=Lovelace&page=2 took long", "GET /customers/?… took long"),
        ("4,210 rows from 2026-11-22T02:00:00 in 12.5 s", "4,210 rows from 2026-11-22T02:00:00 in 12.5 s"),
    ],
)
def test_addresses_numbers_and_queries_are_masked(text, rest, written):
    plain().info(text)
    assert written()[0]["event"] == rest


def test_personal_keys_are_dropped_however_deep(written):
    facts = {"email": "a@example.com", "order": {"name": "Ada", "lines": [{"phone": "1", "sku": "S1"}]}}
    structlog.get_logger("tests.log").info("seen", Name="Ada", facts=facts, search="lovelace", who=("Ada@example.com",))
    (line,) = written()
    assert line["facts"] == {"order": {"lines": [{"sku": "S1"}]}}
    assert line["who"] == ["…"]
    assert "Name" not in line
    assert "search" not in line


class TestExceptions:
    def log(self, error):
        def work(customer):
            secret = f"{customer} and more"
            raise error from KeyError(secret)

        try:
            work("Ada Lovelace")
        except Exception:
            plain().exception("the work failed")

    def test_kind_place_and_cause_without_local_variables(self, written):
        self.log(ValueError("could not read 'Ada Lovelace'\nDETAIL: Key (email)=(ada@example.com)"))
        (line,) = written()
        assert (line["error"]["kind"], line["error"]["said"]) == ("ValueError", "could not read …")
        assert line["error"]["at"][-1].endswith(" work")
        assert line["error"]["because"] == "KeyError: …"
        assert "Ada" not in json.dumps(line)

    def test_the_names_of_constraints_stay(self, written):
        self.log(ValueError('violates constraint "one_order_per_source_and_id" at "Ada Lovelace"'))
        assert written()[0]["error"]["said"] == 'violates constraint "one_order_per_source_and_id" at …'

    def test_names_in_the_code_stay(self, written):
        self.log(AttributeError("'NoneType' object has no attribute 'pk'"))
        assert written()[0]["error"]["said"] == "'NoneType' object has no attribute 'pk'"

    def test_the_negative_control_names_her(self):
        """What Python itself would have written."""
        stream = io.StringIO()
        logger = logging.getLogger("tests.log.plain")
        logger.handlers, logger.propagate = [logging.StreamHandler(stream)], False
        try:
            int("Ada Lovelace")
        except ValueError:
            logger.exception("the work failed")
        assert "Ada" in stream.getvalue()


def test_in_a_terminal_an_error_is_a_line_and_its_places():
    event = {"event": "it failed", "level": "error", "timestamp": "T", "job_id": 8}
    event["error"] = {"kind": "ValueError", "said": "no", "at": ["a.py:1 f", "b.py:2 g"]}
    text = logs.for_people(None, "error", event)
    assert text.splitlines() == ["T ERROR it failed job_id=8", "    a.py:1 f", "    b.py:2 g", "  ValueError: no"]
