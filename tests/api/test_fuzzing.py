"""Schemathesis with all its checks on every operation: requests made from the description, right ones and wrong ones.

Two callers: a key for everything, and a key that may only read customers. The run prints the number of cases at its
end (tests/conftest.py). The short form runs with every test; SOAK=1 takes ten times as many requests of chance.
"""

import logging
import os

import pytest
from django.core import signals
from django.db import close_old_connections, transaction
from hypothesis import Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.fuzz import SCHEMA, SETTINGS, Program

SOAK = os.environ.get("SOAK") == "1"
ROUNDS = 200 if SOAK else 20
ROUNDS_OF_A_READER = 50 if SOAK else 6
WAYS = 300 if SOAK else 30

pytestmark = pytest.mark.faults  # for `make soak`


@pytest.fixture(autouse=True)
def one_connection(db, settings):
    """Requests in the test's own transaction, no limit on them, and no log of thousands of refusals."""
    logging.disable(logging.CRITICAL)
    settings.API_CALLS_PER_MINUTE = settings.API_FAILURES_PER_MINUTE = 10**9
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)
    logging.disable(logging.NOTSET)


@pytest.fixture
def admin(record_property):
    program = Program("admin")
    yield program
    record_property("cases", program.cases)


# What the scope `customers:read` opens.
READABLE = tuple(f"/api/v1/{name}/" for name in ("customers", "companies", "contracts", "costs"))


@pytest.fixture
def reader(record_property):
    program = Program("customers:read")
    yield program
    record_property("cases", program.cases)


@SCHEMA.parametrize()
@settings(max_examples=ROUNDS, **SETTINGS)
def test_a_key_for_everything(case, admin):
    admin.try_case(case)


@SCHEMA.parametrize()
@settings(max_examples=ROUNDS_OF_A_READER, **SETTINGS)
def test_a_key_that_reads_customers(case, reader):
    response = reader.try_case(case)
    if case.method != "GET" or not case.path.startswith(READABLE):
        assert response.status_code in {401, 403, 404, 405}


def test_one_thing_after_another(admin):
    """Stateful: what one call answers is what the next one asks for."""

    class Workflow(SCHEMA.as_state_machine()):
        def setup(self):
            """Each scenario starts in the same shop: Hypothesis plays one again to see whether it ends alike."""
            self.start = transaction.savepoint()

        def teardown(self):
            transaction.savepoint_rollback(self.start)
            super().teardown()

        def get_call_kwargs(self, case):
            return {"headers": admin.headers}

        def after_call(self, response, case):
            admin.cases += 1
            admin.statuses.add(response.status_code)

        def validate_response(self, response, case, additional_checks=None, **kwargs):
            # What one call answered is not always of the form that the next one takes.
            admin.judge(case, response, besides=[positive_data_acceptance])

    Workflow.run(settings=settings(max_examples=WAYS, stateful_step_count=12, phases=[Phase.generate], **SETTINGS))
    assert {200, 201} <= admin.statuses
