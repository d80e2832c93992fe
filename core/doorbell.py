"""The doorbell: tells workers that there is work. A lost ring costs a minute: the sweeper looks into the rows."""

import logging
import time
from typing import Final

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.3
# By bell: the time until which the last ring of this process speaks for all, because its task starts after it.
_spoken_for: dict[str, float] = {}


def ring(bell: str, *, times: int = 1) -> None:
    """Send the tasks that answer `bell` (settings.DOORBELLS) once the transaction is committed."""
    tasks = settings.DOORBELLS[bell]
    transaction.on_commit(lambda: _send(tasks * times), robust=True)


def ring_once_for_many(bell: str) -> None:
    """The same for facts that come one by one, hundreds a second: a third of a second of them shares a ring."""
    transaction.on_commit(lambda: _gather(bell), robust=True)


def _gather(bell: str) -> None:
    now = time.monotonic()
    if now < _spoken_for.get(bell, 0):
        return
    if _send(settings.DOORBELLS[bell], after=GATHER_SECONDS):
        _spoken_for[bell] = now + GATHER_SECONDS


def _send(tasks: list[str], *, after: float | None = None) -> bool:
    try:
        for name in tasks:
            current_app.send_task(name, retry=False, ignore_result=True, countdown=after)
    except (OperationalError, OSError) as error:
        log.warning("doorbell not heard, the sweeper will look in: %s", error)
        return False
    return True
