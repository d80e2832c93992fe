"""A whole night, and the next one with 1 % of the customers changed, split by step, each beside its floor.

The floor is what any night has to do: a binary read of the summaries, a COPY of as many rows of scores, the same
indexes. A day lies between two nights, in which PostgreSQL writes its checkpoints and vacuums: the bench waits for both
before each night and each floor. Run it with small numbers first:
python -m benchmarks.night --customers 100000 --orders 1000000
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from benchmarks import _home

HOME = _home.enter("night")

from django.db import connection  # noqa: E402

from analytics.services import partitions, scoring, summaries  # noqa: E402
from benchmarks import big_shop  # noqa: E402
from core import pgcopy  # noqa: E402
from core.models import Run  # noqa: E402
from crm import night  # noqa: E402

FLOOR = 2_000_000_000  # the number of a run that never was
GOAL = 2.0
MB = 1024  # /proc counts in kB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--changed", type=float, default=0.01)
    parser.add_argument(
        "--rest", type=int, default=65, metavar="SECONDS", help="without a vacuum before each night and floor"
    )
    parser.add_argument("--keep", action="store_true", help="leave the home for a look at it")
    asked = parser.parse_args()
    started = time.perf_counter()
    made = big_shop.make(customers=asked.customers, orders=asked.orders)
    print(f"{asked.customers:,} customers, {made:,} orders, made in {time.perf_counter() - started:.0f} s", flush=True)
    pass_night("Full night", big_shop.LAST_DAY, asked)
    changed = big_shop.buy_next_day(share=asked.changed, customers=asked.customers)
    print(f"{changed:,} customers have bought once more.")
    ratio = pass_night("Night with these changes", big_shop.LAST_DAY + timedelta(days=1), asked)
    print(f"Goal with few changes: at most {GOAL:g} x the floor. Reached: {ratio:.2f} x.")
    if not asked.keep:
        _home.leave(HOME)


def pass_night(title: str, as_of: date, asked: argparse.Namespace) -> float:
    """Print a night by steps and the floor measured right after it; returns their ratio."""
    settle(asked.rest)
    before = cpu_seconds()
    whole, memory = in_processes("nightly", "--as-of", str(as_of), "--workers", str(asked.workers))
    worked = cpu_seconds() - before
    run = Run.objects.get(as_of=as_of)
    assert run.finished_at
    seconds = (run.finished_at - run.started_at).total_seconds()
    print(f"\n{title}, {asked.workers} workers: {seconds:.1f} s, with the command's start {whole:.1f} s")
    print(f"Memory of each process: {', '.join(f'{peak // MB} MB' for peak in memory)}")
    for name, busy, rows in steps(run):
        print(f"  {name:<12} {busy:>7.2f} s  {rows:>12,} rows")
    settle(asked.rest)
    before = cpu_seconds()
    parts = list(floor(run))
    least = cpu_seconds() - before
    lowest = sum(spent for _, spent in parts)
    print(f"Floor: {lowest:.1f} s (" + ", ".join(f"{name} {spent:.2f}" for name, spent in parts) + ")")
    print(f"Ratio: {seconds / lowest:.2f} x")
    print(f"CPU, PostgreSQL's too: night {worked:.1f} s, floor {least:.1f} s, {worked / least:.2f} x", flush=True)
    return seconds / lowest


def settle(rest: int) -> None:
    """A checkpoint, and no work for autovacuum, which looks for some once a minute."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    since = time.monotonic()
    while time.monotonic() - since < rest:
        if vacuums():
            since = time.monotonic()
        time.sleep(1)


def vacuums() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'")
        return int(cursor.fetchone()[0])


def in_processes(*command: str) -> tuple[float, list[int]]:
    """Run a command of manage.py; returns wall-clock seconds and the largest size in kB of it and of each child."""
    started = time.perf_counter()
    script = str(Path(_home.BASE_DIR, "manage.py"))
    child = subprocess.Popen([sys.executable, script, *command, "--skip-checks"])
    largest: dict[int, int] = {}
    while child.poll() is None:
        for pid in family(child.pid):
            largest[pid] = max(largest.get(pid, 0), peak_of(pid))
        time.sleep(0.1)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {child.returncode}")
    return time.perf_counter() - started, list(largest.values())


def family(pid: int) -> list[int]:
    """The process and its children; the kernel's own figure for a child starts with its parent's size."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return [pid]
    return [pid, *map(int, children.split())]


def peak_of(pid: int) -> int:
    """VmHWM in kB; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def cpu_seconds() -> float:
    """Of this process, of its children that have ended, and of PostgreSQL: whatever else the machine has to do."""
    server = int((HOME / "postgres" / "postmaster.pid").read_text().split()[0])
    return sum(os.times()[:4]) + sum(ticks_of(pid) for pid in family(server)) / os.sysconf("SC_CLK_TCK")


def ticks_of(pid: int) -> int:
    """User and system time of a process and of its children that have ended; 0 for a process that is gone."""
    try:
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    except OSError:
        return 0


def steps(run: Run) -> Iterator[tuple[str, float, int]]:
    """Each step from the first claim to the last end."""
    for name in night.STEPS:
        jobs = list(run.jobs.filter(step=name))
        begun = min(job.started_at for job in jobs if job.started_at)
        ended = max(job.finished_at for job in jobs if job.finished_at)
        yield name, (ended - begun).total_seconds(), sum(job.done for job in jobs)


def floor(run: Run) -> Iterator[tuple[str, float]]:
    """What the same rows cost at least: read them, write as many, index them."""
    names = ", ".join(scoring.SUMMARY)
    rows = binary_rows(run)
    with floor_table():
        yield "read", timed(lambda: pgcopy.read(f"SELECT {names} FROM {summaries.TABLE}", {}, scoring.SUMMARY))
        yield "COPY", timed(lambda: write_binary(rows))
        yield "indexes", timed(lambda: partitions.index(FLOOR, sorts=True))


def binary_rows(run: Run) -> bytes:
    query = f"COPY (SELECT * FROM {partitions.table_of(run.pk)}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        return b"".join(bytes(block) for block in copy)


def write_binary(rows: bytes) -> None:
    query = f"COPY {partitions.table_of(FLOOR)} FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        copy.write(rows)


@contextmanager
def floor_table() -> Iterator[None]:
    table = partitions.table_of(FLOOR)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (LIKE analytics_score INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        yield
        cursor.execute(f"DROP TABLE {table}")


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
