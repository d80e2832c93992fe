"""Three real beats, two workers and two commands at once: one night for the date."""

import subprocess
import sys

import pytest

from core.models import Alert, Job, Pulse, Run
from crm import night
from tests.faults.celery import Processes, wait_for
from tests.nights import AS_OF, make_random_shop

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def celery(environment, tmp_path):
    processes = Processes(environment | {"DJANGO_SETTINGS_MODULE": "tests.faults.fast"}, tmp_path)
    yield processes
    processes.kill_all()


def test_three_beats_begin_one_night(celery):
    make_random_shop(3, customers=20)
    for number in range(3):
        celery.beat(f"beat{number}")
    celery.worker()
    celery.worker("second")
    run = wait_for(lambda: Run.objects.filter(state=Run.State.DONE).first())
    looked = Pulse.objects.get().at
    wait_for(lambda: (Pulse.objects.get().at - looked).total_seconds() > 5)  # each beat has asked again and again
    assert list(Run.objects.values_list("pk", "revision", "is_current")) == [(run.pk, 1, True)]
    assert run.jobs.values("step").distinct().count() == len(night.STEPS)
    assert not Job.objects.exclude(state=Job.State.DONE).exists()
    assert not Alert.objects.filter(closed_at=None).exists()


def test_the_command_twice_at_once(environment):
    make_random_shop(3, customers=20)
    command = [sys.executable, "manage.py", "nightly", "--as-of", str(AS_OF)]
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)
    ]
    said = [process.communicate()[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert list(Run.objects.values_list("as_of", "revision", "state")) == [(AS_OF, 1, "done")]
