"""Which alerts should be open, for facts that are given: nights, arrivals and jobs."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.models import Alert
from crm import watching
from crm.watching import DeadJob, Facts, Night

DUE = date(2026, 11, 21)
TODAY = DUE + timedelta(days=1)
KINDS = Alert.Kind


def facts(*, hour=9, **fields):
    at = datetime(TODAY.year, TODAY.month, TODAY.day, hour, tzinfo=UTC)
    return Facts(
        **{"at": at, "due": DUE, "night_hour": 2, "awake_since": at - timedelta(days=3), "shown": DUE}
        | {"last": Night(run=1, as_of=DUE, state="done")}
        | fields
    )


def keys(known):
    return [cause.key for cause in watching.judge(known).causes]


def test_all_is_well():
    assert keys(facts()) == []


class TestFailedNight:
    FAILED = Night(run=7, as_of=DUE, state="failed", why="disk-full", job=81)

    def test_it_works(self):
        (cause,) = watching.judge(facts(last=self.FAILED, shown=DUE - timedelta(days=1))).causes
        assert (cause.key, cause.kind) == ("night-failed:2026-11-21", KINDS.NIGHT_FAILED)
        assert cause.facts == {"as_of": "2026-11-21", "run": 7, "why": "disk-full", "job": 81}

    def test_one_that_is_tried_again_is_held(self):
        known = frozenset({"night-failed:2026-11-21", "night-late:2026-11-20"})
        verdict = watching.judge(facts(last=Night(run=7, as_of=DUE, state="running"), known=known))
        assert (verdict.causes, verdict.held) == ([], {"night-failed:2026-11-21"})

    def test_once_it_is_done_nothing_is_held(self):
        assert watching.judge(facts(known=frozenset({"night-failed:2026-11-21"}))).held == frozenset()

    def test_a_night_for_a_past_date_tells_whoever_started_it(self):
        past = Night(run=7, as_of=DUE - timedelta(days=90), state="failed", is_past=True)
        assert keys(facts(last=past)) == []


class TestLateNight:
    OLD = {"shown": DUE - timedelta(days=1), "last": Night(run=1, as_of=DUE - timedelta(days=1), state="done")}

    @pytest.mark.parametrize(("hour", "late"), [(2, False), (4, False), (5, True), (23, True)])
    def test_from_three_hours_after_the_night_s_hour_on(self, hour, late):
        assert keys(facts(hour=hour, **self.OLD)) == (["night-late:2026-11-21"] if late else [])

    def test_the_same_cause_until_it_is_there_whatever_the_day(self):
        two_behind = facts(hour=9, **self.OLD | {"shown": DUE - timedelta(days=2)})
        after_midnight = facts(hour=1, **self.OLD | {"shown": DUE - timedelta(days=2)})
        assert keys(two_behind) == keys(after_midnight) == ["night-late:2026-11-20"]
        assert watching.judge(two_behind).causes[0].facts["behind"] == 2
        assert watching.judge(after_midnight).causes[0].facts["behind"] == 1

    def test_a_machine_that_slept_has_an_hour_to_catch_up(self):
        at = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)
        assert keys(facts(**self.OLD, awake_since=at - timedelta(minutes=59))) == []
        assert keys(facts(**self.OLD, awake_since=at - timedelta(minutes=61))) == ["night-late:2026-11-21"]

    def test_no_second_alert_for_a_night_that_failed(self):
        failed = self.OLD | {"last": Night(run=7, as_of=DUE, state="failed")}
        assert keys(facts(**failed)) == ["night-failed:2026-11-21"]

    def test_one_that_runs_for_hours_is_late(self):
        running = self.OLD | {"last": Night(run=7, as_of=DUE, state="running")}
        assert keys(facts(**running)) == ["night-late:2026-11-21"]

    def test_a_shop_without_any_night(self):
        assert keys(facts(shown=None, last=None)) == ["night-late:first"]


class TestStaleFacts:
    def every(self, days, *, last, count=20):
        return [TODAY - timedelta(days=last + days * number) for number in reversed(range(count))]

    @pytest.mark.parametrize(
        ("pace", "age", "stale"),
        [(1, 3, False), (1, 4, True), (7, 21, False), (7, 22, True), (30, 90, False), (30, 91, True)],
    )
    def test_after_three_times_the_usual_gap(self, pace, age, stale):
        arrivals = self.every(pace, last=age)
        assert keys(facts(arrivals=arrivals)) == ([f"import-stale:{arrivals[-1]}"] if stale else [])

    def test_it_says_how_old_and_how_often(self):
        (cause,) = watching.judge(facts(arrivals=self.every(2, last=9))).causes
        assert cause.facts == {"last_on": "2026-11-13", "age_days": 9, "usual_days": 2}

    def test_weekends_do_not_make_a_daily_shop_slow(self):
        weekdays = [day for day in self.every(1, last=1, count=30) if day.weekday() < 5]
        assert watching.usual_gap(weekdays) == 1

    def test_never_for_a_shop_without_a_pace(self):
        assert keys(facts(arrivals=self.every(1, last=60, count=4))) == []
        assert keys(facts(arrivals=self.every(1, last=60, count=10))) == []  # ten days of setting up
        assert keys(facts(arrivals=[])) == []


class TestDeadJobs:
    def test_it_works(self):
        (cause,) = watching.judge(facts(dead=[DeadJob(job=81, name="Import a file", why="data")])).causes
        assert (cause.key, cause.kind, cause.facts["why"]) == ("dead-job:81", KINDS.JOB_DEAD, "data")

    def test_one_that_is_tried_again_is_held_and_no_other(self):
        known = frozenset({"dead-job:81", "dead-job:8"})
        assert watching.judge(facts(tried_again=frozenset({81}), known=known)).held == {"dead-job:81"}
