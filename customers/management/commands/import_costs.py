from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core import business, money
from customers.importing import cost_rows, spend_rows
from customers.importing.reading import Habits
from customers.importing.whole import BadRows
from customers.management import imports
from customers.services import cost_files, costs, spend
from customers.services.spend import Spend

OF: Final = ("acquisition", "customers")


class Command(BaseCommand):
    help = "Import what channels cost by month, or what single customers cost. The same file twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="CSV, CSV.gz or XLSX")
        parser.add_argument(
            "--of",
            choices=OF,
            default="acquisition",
            help="columns: channel, month, amount, note; or id, customer_id, date, kind, quantity, unit_cost",
        )
        parser.add_argument("--source", default="file", help="who tells the costs of customers; ids are unique there")
        parser.add_argument("--customers-of", default="shop", metavar="NAME", help="the source of the customers' ids")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    @transaction.atomic
    def handle(self, *, file: Path, **options: Any) -> None:
        work = self._acquisition if options["of"] == "acquisition" else self._customers
        with imports.usable():
            try:
                self.stdout.write(work(file, options))
            except BadRows as bad:
                raise CommandError(_told(bad, file), returncode=imports.UNUSABLE) from None
        if options["dry_run"]:
            transaction.set_rollback(True)
            self.stdout.write("Dry run: nothing was changed.")

    def _acquisition(self, file: Path, options: dict[str, Any]) -> str:
        told = spend_rows.read(file, habits=_habits())
        cells = {cell: Spend(amount_cents=one.amount_cents, note=one.note) for cell, one in told.items()}
        done = spend.write(cells=cells)
        return f"amounts {done.created:,} new, {done.updated:,} changed, {done.unchanged:,} as before"

    def _customers(self, file: Path, options: dict[str, Any]) -> str:
        rows = cost_rows.read(file, habits=_habits())
        try:
            new = cost_files.record(
                path=file, rows=rows, source=options["source"], customers_of=options["customers_of"]
            )
        except costs.ToldOtherwise as error:
            raise CommandError(
                f"These costs were told otherwise before: {error}.", returncode=imports.UNUSABLE
            ) from None
        except costs.TooMuch as error:
            raise CommandError(f"This cost is too large: {error}.", returncode=imports.UNUSABLE) from None
        return f"costs {new:,} new, {len(rows) - new:,} as before"


def _habits() -> Habits:
    row = business.current()
    return Habits(zone=row.zone, currency=row.currency, exponent=money.exponent(row.currency))


def _told(bad: BadRows, file: Path) -> str:
    lines = [f"{file.name}: {bad.many:,} rows cannot be used, so nothing was imported.", *map(str, bad.rejects)]
    return "\n".join(lines)
