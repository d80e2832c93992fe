"""A night while its workers are killed: readers see one published night, whole, and the night completes by itself.

The short form runs with every test; SOAK=1 takes 200,000 customers, ten kills and the sweeper's real minute.
"""

import os
import time
from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.utils import timezone

from analytics.services import partitions
from benchmarks import big_shop
from core import business
from core.models import Job, Run
from crm import night
from tests.faults.celery import Processes, wait_for
from tests.faults.reader import Reader
from tests.nights import pass_night

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SOAK = os.environ.get("SOAK") == "1"
SEED = int(os.environ.get("SEED", time.time_ns() % 10**6))
CUSTOMERS = 200_000 if SOAK else 8_000
KILLS = 10 if SOAK else 2
LAST = big_shop.LAST_DAY
SETTINGS = "tests.settings" if SOAK else "tests.faults.fast"


@pytest.fixture
def celery(environment, tmp_path):
    processes = Processes(environment | {"DJANGO_SETTINGS_MODULE": SETTINGS}, tmp_path)
    yield processes
    processes.kill_all()


@pytest.fixture
def fast_celery(environment, tmp_path):
    processes = Processes(environment | {"DJANGO_SETTINGS_MODULE": "tests.faults.fast"}, tmp_path)
    yield processes
    processes.kill_all()


@pytest.fixture
def shop():
    """Facts and a first night; for the beat, tonight's is done, so that it starts none between ours."""
    big_shop.make(customers=CUSTOMERS, orders=CUSTOMERS * 5)
    now = timezone.now()
    tonight = business.last_complete_day(business=business.current(), at=now)
    Run.objects.create(as_of=tonight, state=Run.State.DONE, started_at=now)
    return pass_night(LAST)


@pytest.fixture
def small_shop():
    """The same for what any size shows."""
    big_shop.make(customers=500, orders=2_500)
    return pass_night(LAST)


def at_work():
    """The claims that somebody works on just now."""
    return list(Job.objects.filter(state=Job.State.CLAIMED).values_list("pk", "attempts"))


def running():
    return Run.objects.filter(state=Run.State.RUNNING).first()


def begin_night(number):
    big_shop.buy_next_day(share=0.1, customers=CUSTOMERS, seed=number, day=number)
    return night.start(as_of=LAST + timedelta(days=number), at=timezone.now()).run


def wait_for_work(step):
    """Wait until somebody works on this step of the night, or on one after it; False when the night ended before."""
    wanted = list(night.STEPS)[list(night.STEPS).index(step) :]
    claimed = Job.objects.filter(state=Job.State.CLAIMED, step__in=wanted)
    wait_for(lambda: running() is None or claimed.exists(), pause=0.002)
    return running() is not None


def taken_up_again(claims):
    """How long until none of these claims is open: given to somebody else, or done by a commit that was on its way."""
    killed = time.monotonic()
    wait_for(lambda: not set(claims) & set(at_work()), pause=0.1)
    wait_for(lambda: running() is None or at_work(), pause=0.1)
    return time.monotonic() - killed


def test_kill_9_at_random_points(shop, celery, other_connection):
    chance, waits = Random(SEED), []
    hit: list[str] = []
    targets = sorted(chance.choices(list(night.STEPS), k=KILLS), key=list(night.STEPS).index)
    celery.beat()
    with Reader(other_connection) as reader:
        celery.worker()
        nights = 1
        begin_night(nights)
        for step in targets:
            while not wait_for_work(step):
                nights += 1
                begin_night(nights)
            time.sleep(chance.uniform(0, 0.5))
            celery.kill("worker")
            time.sleep(0.3)  # what the dead worker had sent by then may still be committed
            claims = at_work()
            hit += Job.objects.filter(pk__in=[job for job, _ in claims]).values_list("step", flat=True)
            celery.worker()
            waits.append(taken_up_again(claims))
        wait_for(lambda: running() is None)
    print(
        f"\nseed {SEED}: {KILLS} kills of {CUSTOMERS:,} customers' nights, in {', '.join(hit) or 'no step'};"
        f" {nights} nights, {sum(reader.reads.values()):,} reads of {len(reader.reads)} published runs,"
        f" {len(reader.wrong)} wrong; taken up again after {', '.join(f'{wait:.1f}' for wait in waits)} s"
    )
    assert reader.wrong == []
    assert reader.reads[shop.pk] > 0
    assert not Run.objects.exclude(state=Run.State.DONE).exists(), celery.said("worker")
    assert Run.objects.get(is_current=True).as_of == LAST + timedelta(days=nights)
    assert Job.objects.filter(losses__gt=0).exists() or not hit


def test_without_the_new_table_the_reader_finds_mixed_rows(small_shop, other_connection):
    """The negative control: scores written shard by shard into the table that is read."""
    table = partitions.table_of(small_shop.pk)
    with Reader(other_connection) as reader:
        wait_for(lambda: reader.reads)
        assert reader.wrong == []
        while not reader.wrong:
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE {table} SET value_cents = value_cents + 1 WHERE customer_id % 2 = 0")
    assert "should show" in reader.wrong[0]


def test_a_worker_hears_the_bell_without_any_sweeper(fast_celery):
    fast_celery.worker()
    warm = night.start(as_of=LAST, at=timezone.now()).run
    wait_for(lambda: Run.objects.get(pk=warm.pk).state == Run.State.DONE)
    started = time.monotonic()
    run = night.start(as_of=LAST + timedelta(days=1), at=timezone.now()).run
    wait_for(lambda: run.jobs.filter(attempts__gt=0).exists(), pause=0.002)
    heard = time.monotonic() - started
    wait_for(lambda: Run.objects.get(pk=run.pk).state == Run.State.DONE)
    print(f"\nthe bell was heard after {heard:.3f} s, the night done after {time.monotonic() - started:.2f} s")


def test_redis_loses_every_bell_and_the_sweeper_finishes(fast_celery, redis_client):
    run = night.start(as_of=LAST, at=timezone.now()).run
    assert redis_client.llen("celery") > 0
    redis_client.flushdb()
    assert redis_client.llen("celery") == 0
    fast_celery.worker()
    fast_celery.beat()
    wait_for(lambda: Run.objects.get(pk=run.pk).state == Run.State.DONE)


def test_beat_begins_the_night_that_is_due(fast_celery):
    fast_celery.worker()
    fast_celery.beat()
    run = wait_for(lambda: Run.objects.filter(state=Run.State.DONE).first())
    assert (run.is_current, Run.objects.count()) == (True, 1)
