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
