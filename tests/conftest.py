"""The servers that the tests run on: real ones, in the tests' own home (tests/settings.py)."""

import gc
import os
import shutil

import psycopg
import pytest
import redis
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection
from django.utils import translation

from core import boot, feed, statics
from tests.ability import cannot_run

# Append-only tables, and what refuses to empty them
NOT_EMPTIED = {
    "core_edit": "edits_are_not_emptied",
    "loyalty_allocation": "allocations_are_not_emptied",
    "loyalty_posting": "postings_are_not_emptied",
    "loyalty_move": "moves_are_not_emptied",
}
# Filled by Django once the tables are made, and the same for every test.
KEPT = {"auth_permission", "django_content_type"}


def pytest_configure(config):
    """Start the servers, or find them: a second run meets the first one's."""
    if not only_hands_out(config):
        boot.serve(settings.PERENNIAL_HOME)


def pytest_sessionstart(session):
    """Collect the static files, which pages name by the hashes in the manifest."""
    if not only_hands_out(session.config):
        statics.collect()


def pytest_collection_finish(session):
    """Ten thousand tests and the project stay to the end: the collector, a fifth of all CPU, need not visit them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def only_hands_out(config):
    """Whether this process runs no test itself, but xdist's workers, which have homes of their own."""
    return config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Some tests empty all tables by TRUNCATE, which append-only tables refuse.

    Tests that it is refused switch the trigger on again (tests/core/test_edits.py, tests/loyalty/test_ledger.py).
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table, trigger in NOT_EMPTIED.items():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")


@pytest.fixture(scope="session", autouse=True)
def quick_flush():
    """Empty the tables after a test with real transactions row by row: a hundred TRUNCATEs take longer.

    Nobody else may be at work on them, no trigger runs, and what Django wrote by itself stays.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", statements_of_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **options: None)
        yield


def statements_of_flush(style, connection, **options):
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)
    return [
        f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE",
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in tables),
    ]


@pytest.fixture(autouse=True)
def nobody_s_language():
    """A request leaves its language behind in the thread."""
    yield
    translation.deactivate()


@pytest.fixture
def redis_client():
    """An empty Redis database: the one that settings.REDIS_URL and Celery's broker name."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def environment(transactional_db, redis_client):
    """The environment for a process of our own (a worker, a command) on the same databases as the test."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        host = cursor.connection.info.host
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"postgresql://{connection.settings_dict['USER']}@/{name}?host={host}",
        "REDIS_URL": settings.REDIS_URL,
    }


@pytest.fixture
def other_connection(transactional_db):
    """Open connections to the test's database beside the test's own: a backup, a reader, another worker."""

    def connect():
        params = connection.get_connection_params()
        wanted = {name: params[name] for name in ("dbname", "user", "host", "port", "password") if params.get(name)}
        return psycopg.connect(**wanted, autocommit=True)

    return connect


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A transaction of another process of the test's may hide ours from the feed, and for long on a busy machine."""
    monkeypatch.setattr(feed, "WAIT_SECONDS", 60.0)


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium for Playwright to drive: no browser of its own is downloaded."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return cannot_run("no Chromium on the PATH; install one (Debian: apt-get install chromium)")


def pytest_terminal_summary(terminalreporter):
    """How many requests the fuzzing of the API made (tests/api/test_fuzzing.py)."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    cases = [value for report in reports for name, value in getattr(report, "user_properties", ()) if name == "cases"]
    if cases:
        terminalreporter.write_line(f"fuzzed the API with {sum(cases)} cases in {len(cases)} tests")
