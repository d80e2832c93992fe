"""The minute's look over real rows: what it finds, opens and closes again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from core import engine, pulse
from core.models import Alert, AlertMail, Arrival, Job, Pulse, Run
from crm import lookout, night, tasks
from tests.core.test_alerts import make_user
from tests.factories import make_business, make_order
from tests.nights import AS_OF

pytestmark = pytest.mark.django_db

AT = datetime(2026, 4, 1, 9, tzinfo=UTC)  # the morning after AS_OF


@pytest.fixture(autouse=True)
def awake():
    make_business()
    Pulse.objects.create(name=Pulse.WATCH, at=AT - timedelta(minutes=1), since=AT - timedelta(days=2))


def make_night(**fields):
    state = {"state": Run.State.DONE, "published_at": AT, "is_current": True}
    return Run.objects.create(**{"as_of": AS_OF, "started_at": AT, "step": "tidy"} | state | fields)


def open_keys():
    return sorted(Alert.objects.filter(closed_at=None).values_list("key", flat=True))


def look(minutes=0):
    lookout.look(at=AT + timedelta(minutes=minutes))
    return open_keys()


def test_all_is_well():
    make_night()
    assert look() == []
    assert Pulse.objects.get().at == AT


def test_a_failed_night_from_the_failure_to_the_good_end():
    run = make_night(state=Run.State.FAILED, is_current=False, published_at=None, step="score")
    job = Job.objects.create(
        run=run, step="score", state="dead", ready_at=AT, attempts=6, error="could not extend file (DiskFull)"
    )
    assert look() == [f"night-failed:{AS_OF}"]
    assert Alert.objects.get().facts == {"as_of": str(AS_OF), "run": run.pk, "why": "disk-full", "job": job.pk}
    engine.retry(job_id=job.pk, at=AT)
    assert look(1) == [f"night-failed:{AS_OF}"]
    Run.objects.update(state=Run.State.DONE, is_current=True, published_at=AT)
    assert look(2) == []
    assert Alert.objects.count() == 1


def test_a_late_night():
    make_night(as_of=AS_OF - timedelta(days=2))
    assert look() == [f"night-late:{AS_OF - timedelta(days=1)}"]
    make_night(as_of=AS_OF, is_current=False)
    Run.objects.filter(as_of__lt=AS_OF).update(is_current=False)
    Run.objects.filter(as_of=AS_OF).update(is_current=True)
    assert look(1) == []


def test_after_a_pause_the_night_gets_its_hour():
    Pulse.objects.update(at=AT - timedelta(hours=8))
    make_night(as_of=AS_OF - timedelta(days=1))
    assert look() == []
    for minutes in range(10, 70, 10):
        found = look(minutes)
    assert found == [f"night-late:{AS_OF}"]


class TestDeadJobs:
    def make(self, **fields):
        return Job.objects.create(
            **{"step": "import", "state": "dead", "ready_at": AT, "finished_at": AT, "error": "MemoryError"} | fields
        )

    def test_it_works(self):
        make_night()
        job = self.make()
        assert look() == [f"dead-job:{job.pk}"]
        assert Alert.objects.get().facts == {"job": job.pk, "name": "Import a file", "why": "memory"}
        engine.retry(job_id=job.pk, at=AT)
        assert look(1) == [f"dead-job:{job.pk}"]
        Job.objects.update(state="done", finished_at=AT)
        assert look(2) == []

    def test_one_that_nobody_wanted_again_for_a_month_is_history(self):
        make_night()
        self.make(finished_at=AT - timedelta(days=31))
        assert look() == []

    def test_a_file_that_was_tried_out_is_in_front_of_somebody(self):
        make_night()
        self.make(step="check_import")
        assert look() == []


class TestArrivals:
    def test_a_shop_that_falls_silent(self):
        make_night()
        for age in range(4, 24):
            pulse.note_arrival(day=AS_OF - timedelta(days=age - 1), at=AT)
        last = AS_OF - timedelta(days=3)
        assert look() == [f"import-stale:{last}"]
        lookout.note_arrival(at=AT)
        assert look(1) == []

    def test_the_day_is_the_business_s_own(self):
        make_business(time_zone="Pacific/Auckland")
        lookout.note_arrival(at=datetime(2026, 4, 1, 13, tzinfo=UTC))
        assert str(Arrival.objects.get().day) == "2026-04-02"

    def test_the_roll_up_notes_them_once_a_day(self):
        tasks.roll_up_days()
        assert not Arrival.objects.exists()
        for _ in range(2):
            make_order(day=AS_OF)
            tasks.roll_up_days()
        assert Arrival.objects.count() <= 1


@pytest.mark.django_db(transaction=True)
def test_the_task_looks_and_tells():
    make_user()
    Job.objects.create(step="import", state="dead", ready_at=AT, finished_at=datetime.now(UTC), error="MemoryError")
    tasks.watch()
    tasks.watch()
    assert [sent.subject for sent in mail.outbox] == ["My shop: The job “Import a file” failed"]
    assert AlertMail.objects.get().state == "sent"


def test_the_night_s_hour_is_the_schedule_s():
    make_night(as_of=AS_OF - timedelta(days=1))
    early = datetime(2026, 4, 1, 4, 59, tzinfo=UTC)
    Pulse.objects.update(at=early, since=early - timedelta(days=1))
    lookout.look(at=early)
    assert open_keys() == []
    assert night.due(at=early, hour=2) == AS_OF
