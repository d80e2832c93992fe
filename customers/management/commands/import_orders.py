from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core import business, money
from customers.importing import presets
from customers.management import imports
from customers.services import from_files
from customers.services.reports import Report


class Command(BaseCommand):
    help = "Import customers, products, orders and refunds. The same file twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        imports.add_arguments(parser)
        parser.add_argument("--preset", default="generic", help=f"one of {', '.join(presets.ORDERS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        with imports.usable():
            preset = from_files.preset_named(options["preset"])
            done = imports.run(
                order=imports.order_of(options, source=preset.name),
                preset=preset,
                rejects=options["rejects"],
                stderr=self.stderr,
                work=from_files.import_orders,
            )
            if options["report"]:
                imports.write_report(options["report"], done.report.as_json())
        self.summarise(done.report)
        self.stdout.write(imports.closing(done, dry_run=options["dry_run"]))

    def summarise(self, report: Report) -> None:
        net = money.text(report.net_cents, business.current().currency)
        rows = f"{report.read:,} read, {report.imported:,} imported, {report.rejected:,} rejected"
        orders = f"{report.orders_created:,} created, {report.orders_updated:,} updated"
        self.stdout.write(f"rows      {rows}")
        self.stdout.write(
            f"orders    {orders}, {report.orders_unchanged:,} unchanged; {report.guest_orders:,} of guests"
        )
        self.stdout.write(f"customers {report.customers_created:,} created")
        self.stdout.write(f"returns   {report.refund_lines:,} refund lines, {report.unmatched_returns:,} unmatched")
        self.stdout.write(f"net total {net}")
