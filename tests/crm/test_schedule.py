"""When the night is due: once per business date, in every zone, on days of 23, 24 and 25 hours."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from core.models import Job, Run
from crm import bulk_tags, night, schedule, tasks
from tests.factories import make_business
from tests.nights import AS_OF, pass_night

HOUR = schedule.NIGHT_HOUR
QUARTER = timedelta(minutes=15)


def note_run(day, **fields):
    return Run.objects.create(as_of=day, state=Run.State.DONE, started_at=datetime(2026, 1, 1, tzinfo=UTC), **fields)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", [date(2026, 3, 29)]),
        ("Europe/Berlin", [date(2026, 3, 29), date(2026, 10, 25)]),  # 02:00 is not there; 02:30 is there twice
        ("Australia/Lord_Howe", [date(2026, 4, 5), date(2026, 10, 4)]),  # half an hour at 02:00
    ],
)
def test_one_night_for_each_business_date_through_both_changes_of_the_clock(zone, days):
    make_business(time_zone=zone)
    for change in days:
        Run.objects.all().delete()
        at = datetime(change.year, change.month, change.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(days=2)
        began = []
        while at.astimezone(ZoneInfo(zone)).date() <= change + timedelta(days=1):
            if (day := night.due(at=at, hour=HOUR)) is not None:
                note_run(day)
                began.append((at.astimezone(ZoneInfo(zone)), day))
            at += QUARTER
        assert [day for _, day in began] == [change + timedelta(days=n) for n in (-3, -2, -1, 0)]
        assert all(local.date() == day + timedelta(days=1) for local, day in began)
        assert all(local.hour in {HOUR, HOUR + 1} for local, _ in began)


@pytest.mark.django_db
class TestDue:
    def at(self, hour, day=AS_OF + timedelta(days=1)):
        return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)

    def test_it_is_due_from_its_hour_on(self):
        assert night.due(at=self.at(HOUR), hour=HOUR) == AS_OF
        assert night.due(at=self.at(23), hour=HOUR) == AS_OF

    def test_not_before_its_hour(self):
        assert night.due(at=self.at(HOUR - 1), hour=HOUR) is None

    @pytest.mark.parametrize("state", Run.State.values)
    def test_not_when_the_date_has_a_run_whatever_became_of_it(self, state):
        Run.objects.create(as_of=AS_OF, state=state, started_at=self.at(HOUR))
        assert night.due(at=self.at(HOUR), hour=HOUR) is None

    def test_never_backwards(self):
        note_run(AS_OF + timedelta(days=1), is_current=True, published_at=self.at(0))
        assert night.due(at=self.at(HOUR), hour=HOUR) is None


@pytest.mark.django_db
class TestMissedNights:
    """The machine was off for some days: each of them gets its night, in order, before the one of yesterday."""

    AT = datetime(2026, 4, 1, 0, 30, tzinfo=UTC)  # before the hour of the night that is due next

    def current(self, days_before):
        return note_run(AS_OF - timedelta(days=days_before), is_current=True, published_at=self.AT)

    def test_it_works(self):
        self.current(3)
        assert night.missed(before=AS_OF) == [AS_OF - timedelta(days=2), AS_OF - timedelta(days=1)]
        assert night.due(at=self.AT, hour=HOUR) == AS_OF - timedelta(days=2)

    def test_what_was_tried_already_is_passed_over(self):
        self.current(3)
        note_run(AS_OF - timedelta(days=2))
        assert night.due(at=self.AT, hour=HOUR) == AS_OF - timedelta(days=1)

    def test_none_is_missing(self):
        self.current(1)
        assert night.missed(before=AS_OF) == []
        assert night.due(at=self.AT, hour=HOUR) is None

    def test_a_shop_without_a_night_has_missed_none(self):
        assert night.missed(before=AS_OF) == []

    def test_longer_than_scores_are_kept_is_a_new_beginning(self):
        run = self.current(35)
        assert len(night.missed(before=AS_OF)) == 34
        run.as_of -= timedelta(days=1)
        run.save(update_fields=["as_of"])
        assert night.missed(before=AS_OF) == []


@pytest.mark.django_db(transaction=True)
class TestThreeBeatsAtOnce:
    AT = datetime(2026, 4, 1, 3, tzinfo=UTC)

    def ask_together(self, ask):
        barrier, answers = threading.Barrier(3), []

        def work():
            try:
                barrier.wait()
                answers.append(ask())
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def test_one_run_begins(self):
        answers = self.ask_together(lambda: night.start_if_due(at=self.AT, hour=HOUR))
        assert sorted(started is not None for started in answers) == [False, False, True]
        assert Run.objects.count() == 1

    def test_started_by_hand_three_times_is_one_run(self):
        answers = self.ask_together(lambda: night.start(as_of=AS_OF, at=self.AT))
        assert {started.run.pk for started in answers} == {Run.objects.get().pk}
        assert sum(started.is_new for started in answers) == 1

    def test_without_the_row_there_would_be_three(self):
        """The negative control: three look whether there is a run, and each one then makes its own."""
        looked = threading.Barrier(3)

        def ask():
            day = night.due(at=self.AT, hour=HOUR)
            looked.wait()
            return day

        assert self.ask_together(ask) == [AS_OF] * 3

    def test_a_beat_that_comes_late_makes_no_revision(self):
        pass_night(AS_OF)
        assert night.start_if_due(at=self.AT, hour=HOUR) is None

    def test_while_another_night_runs_the_beat_asks_again_later(self):
        night.start(as_of=AS_OF - timedelta(days=5), at=self.AT)
        assert night.start_if_due(at=self.AT, hour=HOUR) is None
        assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_tasks_see_a_night_through_without_a_bell():
    started = night.start(as_of=AS_OF, at=timezone.now())
    tasks.sweep()
    started.run.refresh_from_db()
    assert started.run.state == Run.State.DONE


@pytest.mark.django_db
def test_the_sweep_rings_for_work_that_has_tasks_of_its_own_and_does_none_of_it(monkeypatch):
    rung: list[str] = []
    job = Job.objects.create(step=bulk_tags.TAG, ready_at=timezone.now())
    monkeypatch.setattr(tasks.doorbell, "ring", lambda bell, **options: rung.append(bell))
    tasks.sweep()
    job.refresh_from_db()
    assert (rung, job.state) == ([bulk_tags.BELL], Job.State.READY)


@pytest.mark.django_db(transaction=True)
def test_the_task_begins_what_is_due(monkeypatch):
    monkeypatch.setattr(schedule, "NIGHT_HOUR", 0)
    first, second = tasks.night_if_due(), tasks.night_if_due()
    assert (first, second) == (Run.objects.get().pk, None)
