"""The real web server as the Procfile runs it, killed and started again, and callers that keep their connections."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

from tests.faults.celery import wait_for

BROKEN = (OSError, http.client.HTTPException)


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, environment, folder):
        self.environment, self.log, self.port, self.process = environment, folder / "web.log", free_port(), None

    def start(self):
        command = "gunicorn crm.wsgi --preload --worker-class gthread --workers 2 --threads 8 --bind"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command.split(), f"127.0.0.1:{self.port}"],
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_for(self._answers, pause=0.1)

    def kill(self):
        """kill -9 for the whole group, without a word before."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _answers(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class Caller:
    """One client with one connection; `post` gives (status, body), or None where the server went away."""

    def __init__(self, port, key):
        self.wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, address, body, key):
        try:
            self.wire.request("POST", address, json.dumps(body), self.headers | {"Idempotency-Key": key})
            answer = self.wire.getresponse()
            return answer.status, json.loads(answer.read() or "null")
        except BROKEN:
            self.wire.close()
            return None

    def insist(self, address, body, key):
        """The same request again until it is answered by something else than `busy` or `broken`."""
        return wait_for(lambda: _settled(self.post(address, body, key)), pause=0.05)


def _settled(answer):
    is_busy = answer is not None and answer[0] == 409 and answer[1]["errors"][0]["code"] == "busy"
    return None if answer is None or answer[0] >= 500 or is_busy else answer
