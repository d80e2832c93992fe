"""The segments of the current night as CSV."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.services import exports
from core import arguments


class Command(BaseCommand):
    help = "Write the segments as CSV to a file, or to standard output (-)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="where to write; - for standard output")

    def handle(self, *, file: str, **options: Any) -> None:
        try:
            run = exports.run_for(None)
        except exports.NoScores as error:
            raise CommandError(str(error)) from error
        with arguments.output(file) as out:
            count = exports.write_segments(out, run=run)
            self.stderr.write(f"{count:,} segments as of {run.as_of}.")
