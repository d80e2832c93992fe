"""The nights that a shop of some age has behind it: they make value over time and moves between segments real."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from django.db.models import Min
from django.utils import timezone

from core import business, engine
from core.models import Run
from crm import night
from customers.models import Order

MONTHS: Final = 13


class NightFailed(Exception):
    """A night of the past did not come to its end."""


def run_nights(*, until: date | None = None, watch: Callable[[Run], None] = lambda run: None) -> int:
    """Run the nights of the past month ends, of the day before the last and of the last day; how many were run.

    `until` is by default the last complete business day. Nights that are there already, and days before the first
    order, are passed over. Raises NightFailed, or night.AnotherRunIsAtWork.
    """
    last = until or business.last_complete_day(business=business.current(), at=timezone.now())
    ran = 0
    for day in due(last):
        started = night.start(as_of=day, at=timezone.now())
        run = engine.drive(run_id=started.run.pk, steps=night.STEPS) if is_open(started.run) else started.run
        if run.state != Run.State.DONE:
            raise NightFailed(f"{run} failed. {run.error}")
        watch(run)
        ran += started.is_new
    return ran


def is_open(run: Run) -> bool:
    return run.state == Run.State.RUNNING


def due(until: date) -> list[date]:
    """The days that deserve a night, the earliest first."""
    first = Order.objects.aggregate(day=Min("placed_on"))["day"]
    return [day for day in days(until) if first is not None and day >= first]


def days(until: date) -> list[date]:
    """The last 13 month ends before `until`, the day before it, and itself."""
    ends = []
    end = until
    for _ in range(MONTHS):
        end = end.replace(day=1) - timedelta(days=1)
        ends.append(end)
    return sorted({*ends, until - timedelta(days=1), until})
