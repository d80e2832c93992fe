"""Backup and restore of real homes, with real servers of their own, while somebody writes."""

import json
import os
import resource
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from core import embedded
from core.backup import archive
from tests.core.backups import make_backup, rewrite

BASE_DIR = Path(__file__).parents[2]
PAGES = """
from django.conf import settings
from django.test import Client, override_settings
from core.models import User
client = Client(HTTP_HOST="localhost")
client.force_login(User.objects.get(email="admin@example.com"))
plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
with override_settings(STORAGES=settings.STORAGES | plain):
    print([client.get(path).status_code for path in ("/", "/customers/", "/segments/", "/jobs/")])
"""
# What a restored home must have forgotten, put there before the backup is made.
UNDER_WAY = """
INSERT INTO django_session VALUES ('abc', 'data', now() + interval '1 day');
INSERT INTO core_run (as_of, revision, state, step, is_current, is_past, facts_xid, settings, model, stats, error,
    started_at) VALUES ('2030-01-01', 1, 'running', 'score', false, false, 9, '{}', '{}', '{}', '', now());
CREATE TABLE analytics_score_of_run_9999 (LIKE analytics_score);
"""


def environment_of(home):
    # Thirty commands would else compile every module anew where the environment forbids to keep the result.
    dropped = ("DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE")
    env = {name: value for name, value in os.environ.items() if name not in dropped}
    env |= {"PERENNIAL_HOME": str(home), "PERENNIAL_DURABLE": "0", "DJANGO_SETTINGS_MODULE": "crm.settings"}
    return {"cwd": BASE_DIR, "env": env, "text": True}


def command(words):
    return [sys.executable, "manage.py", *map(str, words)]


def manage(home, *words, **options):
    """Run a command on a home and return what it did."""
    return subprocess.run(command(words), **environment_of(home), capture_output=True, check=False, **options)


