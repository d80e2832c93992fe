"""The segments of the current night as CSV."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.services import exports


class Command(BaseCommand):
    help = "Write the segments as CSV to a file, or to standard output (-)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="where to write; - for standard output")

    def handle(self, *, file: str, **options: Any) -> None:
        try:
            run = exports.run_for(None)
        except exports.NoScores as error:
            raise CommandError(str(error)) from error
        if file == "-":
            exports.write_segments(sys.stdout, run=run)
            return
        with Path(file).open("w", encoding="utf-8", newline="") as out:
            count = exports.write_segments(out, run=run)
        self.stderr.write(f"{count:,} rows as of {run.as_of} written to {file}")
