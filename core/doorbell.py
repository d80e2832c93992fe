"""The doorbell: tells workers that there is work. A lost ring costs a minute: the sweeper looks into the rows."""

import logging

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def ring(bell: str, *, times: int = 1) -> None:
    """Send the tasks that answer `bell` (settings.DOORBELLS) once the transaction is committed."""
    tasks = settings.DOORBELLS[bell]
    transaction.on_commit(lambda: _send(tasks, times), robust=True)


def _send(tasks: list[str], times: int) -> None:
    try:
        for name in tasks * times:
            current_app.send_task(name, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("doorbell not heard, the sweeper will look in: %s", error)
