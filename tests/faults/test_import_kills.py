"""An import of a browser while its workers are killed: it is taken up again, and no row is in twice.

The short form runs with every test; SOAK=1 takes 1,000,000 rows and ten kills.
"""

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from random import Random

import pytest
from django.utils import timezone

from core import engine
from core.models import Job, User
from core.receiving import Received
from customers.models import ImportBatch, Order, OrderLine, Upload
from customers.services import uploads
from customers.services.uploads import Choice
from tests.customers import ledger
from tests.faults.celery import Processes, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SOAK = os.environ.get("SOAK") == "1"
SEED = int(os.environ.get("SEED", time.time_ns() % 10**6))
ROWS = 1_000_000 if SOAK else 20_000
KILLS = 10 if SOAK else 3
LONGEST = 30.0 if SOAK else 0.6  # seconds that a worker is left alone: less than the work takes
CHOICE = Choice(
    preset="generic",
    source="shop",
    mapping={"customer_id": "customer_id", "date": "date", "amount": "amount", "order_id": "order_id"},
)


@pytest.fixture
def celery(environment, tmp_path):
    processes = Processes(environment | {"DJANGO_SETTINGS_MODULE": "tests.faults.fast"}, tmp_path)
    yield processes
    processes.kill_all()


@pytest.fixture
def upload(tmp_path):
    """A file of two rows an order, uploaded and tried out as far as this test needs it."""
    part = tmp_path / "orders.part"
    with part.open("w") as file:
        file.write("customer_id,date,amount,order_id\n")
        file.writelines(f"c{n // 8},2024-{n % 12 + 1:02}-01,5.00,{n // 2}\n" for n in range(ROWS))
    size = part.stat().st_size
    received = Received(path=part, sha256="0" * 64, lines=ROWS + 1, is_too_large=False, name="orders.csv", size=size)
    user = User.objects.create_user("manager@example.com", role="manager")
    upload = uploads.keep(received=received, kind="orders", by=user, at=timezone.now())
    Upload.objects.filter(pk=upload.pk).update(
        source=CHOICE.source, mapping=CHOICE.mapping, findings={"report": {"read": ROWS}}
    )
    yield upload
    shutil.rmtree(uploads.folder_of(upload), ignore_errors=True)


def test_killed_again_and_again_and_no_row_twice(upload, celery):
    dice = Random(SEED)
    job = uploads.start(upload_id=upload.pk, at=timezone.now()).job
    celery.beat()
    for number in range(KILLS):
        celery.worker()
        wait_for(Job.objects.filter(pk=job.pk, state=Job.State.CLAIMED, losses=number).exists)
        time.sleep(dice.uniform(0, LONGEST))
        celery.kill("worker")
        assert not OrderLine.objects.exists(), f"half an import is to be seen (SEED={SEED})"
        wait_for(partial(lost, job, number + 1))
    celery.worker()
    wait_for(lambda: Job.objects.filter(pk=job.pk, state=Job.State.DONE).exists(), patience=1200)
    job.refresh_from_db()
    assert (job.losses, job.attempts) == (KILLS, KILLS + 1), f"SEED={SEED}"
    assert (OrderLine.objects.count(), Order.objects.count()) == (ROWS, ROWS // 2)
    assert ledger.net() == ROWS * 500
    assert ImportBatch.objects.count() == 1
    assert Upload.objects.get().batch.report["orders_created"] == ROWS // 2


def lost(job, number):
    """Whether the sweeper has noticed. Without a worker nobody sweeps, so that this is done here."""
    engine.release_stale(at=timezone.now() + engine.LEASE)
    return Job.objects.filter(pk=job.pk, losses=number).exists()


HALF = """
import sys, time, django
django.setup()
from django.core.management import call_command
from customers.services import imports, staging
staging.LINES_PER_CHUNK = 500
merge = imports._merge_chunk
imports._merge_chunk = lambda *facts: (merge(*facts), time.sleep(0.1))
call_command("import_orders", sys.argv[1], "--source", "shop")
"""


def test_without_the_one_transaction_a_kill_leaves_half_of_it(upload, environment):
    """The control: the same file by the command, which writes chunk by chunk. A kill can be seen."""
    with subprocess.Popen(
        [sys.executable, "-c", HALF, str(uploads.path_of(upload))],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_for(OrderLine.objects.exists)
        process.kill()
    assert 0 < OrderLine.objects.count() < ROWS
