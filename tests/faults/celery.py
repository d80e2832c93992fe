"""Real Celery processes as a supervisor runs them: in groups of their own, killed and started again."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

PATIENCE = float(os.environ.get("PATIENCE", "240"))


class Processes:
    """Celery programs by name; `environment` is theirs."""

    def __init__(self, environment, folder):
        self.environment, self.folder, self.running = environment, folder, {}

    def worker(self, name="worker"):
        self._start(
            name, "worker", "--hostname", f"{name}@%h", "--concurrency", "2", "--without-gossip", "--without-mingle"
        )

    def beat(self, name="beat"):
        self._start(name, "beat", "--schedule", str(self.folder / name), "--pidfile", "")

    def kill(self, name):
        """kill -9 for the whole group, without a word before."""
        child = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def ask_to_stop(self, name):
        """SIGTERM to the program alone, as a supervisor sends it."""
        self.running[name].terminate()

    def ended(self, name):
        """Wait for its end; the exit code."""
        return self.running.pop(name).wait(timeout=PATIENCE)

    def kill_all(self):
        for name in list(self.running):
            self.kill(name)

    def said(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def _start(self, name, *arguments):
        log = (self.folder / f"{name}.log").open("ab")
        command = [sys.executable, "-m", "celery", "-A", "crm", *arguments, "--loglevel", "WARNING"]
        self.running[name] = subprocess.Popen(
            command, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )


def wait_for(what, *, patience=PATIENCE, pause=0.02):
    """Ask until the answer is true, and return it; fails after `patience` seconds, which no machine should need."""
    deadline = time.monotonic() + patience
    while not (answer := what()):
        assert time.monotonic() < deadline, f"in vain waited {patience} s for {what}"
        time.sleep(pause)
    return answer
