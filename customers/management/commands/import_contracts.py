from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from customers.importing import presets
from customers.management import imports
from customers.services import from_files
from customers.services.reports import CONTRACT_KEYS


class Command(BaseCommand):
    help = "Import contracts by their own numbers. The same file twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        imports.add_arguments(parser)
        parser.add_argument("--preset", default="generic", help=f"one of {', '.join(presets.CONTRACTS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        with imports.usable():
            preset = from_files.preset_named(options["preset"], kind="contracts")
            done = imports.run(
                order=imports.order_of(options, source=preset.name),
                preset=preset,
                rejects=options["rejects"],
                stderr=self.stderr,
                work=from_files.import_contracts,
            )
            report = done.report
            if options["report"]:
                keys = ("read", "imported", "rejected", *CONTRACT_KEYS)
                imports.write_report(options["report"], {key: getattr(report, key) for key in keys})
        self.stdout.write(f"rows      {report.read:,} read, {report.imported:,} imported, {report.rejected:,} rejected")
        self.stdout.write(
            f"contracts {report.contracts_created:,} created, {report.contracts_updated:,} updated,"
            f" {report.contracts_unchanged:,} unchanged"
        )
        self.stdout.write(imports.closing(done, dry_run=options["dry_run"]))
