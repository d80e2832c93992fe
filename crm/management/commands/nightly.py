"""The night for a business date, in the foreground: works without a running worker, and shares with one."""

from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress
from datetime import date
from typing import Any

from billiard import Process
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from core import arguments, business, engine
from core.models import Job, Run
from crm import night
from crm.night_report import lines

MOST_WORKERS = 64
INTERRUPTED = 130  # as shells say it of Ctrl-C


class Command(BaseCommand):
    help = "Recompute value, churn risk and segments for a business date and publish them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", type=arguments.day, metavar="YYYY-MM-DD", help="default: the last complete day")
        parser.add_argument("--workers", type=_workers, default=1, metavar="N", help="processes that share the work")
        parser.add_argument("--join", type=int, metavar="RUN", help="help with a run that is at work")

    def handle(self, *, as_of: date | None, workers: int, join: int | None, **options: Any) -> None:
        if join is not None:
            engine.drive(run_id=join, steps=night.STEPS)
            return
        last_day = business.last_complete_day(business=business.current(), at=timezone.now())
        day = as_of or last_day
        if day > last_day:
            raise CommandError(f"{day} is not over yet; the last complete business day is {last_day}.", returncode=2)
        try:
            for each in [day] if as_of else [*night.missed(before=day), day]:
                self._run(day=each, workers=workers)
        except KeyboardInterrupt as error:
            message = "Stopped. A worker goes on with this night; without one, the same command does."
            raise CommandError(message, returncode=INTERRUPTED) from error

    def _run(self, *, day: date, workers: int) -> None:
        started = self._start(day=day, workers=workers)
        run = started.run
        if run.state == Run.State.DONE:
            self.stdout.write(f"{run}: nothing has changed since it was published; nothing to do.")
        else:
            run = self._see_through(run=run, workers=workers)
        if run.state == Run.State.FAILED:
            raise CommandError(f"{run} failed. {run.error} The last published night stays in place.")
        for line in lines(run):
            self.stdout.write(line)

    def _start(self, *, day: date, workers: int) -> night.Start:
        """Begin the night, after one for another date that was left unfinished."""
        try:
            return night.start(as_of=day, at=timezone.now())
        except night.AnotherRunIsAtWork as other:
            self.stderr.write(f"{other.run} is unfinished; it comes first.")
            self._see_through(run=other.run, workers=workers)
        try:
            return night.start(as_of=day, at=timezone.now())
        except night.AnotherRunIsAtWork as error:
            raise CommandError(str(error)) from error

    def _see_through(self, *, run: Run, workers: int) -> Run:
        self.stderr.write(f"{run}{' (a past date: kept, not shown)' if run.is_past else ''}")
        helpers = _helpers(run.pk, workers - 1)
        try:
            return engine.drive(run_id=run.pk, steps=night.STEPS, watch=_Progress(self).show)
        finally:
            for helper in helpers:
                helper.join()


class _Progress:
    """Says once of each step how many rows it did and how long it took."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.said: set[str] = set()

    def show(self, run: Run) -> None:
        done = run.jobs.filter(step__in=set(night.STEPS) - self.said)
        open_steps = set(done.exclude(state=Job.State.DONE).values_list("step", flat=True))
        jobs = list(done.exclude(step__in=open_steps).order_by("pk"))
        for step in dict.fromkeys(job.step for job in jobs):
            shards = [job for job in jobs if job.step == step]
            rows, seconds = sum(job.done for job in shards), sum(job.seconds or 0 for job in shards)
            self.command.stderr.write(f"  {step:<10} {rows:>12,} rows {seconds:>8.2f} s")
            self.said.add(step)


def _helpers(run_id: int, count: int) -> list[Process]:
    """Forks of this process: a new interpreter would need a second for what is loaded here. Celery's kind of process
    drops its connections to Redis by itself.
    """
    helpers = [Process(target=_help, args=(run_id,)) for _ in range(count)]
    if helpers:
        connections.close_all()  # two processes cannot speak on one connection to PostgreSQL
    for helper in helpers:
        helper.start()
    return helpers


def _help(run_id: int) -> None:
    with suppress(KeyboardInterrupt):  # the process that forked says so
        engine.drive(run_id=run_id, steps=night.STEPS)


def _workers(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= MOST_WORKERS:
        raise ArgumentTypeError(f"“{value}” is not a number of processes from 1 to {MOST_WORKERS}.")
    return int(value)
