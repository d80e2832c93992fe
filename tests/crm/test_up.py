"""`./manage.py up`: everything starts, says where it is, and stops together."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from core import embedded, first_run
from core.models import Role, User
from crm.management.commands import up as up_command

BASE_DIR = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("up") / "home"
    yield home
    embedded.stop(home)


@pytest.fixture
def up(home):
    """Start `up` on the module's home and return (process, port) once it says that it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env |= {
        "PERENNIAL_HOME": str(home),
        "PERENNIAL_DURABLE": "0",
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "DEMO": "0",
    }
    command = [sys.executable, "manage.py", "up", "--port", str(port)]
    with subprocess.Popen(command, cwd=BASE_DIR, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said = read_until(process, b"is ready")
        assert f"http://localhost:{port}/" in said
        yield process, port
        process.terminate()
        process.communicate()


def read_until(process, words):
    lines = []
    for line in process.stdout:
        lines.append(line.decode())
        if words in line:
            return "".join(lines)
    pytest.fail(f"it ended: {''.join(lines)}")


def test_it_serves_until_ctrl_c_and_leaves_nothing_behind(up, home):
    process, port = up
    page = urllib.request.urlopen(f"http://localhost:{port}/accounts/login/", timeout=30).read().decode()
    style = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
    assert style
    assert urllib.request.urlopen(f"http://localhost:{port}{style.group(1)}", timeout=30).status == 200
    children = children_of(process.pid)
    assert len(children) == 6, "web, worker, beat, mail, PostgreSQL, Redis"
    process.send_signal(signal.SIGINT)
    assert read_until(process, b"Stopped.")
    assert process.wait() == 0
    assert not [pid for pid in children if lives(pid)]
    assert [state.running for state in embedded.status(home)] == [False, False]


def test_when_one_dies_all_stop_and_it_is_named(up, home):
    process, _ = up
    beat = next(pid for pid in children_of(process.pid) if b"beat" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(beat, signal.SIGKILL)
    assert "beat ended by itself" in read_until(process, b"ended by itself")
    assert process.wait() == 1
    assert [state.running for state in embedded.status(home)] == [False, False]


def test_a_taken_port_is_said_at_once():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} cannot be used") as refused:
            call_command("up", port=port)
    assert refused.value.returncode == 2


@pytest.mark.django_db
class TestWaysIn:
    @pytest.fixture(autouse=True)
    def empty_home(self, settings, tmp_path, monkeypatch):
        settings.PERENNIAL_HOME = tmp_path
        monkeypatch.delenv("DATABASE_URL", raising=False)

    def test_an_empty_home_gets_its_link_and_the_same_one_again(self):
        said = up_command.ways_in("http://localhost:8000")
        assert f"http://localhost:8000/welcome/{first_run.token()}/" in said
        assert up_command.ways_in("http://localhost:8000") == said

    def test_once_there_is_an_admin_there_is_no_link(self):
        User.objects.create_user("ada@example.com", role=Role.ADMIN)
        assert "welcome" not in up_command.ways_in("http://localhost:8000")

    def test_on_another_database_the_command_is_named(self, monkeypatch, tmp_path):
        monkeypatch.setenv("DATABASE_URL", "postgresql://db.shop.test/perennial")
        assert "create_admin" in up_command.ways_in("http://localhost:8000")
        assert not (tmp_path / "welcome_token").exists()


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def lives(pid):
    """Is the process there, and more than a name that nobody asked about yet?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
