"""How a Celery worker ends in time: no new job from the signal on, and what takes too long is given back at once.

Celery itself would wait for a task as long as it takes, and whoever waits for Celery would then kill it: the job's row
would stay claimed until the sweeper's lease is over.
"""

import gc
import logging
import os
import signal
import threading
from contextlib import suppress
from typing import Any

from billiard import active_children
from celery.signals import worker_init, worker_shutdown, worker_shutting_down
from django.db import connection
from django.utils import timezone

from core import engine, stopping

log = logging.getLogger(__name__)

_all_ended = threading.Event()


@worker_init.connect
def share_memory(**told: Any) -> None:
    """Before the fork: what is loaded stays shared, because no collection writes into it any more."""
    gc.collect()
    gc.freeze()


@worker_shutting_down.connect
def end_in_time(**told: Any) -> None:
    """In the worker's parent process, when it is asked to stop."""
    if not stopping.begun():
        stopping.begin()
        threading.Thread(target=_end_late_ones, args=[stopping.GRACE_SECONDS]).start()


@worker_shutdown.connect
def say_that_all_ended(**told: Any) -> None:
    """The parent waits for the thread above before it ends, so the thread must not wait for nothing."""
    _all_ended.set()


def _end_late_ones(grace_seconds: float) -> None:
    if _all_ended.wait(grace_seconds):
        return
    late = [child.pid for child in active_children() if child.pid]
    for pid in late:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    try:
        given = engine.give_back(workers=[engine.worker_name(pid) for pid in late], at=timezone.now())
    finally:
        connection.close()
    if given:
        log.warning("%d jobs took longer than %g s to end and were given back", given, grace_seconds)
