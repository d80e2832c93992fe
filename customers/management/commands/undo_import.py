from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers.management.imports import UNUSABLE
from customers.services import undo


class Command(BaseCommand):
    help = "Take an import back, as long as nothing later touched its rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="the number that the import printed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = undo.undo(batch_id=options["id"])
        except undo.CannotUndo as problem:
            raise CommandError(str(problem), returncode=UNUSABLE) from None
        batch = done.batch
        self.stdout.write(f"Import {batch.pk} ({', '.join(batch.files) or batch.source}) was taken back.")
        if done.staying:
            one, many = "1 customer stays as an empty, archived row", "customers stay as empty, archived rows"
            who = one if done.staying == 1 else f"{done.staying:,} {many}"
            self.stdout.write(f"{who}: the ledger of points is never shortened.")
