"""The scores of the current night, or of the night for a date, as CSV."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.services import exports
from core import arguments


class Command(BaseCommand):
    help = "Write the scores as CSV to a file, or to standard output (-)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="where to write; - for standard output")
        parser.add_argument("--as-of", type=arguments.day, metavar="YYYY-MM-DD", help="default: the current night")

    def handle(self, *, file: str, as_of: date | None, **options: Any) -> None:
        try:
            run = exports.run_for(as_of)
        except exports.NoScores as error:
            raise CommandError(str(error)) from error
        with arguments.output(file) as out:
            count = exports.write_scores(out, run=run)
            self.stderr.write(f"{count:,} scores as of {run.as_of}.")
