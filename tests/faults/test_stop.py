"""Going down under load: callers who heed /readyz lose nothing, and a job in hand is finished or given back at once."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing

import pytest
from django.db import connection
from django.utils import timezone

from core.models import Job, Run
from crm import night
from tests.faults.celery import Processes, wait_for
from tests.nights import AS_OF

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

CALLERS = 6
GRACE = 3
TOKEN = "a-token-for-the-test"


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Web:
    """The real web server as the Procfile runs it, and callers who ask short and long questions without a pause."""

    def __init__(self, environment, folder):
        self.port, self.log = free_port(), folder / "web.log"
        command = "gunicorn crm.wsgi --preload --worker-class gthread --workers 2 --threads 4 --bind"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command.split(), f"127.0.0.1:{self.port}"],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.stay_away, self.answers = threading.Event(), Counter()
        wait_for(lambda: self.process.poll() is not None or self.ask("/readyz") == 200, pause=0.1)

    def ask(self, path, **headers):
        """The status, or what went wrong."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as caller:
            try:
                caller.request("GET", path, headers=headers)
                answer = caller.getresponse()
                answer.read()
            except OSError as error:
                return type(error).__name__
            except http.client.HTTPException as error:
                return type(error).__name__
            return answer.status

    def read(self, path, **headers):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as caller:
            caller.request("GET", path, headers=headers)
            return caller.getresponse().read().decode()

    def call(self, number):
        while not self.stay_away.is_set():
            self.answers[self.ask(f"/take/{(number % 3) * 7}/")] += 1

    def balance(self):
        """What a balancer does: look whether the server is ready, and send nobody when it is not."""
        while not self.stay_away.is_set():
            if (said := self.ask("/readyz")) != 200:
                self.answers[f"readyz {said}"] += 1
                self.stay_away.set()

    def under_load(self, stop):
        """Callers at work, then `stop`, then until all of them have ended; counts of their answers."""
        callers = [threading.Thread(target=self.call, args=[number]) for number in range(CALLERS)]
        callers.append(threading.Thread(target=self.balance))
        for caller in callers:
            caller.start()
        wait_for(lambda: self.answers[200] > 40)
        stop()
        for caller in callers:
            caller.join()
        return self.answers

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()


@pytest.fixture
def web(environment, tmp_path):
    server = Web(
        environment | {"DJANGO_SETTINGS_MODULE": "tests.faults.slow", "DRAIN_SECONDS": "2", "METRICS_TOKEN": TOKEN},
        tmp_path,
    )
    assert server.process.poll() is None, server.log.read_text()
    yield server
    server.kill()


class TestWeb:
    def test_sigterm_under_load_drops_nobody(self, web):
        answers = web.under_load(web.process.terminate)
        code = web.process.wait(timeout=60)
        print(f"\nanswers while it stopped: {dict(answers)}; ended with {code}")
        assert answers.pop("readyz 503") == 1
        assert set(answers) == {200}, web.log.read_text()
        assert code == 0

    def test_the_negative_control_drops_some(self, web):
        answers = web.under_load(lambda: os.killpg(web.process.pid, signal.SIGKILL))
        lost = sum(count for answer, count in answers.items() if answer != 200)
        print(f"\nanswers while it was killed: {dict(answers)}")
        assert lost > 0

    def test_metrics_add_up_what_all_processes_counted(self, web):
        for _ in range(40):
            web.ask("/take/0/")
        name = 'django_http_requests_total_by_view_transport_method_total{method="GET",transport="http",view="take"}'
        pages = [web.read("/metrics", Authorization=f"Bearer {TOKEN}") for _ in range(6)]
        counted = {line for page in pages for line in page.splitlines() if line.startswith(name)}
        assert counted == {f"{name} 40.0"}
        assert web.ask("/metrics") == 401


@pytest.fixture
def celery(environment, tmp_path):
    processes = Processes(environment | {"GRACE_SECONDS": str(GRACE)}, tmp_path)
    yield processes
    processes.kill_all()


@pytest.fixture
def held(other_connection):
    """A lock that the first step of a night waits for: a job that takes as long as the test wants."""
    lock = other_connection()
    lock.autocommit = False
    lock.execute("LOCK TABLE customers_category IN ACCESS EXCLUSIVE MODE")
    yield lock
    lock.close()


@pytest.fixture
def begun():
    """A night that has begun, in which a worker will wait."""
    return night.start(as_of=AS_OF, at=timezone.now()).run


def in_hand():
    return Job.objects.filter(state=Job.State.CLAIMED).first()


def waits_for_the_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'customers_category'::regclass")
        return cursor.fetchone()[0]


class TestWorker:
    def test_the_job_in_hand_is_finished_and_no_other_taken(self, celery, begun, held):
        celery.worker()
        job = wait_for(lambda: waits_for_the_lock() and in_hand())
        celery.ask_to_stop("worker")
        held.rollback()
        assert celery.ended("worker") == 0
        job.refresh_from_db()
        assert (job.state, job.attempts) == (Job.State.DONE, 1)
        assert set(begun.jobs.filter(pk__gt=job.pk).values_list("state", "attempts")) == {(Job.State.READY, 0)}

    def test_one_that_takes_too_long_is_given_back_at_once(self, celery, begun, held):
        """No beat runs here: nobody but the worker itself can hand it out again."""
        celery.worker()
        job = wait_for(lambda: waits_for_the_lock() and in_hand())
        celery.ask_to_stop("worker")
        wait_for(lambda: in_hand() is None)
        job.refresh_from_db()
        assert (job.state, job.losses, len(job.history)) == (Job.State.READY, 1, 1), celery.said("worker")
        assert job.finished_at is None
        celery.ended("worker")
        held.rollback()
        celery.worker()
        wait_for(lambda: Run.objects.get(pk=begun.pk).state == Run.State.DONE)
        assert Job.objects.get(pk=job.pk).attempts == 2

    def test_the_negative_control_leaves_it_claimed(self, celery, begun, held):
        celery.worker()
        job = wait_for(lambda: waits_for_the_lock() and in_hand())
        celery.kill("worker")
        wait_for(lambda: not waits_for_the_lock())  # the dead worker's session is gone
        assert Job.objects.get(pk=job.pk).state == Job.State.CLAIMED

    def test_without_work_it_ends(self, celery, begun):
        celery.worker()
        wait_for(lambda: Run.objects.get(pk=begun.pk).state == Run.State.DONE)
        celery.ask_to_stop("worker")
        assert celery.ended("worker") == 0


class TestBeat:
    def test_it_ends(self, celery, redis_client):
        celery.environment["DJANGO_SETTINGS_MODULE"] = "tests.faults.fast"
        celery.beat()
        wait_for(lambda: redis_client.llen("celery"))
        time.sleep(1)  # Celery's beat ends with 1 when the signal meets it in the middle of a round
        celery.ask_to_stop("beat")
        assert celery.ended("beat") == 0
