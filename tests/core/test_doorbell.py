"""Ringing: after the commit, once per task and time, and never in the way of what was committed."""

from functools import partial

import pytest
from celery import current_app
from django.conf import settings
from django.db import transaction

from core import doorbell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch):
    names = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: names.append(name))
    return names


def test_it_rings_after_the_commit(sent):
    with transaction.atomic():
        doorbell.ring("jobs", times=2)
        assert sent == []
    assert sent == ["crm.tasks.work"] * 2


def test_a_rollback_rings_nothing(sent):
    with transaction.atomic():
        doorbell.ring("jobs")
        transaction.set_rollback(True)
    assert sent == []


def test_every_bell_is_answered_by_tasks_that_exist():
    current_app.loader.import_default_modules()
    answers = [task for tasks in settings.DOORBELLS.values() for task in tasks]
    timed = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    assert set(answers + timed) <= set(current_app.tasks)


def test_the_message_is_in_redis(redis_client):
    doorbell.ring("jobs")
    assert redis_client.llen("celery") == 1


def test_without_redis_the_commit_stands_and_says_so(monkeypatch, caplog):
    with current_app.connection_for_write("redis+socket:///nowhere/redis.sock") as nowhere:
        send = partial(current_app.send_task, connection=nowhere)
        monkeypatch.setattr(current_app, "send_task", send)
        with transaction.atomic():
            doorbell.ring("jobs")
    assert "the sweeper will look in" in caplog.text


def test_an_unknown_bell_is_refused():
    with pytest.raises(KeyError):
        doorbell.ring("nobody")


class TestManyAtOnce:
    @pytest.fixture(autouse=True)
    def at(self, monkeypatch):
        """The clock, in seconds."""
        now = [1000.0]
        monkeypatch.setattr(doorbell.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(doorbell, "_spoken_for", {})
        monkeypatch.setitem(settings.DOORBELLS, "orders", ["one.task"])
        return now

    @pytest.fixture
    def sent(self, monkeypatch, at):
        """When the tasks that were sent begin at the earliest."""
        starts = []
        monkeypatch.setattr(current_app, "send_task", lambda name, **said: starts.append(at[0] + said["countdown"]))
        return starts

    def test_they_share_a_ring(self, at, sent):
        for _ in range(50):
            doorbell.ring_once_for_many("orders")
        assert len(sent) == 1

    def test_every_commit_is_followed_by_the_start_of_a_task(self, at, sent):
        commits = [1000.0, 1000.1, 1000.29, 1000.31, 1000.5, 1002.0]
        for at[0] in commits:
            doorbell.ring_once_for_many("orders")
        assert len(sent) == 3
        assert all(any(commit < start <= commit + 1 for start in sent) for commit in commits)

    def test_a_ring_that_was_not_heard_speaks_for_nobody(self, at, sent, monkeypatch):
        def fail(name, **said):
            raise OSError

        with monkeypatch.context() as patch:
            patch.setattr(current_app, "send_task", fail)
            doorbell.ring_once_for_many("orders")
        doorbell.ring_once_for_many("orders")
        assert len(sent) == 1