def running(home, *words):
    return subprocess.Popen(command(words), **environment_of(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def do(home, *words):
    done = manage(home, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(home, *words, **options):
    done = manage(home, *words, **options)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def ask(home, query):
    with psycopg.connect(embedded.database_url(home)) as connection:
        return connection.execute(query).fetchall()


def tables_of(home):
    return ask(home, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")[0][0]


@contextmanager
def writing(home):
    """Commit pairs of changes all the while; gives a list whose length is the number of commits so far."""
    commits, stopped = [], threading.Event()

    def write():
        with psycopg.connect(embedded.database_url(home)) as connection:
            while not stopped.is_set():
                connection.execute(
                    "INSERT INTO core_change (kind, object_id) VALUES ('order', %(n)s), ('order', %(n)s)",
                    {"n": -1 - len(commits)},
                )
                connection.commit()
                commits.append(1)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield commits
    finally:
        stopped.set()
        thread.join()


@pytest.fixture(scope="module")
def make_home(tmp_path_factory):
    homes = []

    def make(name):
        homes.append(tmp_path_factory.mktemp("backup") / name)
        return homes[-1]

    yield make
    for home in homes:
        embedded.stop(home)


@pytest.fixture(scope="module")
def shop(make_home):
    """A demo shop with a published night, a file, somebody signed in, and a night at work."""
    home = make_home("shop")
    do(home, "seed_demo", "--customers", "150", "--years", "1")
    do(home, "nightly")
    (home / "media" / "logos").mkdir(parents=True)
    (home / "media" / "logos" / "ü.png").write_bytes(b"\x89PNG")
    with psycopg.connect(embedded.database_url(home)) as connection:
        connection.execute(UNDER_WAY)
        connection.execute("UPDATE core_job SET state = 'claimed', finished_at = NULL WHERE step = 'tidy'")
    return home


@pytest.fixture(scope="module")
def backup(shop):
    """A backup of the shop made while somebody wrote, and what was committed before and after."""
    file = shop.parent / "shop.backup"
    with writing(shop) as commits:
        while not commits:
            pass
        before = len(commits)
        do(shop, "backup", file)
        after = len(commits)
    return file, before, after


@pytest.fixture(scope="module")
def restored(make_home, backup):
    home = make_home("restored")
    return home, do(home, "restore", backup[0])


# --- it works


def test_it_works_while_somebody_writes(backup, restored):
    """The counts and hashes are of the very moment of the dump, though commits went on before, during and after."""
    file, before, after = backup
    home, said = restored
    assert "Every row hash is equal" in said
    pairs = ask(home, "SELECT count(*) FROM core_change WHERE object_id < 0 GROUP BY object_id")
    assert before <= len(pairs) < after
    assert {number for (number,) in pairs} == {2}
    with zipfile.ZipFile(file) as members:
        tables = json.loads(members.read("manifest.json"))["tables"]
    assert tables["public.core_change"]["rows"] >= 2 * len(pairs)
    assert f"{'public.core_change':<50} {tables['public.core_change']['rows']:>12,} rows" in said


def test_the_scores_files_and_key_are_there(shop, restored):
    home, _ = restored
    scores = "SELECT count(*), sum(clv_cents) FROM analytics_score"
    assert ask(home, scores) == ask(shop, scores) != [(0, None)]
    assert (home / "media" / "logos" / "ü.png").read_bytes() == b"\x89PNG"
    assert (home / "secret_key").read_text() == (shop / "secret_key").read_text()
    assert (home / "secret_key").stat().st_mode & 0o777 == 0o600
    assert not (home / "restore.part").exists()


def test_it_forgets_sign_ins_and_work_under_way(restored):
    home, _ = restored
    assert ask(home, "SELECT count(*) FROM django_session") == [(0,)]
    assert ask(home, "SELECT DISTINCT state FROM core_job WHERE step = 'tidy'") == [("ready",)]
    assert ask(home, "SELECT count(*) FROM core_run WHERE state = 'running'") == [(0,)]
    assert ask(home, "SELECT to_regclass('analytics_score_of_run_9999')") == [(None,)]


def test_the_feed_goes_on(restored):
    """Transaction ids of the old server would hide new changes, or be ahead of everything that this one reads."""
    home, _ = restored
    ahead = "SELECT count(*) FROM core_change WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())"
    assert ask(home, ahead) == [(0,)]
    ahead = "SELECT count(*) FROM core_cursor WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())"
    assert ask(home, ahead) == [(0,)]


def test_nights_run_and_pages_open_afterwards(restored):
    home, _ = restored
    assert "Margin expected" in do(home, "nightly")
    assert "[200, 200, 200, 200]" in do(home, "shell", "-c", PAGES)


def test_the_last_backup_stands_among_the_jobs(shop, backup):
    rows = ask(shop, "SELECT state, result ->> 'file', finished_at > started_at FROM core_job WHERE step = 'backup'")
    assert rows[0] == ("done", str(backup[0]), True)


def test_an_older_versions_tables_are_brought_forward(make_home, restored):
    home, _ = restored
    do(home, "migrate", "mfa", "0002", "-v", "0")
    do(home, "migrate", "usersessions", "zero", "-v", "0")
    do(home, "backup", home / "older.backup")
    do(home, "migrate", "-v", "0")
    newer = make_home("newer")
    do(newer, "restore", home / "older.backup")
    assert "[ ]" not in do(newer, "showmigrations")


def test_verify_needs_no_servers(backup, tmp_path):
    assert "is whole" in do(tmp_path / "none", "backup", "--verify", backup[0])
    assert not (tmp_path / "none" / "postgres").exists()


# --- it refuses


@pytest.fixture(scope="module")
def empty(make_home):
    """An empty home that must stay empty."""
    home = make_home("empty")
    do(home, "servers", "start")
    yield home
    assert tables_of(home) == 0


def test_damaged_foreign_and_newer_files_change_nothing(backup, empty, tmp_path):
    body = backup[0].read_bytes()
    (tmp_path / "short").write_bytes(body[: len(body) // 2])
    (tmp_path / "flipped").write_bytes(body[:5000] + bytes([body[5000] ^ 1]) + body[5001:])
    (tmp_path / "foreign").write_text("customer_id,date\n" * 50)
    rewrite(backup[0], tmp_path / "swapped", members={"database.sql": b"SELECT 1;"}, honest=False)
    make_backup(tmp_path / "newer", migrations=["core.0999_tomorrow"])
    make_backup(tmp_path / "newer_server", postgres=99)
    words = {
        "short": "damaged",
        "flipped": "damaged",
        "foreign": "not a backup",
        "swapped": "database.sql is not what its manifest describes",
        "newer": "does not know its migration core.0999_tomorrow",
        "newer_server": "comes from PostgreSQL 99",
    }
    for name, said in words.items():
        assert said in refused(empty, "restore", tmp_path / name), name
        assert tables_of(empty) == 0


def test_rows_that_differ_from_the_manifest_change_nothing(backup, empty, tmp_path):
    """A file that was altered and sealed again by somebody: the rows themselves give it away."""
    with zipfile.ZipFile(backup[0]) as members:
        sql = members.read(archive.DATABASE)
    altered = sql.replace(b"admin@example.com", b"adnim@example.com")
    assert altered != sql
    rewrite(backup[0], tmp_path / "altered", members={archive.DATABASE: altered})
    assert "core_user does not hold what the backup says" in refused(empty, "restore", tmp_path / "altered")
    assert tables_of(empty) == 0
    assert not (empty / "media").exists()


def test_sql_that_fails_changes_nothing(empty, tmp_path):
    make_backup(tmp_path / "broken", sql=b"CREATE TABLE a (b int);\nSELECT 1 / 0;\nCREATE TABLE c (d int);\n" * 99_000)
    assert "division by zero" in refused(empty, "restore", tmp_path / "broken")
    assert tables_of(empty) == 0


def test_a_home_in_use_is_refused(backup, empty):
    with psycopg.connect(embedded.database_url(empty)):
        assert "stop web, worker and beat first" in refused(empty, "restore", backup[0])


def test_a_home_with_data_is_replaced_only_on_request(backup, make_home):
    home = make_home("replaced")
    do(home, "create_admin", "ada@example.com")
    (home / "media").mkdir()
    (home / "media" / "old").touch()
    assert "--replace deletes what is in this one" in refused(home, "restore", backup[0])
    assert ask(home, "SELECT email FROM core_user") == [("ada@example.com",)]
    do(home, "restore", backup[0], "--replace")
    assert ask(home, "SELECT count(*) FROM core_user WHERE email = 'ada@example.com'") == [(0,)]
    assert ask(home, "SELECT count(*) FROM customers_customer") == [(150,)]
    assert not (home / "media" / "old").exists()
    assert next(home.glob("media.before-restore-*")).joinpath("old").exists()


def test_a_stopped_backup_leaves_no_file(shop, tmp_path):
    """It waits for a table that somebody holds, and is told to stop."""
    with psycopg.connect(embedded.database_url(shop)) as holder:
        holder.execute("LOCK TABLE core_user IN ACCESS EXCLUSIVE MODE")
        with running(shop, "backup", tmp_path / "new.backup") as process:
            while not (tmp_path / "new.backup.part").exists():
                assert process.poll() is None
            process.terminate()
            assert "Stopped; no file was written." in process.communicate()[1]
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_overwritten_and_a_full_disk_leaves_none(shop, backup, tmp_path):
    before = backup[0].stat().st_mtime_ns
    assert "--force" in refused(shop, "backup", backup[0])
    assert backup[0].stat().st_mtime_ns == before

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    said = refused(shop, "backup", tmp_path / "new.backup", preexec_fn=little_room)
    assert "cannot be written: File too large" in said
    assert list(tmp_path.iterdir()) == []
    assert "directory that exists" in refused(shop, "backup", tmp_path / "none" / "new.backup")
