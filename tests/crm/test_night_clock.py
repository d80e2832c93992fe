"""One night for each business date: through both changes of the clock, for three beats at once, with any workers."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from analytics.services import scoring
from core import engine
from core.models import Run
from crm import night, schedule
from tests import nights
from tests.factories import make_business
from tests.nights import AS_OF, score_rows

HOUR = schedule.NIGHT_HOUR
STEP = timedelta(minutes=5)  # as often as the beat asks
CHANGES = [
    ("UTC", date(2026, 3, 29), 1),
    ("Europe/Berlin", date(2026, 3, 29), 0),  # 02:00 to 03:00 is not there
    ("Europe/Berlin", date(2026, 10, 25), 2),  # 02:00 to 03:00 is there twice
    ("Australia/Lord_Howe", date(2026, 10, 4), 0),  # 02:00 to 02:30 is not there
    ("Australia/Lord_Howe", date(2026, 4, 5), 1),  # 01:30 to 02:00 is there twice
]


def moments(zone, change):
    """Every five minutes from two days before a change until the end of the day after it."""
    at = datetime(change.year, change.month, change.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(days=2)
    while at.astimezone(ZoneInfo(zone)).date() <= change + timedelta(days=1):
        yield at
        at += STEP


def see_through(run):
    """The night is published before the beat asks again."""
    Run.objects.filter(is_current=True).update(is_current=False)
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE, is_current=True, published_at=run.started_at)


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "change", "naive"), CHANGES)
def test_asked_every_five_minutes_each_date_has_one_night(zone, change, naive):
    make_business(time_zone=zone)
    began = []
    for at in moments(zone, change):
        if (started := night.start_if_due(at=at, hour=HOUR)) is not None:
            see_through(started.run)
            began.append((started.run.as_of, at.astimezone(ZoneInfo(zone))))
    dates = [change + timedelta(days=number) for number in (-3, -2, -1, 0)]
    assert [day for day, _ in began] == dates
    assert list(Run.objects.order_by("as_of").values_list("as_of", "revision")) == [(day, 1) for day in dates]
    assert all(local.date() == day + timedelta(days=1) and local.hour in {HOUR, HOUR + 1} for day, local in began)


@pytest.mark.parametrize(("zone", "change", "naive"), CHANGES)
def test_the_negative_control_starts_at_two_by_the_clock_on_the_wall(zone, change, naive):
    """What a crontab in local time does on the day of the change: never, or twice."""
    local = [at.astimezone(ZoneInfo(zone)) for at in moments(zone, change)]
    assert sum(at.date() == change and (at.hour, at.minute) == (HOUR, 0) for at in local) == naive


UNIQUE = ("one_run_per_date_and_revision", "one_run_at_a_time")


@pytest.fixture
def unprotected(transactional_db):
    """The table without the rules that make a run unique."""
    rules = [rule for rule in Run._meta.constraints if rule.name in UNIQUE]
    with connection.schema_editor() as editor:
        for rule in rules:
            editor.remove_constraint(Run, rule)
    yield
    Run.objects.all().delete()
    with connection.schema_editor() as editor:
        for rule in rules:
            editor.add_constraint(Run, rule)


@pytest.mark.django_db(transaction=True)
class TestThreeBeatsThatAllHaveLooked:
    """None of them begins before all have seen that no night is there: the worst that can happen."""

    AT = datetime(2026, 4, 1, 3, tzinfo=UTC)

    @pytest.fixture(autouse=True)
    def together(self, monkeypatch):
        make_business()
        looked, ask = threading.Barrier(3), night.settings_now

        def wait_for_the_others():
            looked.wait(timeout=60)
            return ask()

        monkeypatch.setattr(night, "settings_now", wait_for_the_others)

    def begin(self):
        started = []

        def work():
            try:
                started.append(night.start_if_due(at=self.AT, hour=HOUR))
            finally:
                connection.close()

        beats = [threading.Thread(target=work) for _ in range(3)]
        for beat in beats:
            beat.start()
        for beat in beats:
            beat.join()
        return sum(one is not None for one in started)

    def test_one_begins(self):
        assert (self.begin(), Run.objects.count()) == (1, 1)

    def test_the_negative_control_begins_three(self, unprotected):
        assert (self.begin(), Run.objects.count()) == (3, 3)


def work_together(run, workers):
    """So many workers, each with a connection of its own, until the night is done."""

    def work():
        try:
            while Run.objects.get(pk=run.pk).state == Run.State.RUNNING:
                engine.work_off(steps=night.STEPS, seconds=60, run_id=run.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_one_two_and_four_workers_write_the_same_rows(monkeypatch):
    monkeypatch.setattr(scoring, "SHARD_ROWS", 3)
    nights.make_random_shop(5, customers=40)
    found, shards = [], []
    for workers in (1, 1, 2, 4):
        run = night.start(as_of=AS_OF, at=timezone.now()).run
        work_together(run, workers)
        found.append((score_rows(run), Run.objects.get(pk=run.pk).stats))
        shards.append(run.jobs.filter(step="score").count())
        Run.objects.update(settings={})  # so that the same date is made again
    assert min(shards) > 4
    assert all(rows == found[0] for rows in found[1:])
    assert len({len(rows) for rows, _ in found}) == 1
    assert len(found[0][0]) > 20
