"""Before the web server forks: the servers that the URLs name are fit, or the embedded ones run. And how it ends."""

import gc
import os
import shutil
import tempfile
import threading
from types import MethodType
from typing import Any

from core import boot, logs, stopping

# Every worker process counts into a file of its own here, and /metrics adds them up.
_counters = os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="perennial-metrics-"))

# Only Django decides whose X-Forwarded headers count (TRUSTED_PROXIES); gunicorn would believe every local caller.
forwarded_allow_ips = ""
graceful_timeout = stopping.GRACE_SECONDS
_form = os.environ.get("LOG_FORMAT", "console")
logconfig_dict = logs.config(form=_form, level=os.environ.get("LOG_LEVEL") or logs.LEVELS[_form])


def on_starting(server: Any) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    boot.prepare(["gunicorn", "web"])
    server.handle_term = MethodType(_drain, server)


def when_ready(server: Any) -> None:
    """Before the fork: what is loaded stays shared, because no collection writes into it any more."""
    gc.collect()
    gc.freeze()


def _drain(server: Any) -> None:
    """On SIGTERM say "not ready" first, go on answering for DRAIN_SECONDS, then let requests in hand finish."""
    if stopping.begun() or not stopping.DRAIN_SECONDS:
        stopping.begin()
        raise StopIteration
    stopping.begin()
    timer = threading.Timer(stopping.DRAIN_SECONDS, server.signal, args=[15, None])
    timer.daemon = True
    timer.start()


def on_exit(server: Any) -> None:
    shutil.rmtree(_counters, ignore_errors=True)
