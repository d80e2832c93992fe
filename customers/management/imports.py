"""What the import commands share: options, progress on stderr, the rejects file, the summary."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone

from customers.importing.columns import NoColumn
from customers.importing.presets import Preset
from customers.importing.problems import FileProblem, Reject
from customers.importing.rejects import Rejects, open_rejects
from customers.services.from_files import Done, Listener, Order, plan

SHOWN: Final = 20
EVERY_SECONDS: Final = 1.0
UNUSABLE: Final = 2  # exit code


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV, CSV.gz or XLSX")
    parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="where a field stands")
    parser.add_argument("--source", help="the system that the ids come from")
    parser.add_argument("--sheet", default="", help="of a workbook; without it the first with data")
    parser.add_argument("--dates", choices=["day-first", "month-first"], help="how 01/02/2024 is meant")
    parser.add_argument("--dry-run", action="store_true", help="do everything, print the counts, take it back")
    parser.add_argument("--rejects", type=Path, metavar="FILE", help="write the rows that were not imported here")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the counts as JSON here")


def order_of(options: dict[str, Any], *, source: str) -> Order:
    return Order(
        paths=options["files"],
        source=_source(options["source"] or source),
        mapping=mapping_of(options["map"]),
        day_first={"day-first": True, "month-first": False}.get(options["dates"]),
        dry_run=options["dry_run"],
        sheet=options["sheet"],
    )


def _source(name: str) -> str:
    if not 1 <= len(name.strip()) <= 60:
        raise FileProblem("A source has a name of 1 to 60 characters.")
    return name.strip()


def mapping_of(pairs: Sequence[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for pair in pairs:
        field, sign, column = pair.partition("=")
        if not (field.strip() and sign and column.strip()):
            raise FileProblem(f"“--map {pair}” is not FIELD=COLUMN.")
        if field.strip() in mapping:
            raise FileProblem(f"The field “{field.strip()}” is mapped to both {mapping[field.strip()]} and {column}.")
        mapping[field.strip()] = column.strip()
    return mapping


class Console:
    """Shows an import as it goes: progress, the first remarks and refused rows."""

    def __init__(self, stderr: OutputWrapper | TextIO) -> None:
        self.stderr = stderr
        self.started = self.shown = time.monotonic()
        self.refused = self.noted = 0
        self.waited = False

    def progress(self, step: str, rows: int) -> None:
        now = time.monotonic()
        if now - self.shown >= EVERY_SECONDS:
            self.shown = now
            self.stderr.write(f"{step}: {rows:,} rows, {rows / (now - self.started):,.0f} rows/s\n")

    def note(self, remark: str) -> None:
        self.noted += 1
        if self.noted <= SHOWN:
            self.stderr.write(f"note: {remark}\n")

    def refuse(self, reject: Reject) -> None:
        self.refused += 1
        if self.refused <= SHOWN:
            self.stderr.write(f"rejected: {reject.file}, {reject}\n")

    def wait(self) -> None:
        if not self.waited:
            self.stderr.write("Another import is running; waiting for it to end.\n")
        self.waited = True

    def rest(self) -> None:
        for count, what in ((self.refused, "rejected rows"), (self.noted, "notes")):
            if count > SHOWN:
                self.stderr.write(f"… and {count - SHOWN:,} more {what}\n")


@contextmanager
def usable() -> Iterator[None]:
    """A file that cannot be used ends the command with its sentence and exit code 2."""
    try:
        yield
    except NoColumn as problem:
        advice = f"{problem} Name yours with --map {problem.group[0]}=COLUMN."
        raise CommandError(advice, returncode=UNUSABLE) from None
    except FileProblem as problem:
        raise CommandError(str(problem), returncode=UNUSABLE) from None


def run(
    *,
    order: Order,
    preset: Preset[Any],
    rejects: Path | None,
    stderr: OutputWrapper | TextIO,
    work: Callable[..., Done],
) -> Done:
    """Plan the files and let `work` import them, with everything shown. Raises FileProblem."""
    console = Console(stderr)
    plans = plan(order=order, preset=preset)
    with _rejects(rejects, [planned.header for planned in plans]) as sink:

        def refuse(reject: Reject, header: Sequence[str]) -> None:
            console.refuse(reject)
            if sink is not None:
                sink.write(reject, header)

        listener = Listener(refuse=refuse, note=console.note, progress=console.progress, wait=console.wait)
        done = work(order=order, plans=plans, clock=timezone.now, listener=listener)
    console.rest()
    return done


@contextmanager
def _rejects(path: Path | None, headers: Sequence[Sequence[str]]) -> Iterator[Rejects | None]:
    if path is None:
        yield None
        return
    with open_rejects(path, headers) as sink:
        yield sink


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Raises FileProblem when the file cannot be written."""
    text = json.dumps(report, indent=2) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileProblem(f"The report {path} cannot be written: {error.strerror}.") from None


def closing(done: Done, *, dry_run: bool) -> str:
    if dry_run:
        return "Dry run: nothing was changed."
    return f"Import {done.batch_id}; ./manage.py undo_import {done.batch_id} takes it back."
