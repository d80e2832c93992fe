"""The Celery application: `celery -A crm worker` and `celery -A crm beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
# This module loads before numpy. Threads of OpenBLAS wait by spinning, and cost a fit 2.6 times its CPU.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = Celery("perennial")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def keep_logging(**told: Any) -> None:
    """Celery leaves logging alone once somebody says that it is set up: by Django, for all processes alike."""
