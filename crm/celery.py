"""The Celery application: `celery -A crm worker` and `celery -A crm beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
# This module loads before numpy. Threads of OpenBLAS wait by spinning, and cost a fit 2.6 times its CPU.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = Celery("perennial")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
