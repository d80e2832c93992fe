"""What commands read from and write to their command line: dates, and a file or `-`."""

import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError

STANDARD_OUTPUT = "-"


def day(value: str) -> date:
    """A date as argparse's `type`. Raises ArgumentTypeError with what was expected."""
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ArgumentTypeError(f"“{value}” is not a date; write it like 2026-01-31.") from error


@contextmanager
def output(name: str) -> Iterator[IO[str]]:
    """The file to write, or standard output for `-`, whose reader may go away early. Raises CommandError."""
    if name == STANDARD_OUTPUT:
        yield from _standard_output()
        return
    try:
        with Path(name).open("w", encoding="utf-8", newline="") as opened:
            yield opened
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.", returncode=2) from error


def _standard_output() -> Iterator[IO[str]]:
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:  # as with `| head`; Python would complain again when it closes the stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
