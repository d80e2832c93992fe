"""What Prometheus reads: the web server's own counters of all its processes, and the state of the work in hand."""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import Count, Max, Min
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from core.models import Alert, Job, Pulse, Run

NEVER: Final = float("nan")


class WorkCollector(Collector):
    """Four short queries at each scrape; nothing of it is kept between scrapes."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        yield _jobs()
        waiting = Job.objects.filter(state=Job.State.READY, ready_at__lte=now).aggregate(first=Min("ready_at"))["first"]
        yield _gauge("oldest_waiting_job_seconds", "Age of the job that waits longest.", _age(waiting, now) or 0.0)
        published = Run.objects.filter(is_past=False).aggregate(last=Max("published_at"))["last"]
        yield _gauge("last_published_night_seconds", "Time since a night was published.", _age(published, now))
        pulse = Pulse.objects.filter(name=Pulse.WATCH).values_list("at", flat=True).first()
        yield _gauge("last_watch_seconds", "Time since a worker answered the beat.", _age(pulse, now))
        yield _gauge("alerts_open", "Alerts whose cause is there.", Alert.objects.filter(closed_at=None).count())


def _jobs() -> GaugeMetricFamily:
    family = GaugeMetricFamily("perennial_jobs", "Jobs by state.", labels=["state"])
    counted = dict(Job.objects.order_by().values_list("state").annotate(Count("pk")))
    for state in Job.State.values:
        family.add_metric([state], counted.get(state, 0))
    return family


def _gauge(name: str, meaning: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"perennial_{name}", meaning, value=NEVER if value is None else value)


def _age(moment: datetime | None, now: datetime) -> float | None:
    return (now - moment).total_seconds() if moment else None


def text() -> bytes:
    """Everything in Prometheus's text format. Processes share a directory (gunicorn.conf.py)."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + _work()
    return generate_latest(REGISTRY) + _work()


def _work() -> bytes:
    registry = CollectorRegistry()
    registry.register(WorkCollector())
    return generate_latest(registry)
