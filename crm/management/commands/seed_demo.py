"""`./manage.py seed_demo`: a believable shop to look at, and `--clear` to take it away again."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import business
from core.models import Business, Run
from crm import night
from crm.demo import accounts, clearing, club_history, history, loading, planning, shop

MOST_CUSTOMERS, MOST_YEARS = 200_000, 20


class Command(BaseCommand):
    help = "Fills this home with a believable shop, the same for the same seed; --clear removes it and only it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=between(1, MOST_CUSTOMERS), default=3000, metavar="N")
        parser.add_argument("--years", type=between(1, MOST_YEARS), default=3, metavar="N")
        parser.add_argument("--seed", type=between(0, 2**63), default=loading.SEED, metavar="S")
        parser.add_argument("--until", type=day, metavar="YYYY-MM-DD", help="last day; default: the last complete one")
        parser.add_argument("--nights", action="store_true", help="run the nights of the past 13 months, too")
        parser.add_argument("--clear", action="store_true", help="remove the demo shop and only it")

    def handle(
        self,
        *,
        customers: int,
        years: int,
        seed: int,
        until: date | None,
        nights: bool,
        clear: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        if clear:
            self.clear()
            return
        row = loading.prepare_business()
        last = business.last_complete_day(business=row, at=timezone.now())
        if until and until > last:
            raise CommandError(f"{until} is not over yet; the last complete business day is {last}.", returncode=2)
        size = loading.Size(customers=customers, years=years, seed=seed, until=until or last)
        self.seed(size, row)
        if is_open := accounts.is_try_out(row):
            accounts.create()
        club_history.make(business=row, seed=size.seed, until=size.until)
        planning.plan(business=row, until=size.until)
        if is_open and verbosity:
            self.stdout.write(accounts.text(), ending="")
        if nights:
            self.run_nights(size.until)

    def clear(self) -> None:
        removed = clearing.clear()
        self.stdout.write(f"Removed {removed}." if str(removed) else "There is no demo shop here; nothing was removed.")

    def seed(self, size: loading.Size, row: Business) -> None:
        before = loading.loaded()
        if before and before != size.label:
            self.stdout.write(f"Replacing the demo shop of {before}.")
            clearing.clear()
            row = loading.prepare_business()
        made = shop.build(customers=size.customers, years=size.years, seed=size.seed, until=size.until)
        report = loading.load(shop=made, business=row, size=size, at=timezone.now())
        self.stdout.write(
            f"{row.name}: {size.label}; {report.orders_created:,} orders new, {report.orders_unchanged:,} as they were."
        )

    def run_nights(self, until: date) -> None:
        try:
            history.run_nights(until=until, watch=self.show)
        except (history.NightFailed, night.AnotherRunIsAtWork) as error:
            raise CommandError(str(error)) from error

    def show(self, run: Run) -> None:
        self.stderr.write(f"  {run}")


def between(least: int, most: int) -> Callable[[str], int]:
    """An argparse type: a whole number from `least` to `most`."""

    def number(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise ArgumentTypeError(f"{value!r} is not a whole number from {least:,} to {most:,}")
        return int(value)

    return number


def day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ArgumentTypeError(f"{value!r} is not a date such as 2026-06-30") from None
