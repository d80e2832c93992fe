"""The night for a business date, in the foreground: works without a running worker, and shares with one."""

import subprocess
import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core import business, engine
from core.models import Job, Run
from crm import night
from crm.night_report import lines

Child = subprocess.Popen[bytes]


class Command(BaseCommand):
    help = "Recompute value, churn risk and segments for a business date and publish them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", type=_date, metavar="YYYY-MM-DD", help="default: the last complete day")
        parser.add_argument("--workers", type=_positive, default=1, metavar="N", help="processes that share the work")
        parser.add_argument("--join", type=int, metavar="RUN", help="help with a run that is at work")

    def handle(self, *, as_of: date | None, workers: int, join: int | None, **options: Any) -> None:
        if join is not None:
            engine.drive(run_id=join, steps=night.STEPS)
            return
        now = timezone.now()
        last_day = business.last_complete_day(business=business.current(), at=now)
        day = as_of or last_day
        if day > last_day:
            raise CommandError(f"{day} is not over yet; the last complete business day is {last_day}.", returncode=2)
        self._run(day=day, workers=workers)

    def _run(self, *, day: date, workers: int) -> None:
        try:
            started = night.start(as_of=day, at=timezone.now())
        except night.AnotherRunIsAtWork as error:
            raise CommandError(str(error)) from error
        run = started.run
        if run.state == Run.State.DONE:
            self.stdout.write(f"{run}: nothing has changed since it was published; nothing to do.")
        else:
            run = self._see_through(run=run, workers=workers)
        for line in lines(run):
            self.stdout.write(line)

    def _see_through(self, *, run: Run, workers: int) -> Run:
        self.stderr.write(f"{run}{' (a past date: kept, not shown)' if run.is_past else ''}")
        helpers = [_helper(run.pk) for _ in range(workers - 1)]
        try:
            run = engine.drive(run_id=run.pk, steps=night.STEPS, watch=_Progress(self).show)
        finally:
            for helper in helpers:
                helper.wait()
        if run.state == Run.State.FAILED:
            raise CommandError(f"{run} failed. {run.error} The last published night stays in place.")
        return run


class _Progress:
    """Says once of each step how many rows it did and how long it took."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.said: set[str] = set()

    def show(self, run: Run) -> None:
        for step in night.STEPS:
            jobs = list(run.jobs.filter(step=step).order_by("shard"))
            if step not in self.said and jobs and all(job.state == Job.State.DONE for job in jobs):
                self.said.add(step)
                rows, seconds = sum(job.done for job in jobs), sum(job.seconds or 0 for job in jobs)
                self.command.stderr.write(f"  {step:<10} {rows:>12,} rows {seconds:>8.2f} s")


def _helper(run_id: int) -> Child:
    return subprocess.Popen([sys.executable, sys.argv[0], "nightly", "--join", str(run_id)])


def _date(value: str) -> date:
    return date.fromisoformat(value)


def _positive(value: str) -> int:
    number = int(value)
    if not 1 <= number <= 64:
        raise ValueError(value)
    return number
