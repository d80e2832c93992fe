"""What happens before Django starts: servers, tables, and a sentence when something is missing."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings

from core import boot, checks, embedded

BASE_DIR = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path):
    """A home that nothing was started in; its servers stop after the test."""
    home = tmp_path / "home"
    yield home
    embedded.stop(home)


def manage(*arguments, **variables):
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env |= {"PERENNIAL_DURABLE": "0", "DJANGO_SETTINGS_MODULE": "crm.settings"}
    env |= {name: str(value) for name, value in variables.items()}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)


def scalar(url, query):
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


# --- it works


def test_a_command_on_an_empty_home_starts_servers_and_migrates_first(home):
    query = "from core.models import User; print('users:', User.objects.count())"
    done = manage("shell", "--no-imports", "--command", query, PERENNIAL_HOME=home)
    assert (done.stdout, done.stderr, done.returncode) == ("users: 0\n", "", 0)
    assert not (home / "migrating").exists()


def test_a_migration_that_was_cut_off_goes_on(home):
    embedded.start(home, durable=False)
    manage("migrate", "core", "zero", PERENNIAL_HOME=home)
    (home / "migrating").touch()
    query = "from core.models import User; print(User.objects.count())"
    assert manage("shell", "--no-imports", "--command", query, PERENNIAL_HOME=home).stdout == "0\n"


@pytest.mark.parametrize("arguments", [["help"], ["check"], ["servers", "status"], ["nightly", "--help"], []])
def test_commands_that_need_no_servers_start_none(home, arguments):
    assert manage(*arguments, PERENNIAL_HOME=home).returncode == 0
    assert not (home / "postgres").exists()


def test_makemigrations_starts_servers_but_leaves_the_tables_alone(home):
    manage("showmigrations", PERENNIAL_HOME=home)
    assert scalar(embedded.database_url(home), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_servers_start_status_stop(home):
    assert "ready" in manage("servers", "start", PERENNIAL_HOME=home).stdout
    assert f"DATABASE_URL={embedded.database_url(home)}" in manage("servers", "status", PERENNIAL_HOME=home).stdout
    assert "are stopped" in manage("servers", "stop", PERENNIAL_HOME=home).stdout
    assert "PostgreSQL: not running" in manage("servers", "status", PERENNIAL_HOME=home).stdout


def test_urls_of_ones_own_servers_are_taken_and_nothing_is_started(home, tmp_path):
    embedded.start(home, durable=False)
    other = tmp_path / "other"
    done = manage(
        "migrate",
        "--verbosity=0",
        PERENNIAL_HOME=other,
        DATABASE_URL=embedded.database_url(home),
        REDIS_URL=embedded.redis_url(home),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (other / "postgres").exists()
    assert scalar(embedded.database_url(home), "SELECT to_regclass('core_user') IS NOT NULL")


# --- it refuses, in a sentence and with status 2


def test_data_of_another_version_end_the_command(home):
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("15\n")
    done = manage("migrate", PERENNIAL_HOME=home)
    assert done.returncode == 2
    assert "was made by PostgreSQL 15" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///db.sqlite3", "only PostgreSQL will do"),
        ("postgresql://who:secret@127.0.0.1:1/db", "who:…@127.0.0.1:1/db) cannot be used: "),
    ],
)
def test_a_database_url_that_leads_nowhere(home, url, said):
    done = manage("migrate", PERENNIAL_HOME=home, DATABASE_URL=url, REDIS_URL=settings.REDIS_URL)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "http://127.0.0.1", "unix:///nowhere/redis.sock"])
def test_a_redis_url_that_leads_nowhere(url):
    with pytest.raises(checks.UnfitServerError, match=r"REDIS_URL \(.*\) cannot be used: "):
        checks.redis(url)


def test_a_redis_that_is_too_old(monkeypatch):
    monkeypatch.setattr(redis.Redis, "info", lambda self, section: {"redis_version": "6.0.16"})
    with pytest.raises(checks.UnfitServerError, match=r"names Redis 6.0.16; Perennial needs 6.2 or later"):
        checks.redis(settings.REDIS_URL)


@pytest.fixture
def make_database(db):
    """Make databases beside the tests' own, as somebody's server might have them."""
    made: list[str] = []
    server = embedded.database_url(settings.PERENNIAL_HOME)

    def make(options):
        made.append(f"odd_{os.getpid()}_{len(made)}")
        scalar_or_nothing(server, f"CREATE DATABASE {made[-1]} TEMPLATE template0 {options}")
        return server.replace("/perennial?", f"/{made[-1]}?")

    yield make
    for name in made:
        scalar_or_nothing(server, f"DROP DATABASE {name} WITH (FORCE)")


def scalar_or_nothing(url, query):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(query)


def test_a_fit_database_passes_with_and_without_its_extensions(make_database):
    url = make_database("")
    checks.postgres(url)
    assert scalar(url, "SELECT count(*) FROM pg_extension WHERE extname IN ('pg_trgm', 'unaccent')") == 0
    scalar_or_nothing(url, "CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent")
    checks.postgres(url)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'", "a database in LATIN1; Perennial needs UTF8"),
        ("LOCALE_PROVIDER libc LOCALE 'C'", "does not fold letters such as Ł"),
        ("LC_CTYPE 'C'", "Searching for letters such as ź finds nothing"),
    ],
)
def test_a_database_with_the_wrong_encoding_or_locale(make_database, options, said):
    with pytest.raises(checks.UnfitServerError, match=said):
        checks.postgres(make_database(options))


def test_a_user_who_may_not_create_the_extensions(make_database):
    url = make_database("")
    scalar_or_nothing(url, "DROP ROLE IF EXISTS meek; CREATE ROLE meek LOGIN")
    with pytest.raises(checks.UnfitServerError, match="run CREATE EXTENSION pg_trgm in the database as a superuser"):
        checks.postgres(url.replace("perennial@", "meek@"))
    scalar_or_nothing(url, "DROP ROLE meek")


def test_a_server_without_the_extension(make_database, monkeypatch):
    monkeypatch.setattr(checks, "EXTENSIONS", ("pg_trgm", "no_such_extension"))
    with pytest.raises(checks.UnfitServerError, match="lacks the extension no_such_extension: install its contrib"):
        checks.postgres(make_database(""))


def test_a_server_that_is_too_old(make_database, monkeypatch):
    monkeypatch.setattr(checks, "OLDEST_POSTGRES", 99)
    with pytest.raises(checks.UnfitServerError, match="names PostgreSQL 18; Perennial needs 99 or later"):
        checks.postgres(make_database(""))


def test_help_and_version_need_nothing(monkeypatch):
    monkeypatch.setattr(boot, "serve", lambda place: pytest.fail("it started servers"))
    for argv in (["manage.py"], ["manage.py", "--version"], ["manage.py", "migrate", "-h"], ["manage.py", "help"]):
        boot.prepare(argv)
