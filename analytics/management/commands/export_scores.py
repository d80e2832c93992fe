"""The scores of the current night, or of the night for a date, as CSV."""

import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.services import exports


class Command(BaseCommand):
    help = "Write the scores as CSV to a file, or to standard output (-)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="where to write; - for standard output")
        parser.add_argument("--as-of", type=date.fromisoformat, metavar="YYYY-MM-DD", help="default: the current night")

    def handle(self, *, file: str, as_of: date | None, **options: Any) -> None:
        try:
            run = exports.run_for(as_of)
        except exports.NoScores as error:
            raise CommandError(str(error)) from error
        if file == "-":
            exports.write_scores(sys.stdout, run=run)
            return
        with Path(file).open("w", encoding="utf-8", newline="") as out:
            count = exports.write_scores(out, run=run)
        self.stderr.write(f"{count:,} rows as of {run.as_of} written to {file}")
