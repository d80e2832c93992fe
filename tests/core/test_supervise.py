"""Processes side by side: one ends or somebody says stop, and all end."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from core import supervise

BASE_DIR = Path(__file__).parents[2]


def run(output=None, **commands):
    return supervise.run(commands, env=os.environ, cwd=BASE_DIR, output=output or io.StringIO())


def test_it_names_the_one_that_ended_and_stops_the_others(tmp_path):
    mark = tmp_path / "stopped"
    patient = f"sh -c 'trap \"touch {mark}; exit 0\" TERM; while :; do sleep 0.05; done'"
    assert run(patient=patient, brief="sleep 0.3") == "brief"
    assert mark.exists()


def test_each_line_bears_its_name():
    output = io.StringIO()
    run(output, web="echo one; echo two", worker="sleep 30")
    assert "web    | one\n" in output.getvalue()


def test_a_signal_stops_all_in_order():
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGTERM]).start()
    assert run(one="sleep 30", two="sleep 30") is None


def test_ctrl_c_stops_all_and_the_old_handlers_come_back():
    before = signal.getsignal(signal.SIGINT)
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
    assert run(one="sleep 30") is None
    assert signal.getsignal(signal.SIGINT) is before


def test_one_that_will_not_end_is_killed_with_its_children(monkeypatch, tmp_path):
    monkeypatch.setattr(supervise, "GRACE_SECONDS", 0.3)
    pid = tmp_path / "pid"
    stubborn = f"sh -c 'trap \"\" TERM; sleep 60 & echo $! > {pid}; while :; do sleep 0.05; done'"
    assert run(stubborn=stubborn, brief="sleep 0.3") == "brief"
    assert is_gone(int(pid.read_text()))


def test_a_second_signal_kills_at_once():
    for delay in (0.3, 0.6):
        threading.Timer(delay, os.kill, [os.getpid(), signal.SIGINT]).start()
    assert run(stubborn="sh -c 'trap \"\" TERM; while :; do sleep 0.05; done'") is None


def test_a_program_that_does_not_exist_stops_the_rest_with_its_name():
    output = io.StringIO()
    assert run(output, web="no-such-program", worker="sleep 30") == "web"
    assert "not found" in output.getvalue()


def test_procfile_has_the_three(tmp_path):
    assert list(supervise.read_procfile(BASE_DIR / "Procfile")) == ["web", "worker", "beat"]
    (tmp_path / "Procfile").write_text("# a comment\n\nweb: run --at: 8\n")
    assert supervise.read_procfile(tmp_path / "Procfile") == {"web": "run --at: 8"}


def is_gone(pid):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        done = subprocess.run([sys.executable, "-c", f"import os; os.kill({pid}, 0)"], capture_output=True, check=False)
        if done.returncode or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            return True
        time.sleep(0.05)
    return False
