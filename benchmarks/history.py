"""What the history of edits costs an import: the same lines with its triggers, without them, and as if a person acted.

    uv run python -m benchmarks.history [--rows N] [--rounds N]

Each round imports N lines of N / 4 customers three times under new names, on the same server, each round in another
order, as tables grow; the least of the rounds counts. It is processor time, ours and the server's together:
what the machine does beside it does not count.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks import _home

HOME = _home.enter("history")

import pghistory  # noqa: E402
from django.db import connection  # noqa: E402

from customers.importing.rows import OrderRow  # noqa: E402
from customers.services import imports  # noqa: E402

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
TABLES = ("customer", "email", "phone", "identity", "company", "product", "category", "order", "orderline", "refund")
TRIGGERS = ("edits_are_kept", "coming_and_going_is_kept")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    try:
        _run(asked.rows, asked.rounds)
    finally:
        _home.leave(HOME)


def _run(rows: int, rounds: int) -> None:
    _import(1000, "warm")
    arms: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "without triggers": _without_triggers,
        "with triggers": nullcontext,
        "a person acts": _acting,
    }
    least = dict.fromkeys(arms, float("inf"))
    for number in range(rounds):
        turn = number % len(arms)
        for name, around in [*arms.items()][turn:] + [*arms.items()][:turn]:
            with around():
                seconds = _import(rows, f"{name} {number}")
            least[name] = min(least[name], seconds)
            print(f"round {number + 1}, {name}: {seconds:.2f} s")
    bare = least["without triggers"]
    for name, seconds in least.items():
        print(f"{name}: {seconds:.2f} s for {rows:,} lines, {seconds / bare:.2f} ×")


def _import(rows: int, source: str) -> float:
    before = _cpu_seconds()
    imports.load(rows=_rows(rows), source=source, at=AT)
    return _cpu_seconds() - before


def _cpu_seconds() -> float:
    """Processor time of this process and of the server process that serves its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        fields = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rows(number: int) -> Iterator[Any]:
    for i in range(number):
        buyer = i // 4
        yield OrderRow(
            line=i + 2,
            customer=f"c{buyer}",
            at=AT,
            day=AT.date(),
            sku=f"sku{i % 500}",
            net_cents=1000,
            document=f"d{i // 2}",
            unit_price=Decimal(10),
            name=f"Customer {buyer}",
            email=f"c{buyer}@example.com",
        )


@contextmanager
def _without_triggers() -> Iterator[None]:
    _switch("DISABLE")
    try:
        yield
    finally:
        _switch("ENABLE")


def _switch(word: str) -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            for trigger in TRIGGERS:
                cursor.execute(f"ALTER TABLE customers_{table} {word} TRIGGER {trigger}")


def _acting() -> Any:
    return pghistory.context(user=1, url="/imports/")


if __name__ == "__main__":
    main()
