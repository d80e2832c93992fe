from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from customers.importing import presets
from customers.management import imports
from customers.services import from_files


class Command(BaseCommand):
    help = "Import people by their id at the source. The same file twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        imports.add_arguments(parser)
        parser.add_argument("--preset", default="generic", help=f"one of {', '.join(presets.CUSTOMERS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        with imports.usable():
            preset = from_files.preset_named(options["preset"], kind="customers")
            done = imports.run(
                order=imports.order_of(options, source=preset.name),
                preset=preset,
                rejects=options["rejects"],
                stderr=self.stderr,
                work=from_files.import_customers,
            )
            report = done.report
            counts = {
                "read": report.read,
                "imported": report.imported,
                "rejected": report.rejected,
                "customers_created": report.customers_created,
                "customers_updated": report.customers_updated,
                "customers_unchanged": report.customers_unchanged,
            }
            if options["report"]:
                imports.write_report(options["report"], counts)
        self.stdout.write(f"rows      {report.read:,} read, {report.imported:,} imported, {report.rejected:,} rejected")
        self.stdout.write(
            f"customers {report.customers_created:,} created, {report.customers_updated:,} updated,"
            f" {report.customers_unchanged:,} unchanged"
        )
        self.stdout.write(imports.closing(done, dry_run=options["dry_run"]))
