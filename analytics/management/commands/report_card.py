"""The report card of any order file: what the engine would have said on past days, and what happened then."""

import json
from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from analytics.clv import intervals, report_card
from analytics.clv.backtest import LONGEST, SHORTEST, Origin
from analytics.clv.order_log import OrderLog
from analytics.clv.report_card import Card, Plain, Total
from analytics.services import order_files
from analytics.services.order_files import FileLog, Source
from core import arguments
from customers.importing import presets
from customers.importing.problems import FileProblem
from customers.management import imports
from customers.services import from_files

UNUSABLE: Final = imports.UNUSABLE
EPOCH: Final = date(1970, 1, 1)
CLOSE: Final = 0.10  # a level within so much of what happened
KEYS: Final = ("origin", "horizon_days", "model", "orders", "spend", "mae", "coverage_80", "naive_mae")


class Command(BaseCommand):
    help = "Predict past days of an order file from the days before them, and compare. Touches no database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV, CSV.gz or XLSX")
        parser.add_argument("--preset", default="generic", help=f"one of {', '.join(presets.ORDERS)}")
        parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="where a field stands")
        parser.add_argument("--dates", choices=["day-first", "month-first"], help="how 01/02/2024 is meant")
        parser.add_argument("--zone", default="UTC", help="time zone of the business")
        parser.add_argument("--currency", default="", help="default: what the file names most often, else USD")
        parser.add_argument(
            "--origin",
            action="extend",
            nargs="+",
            type=arguments.day,
            metavar="YYYY-MM-DD",
            help="the last day that is known; default: three quarters, half and a quarter of the file before its end",
        )
        parser.add_argument("--horizon-days", type=int, metavar="N", help="default: the rest of the file, at most 365")
        parser.add_argument("--json", action="store_true", help="figures for programs instead of a table")

    def handle(self, *, files: list[Path], **options: Any) -> None:
        with imports.usable():
            source = Source(
                paths=files,
                preset=from_files.preset_named(options["preset"]),
                mapping=imports.mapping_of(options["map"]),
                zone=options["zone"],
                currency=options["currency"],
                day_first={"day-first": True, "month-first": False}.get(options["dates"]),
            )
            found = order_files.read(source=source)
            at = _origins(found.log, options["origin"], options["horizon_days"])
        self.stderr.write(_read(found))
        cards = [_card(found.log, origin) for origin in at]
        if options["json"]:
            self.stdout.write(json.dumps({"origins": [as_json(card) for card in cards]}, indent=2))
        else:
            for card in cards:
                self.stdout.write(text(card))


def _read(found: FileLog) -> str:
    log = found.log
    read = (
        f"{found.rows:,} rows read, {found.rejected:,} rejected, {found.guest_rows:,} of guests; "
        f"{log.customers:,} customers from {_date(log.start)} to {_date(log.end)}."
    )
    if log.customers <= intervals.SAMPLE:
        return read
    return (
        f"{read}\nModels are fitted to all of them; intervals are learned from an even sample of {intervals.SAMPLE:,}."
    )


def _origins(log: OrderLog, wanted: list[date] | None, horizon_days: int | None) -> list[Origin]:
    """Raises FileProblem for a day that has nothing before it or nothing after it."""
    if not log.customer.size:
        raise FileProblem("The file holds no order of a known customer.")
    days = [(day - EPOCH).days for day in wanted] if wanted else _usual_origins(log, horizon_days)
    return [_origin(log, day, horizon_days) for day in days]


def _usual_origins(log: OrderLog, horizon_days: int | None) -> list[int]:
    length = log.end - log.start
    if length < 2 * SHORTEST:
        raise FileProblem(
            f"Days in the file: {length + 1}; looking back takes {2 * SHORTEST + 1}. Name a day with --origin."
        )
    days = sorted({log.end - length * part // 4 for part in (3, 2, 1)})
    return [day for day in days if horizon_days is None or day + horizon_days <= log.end] or [days[0]]


def _origin(log: OrderLog, day: int, horizon_days: int | None) -> Origin:
    first, last = _date(log.start), _date(log.end)
    if not log.start <= day < log.end:
        raise FileProblem(f"The origin {_date(day)} is not within the file before its last day: {first} to {last}.")
    left = log.end - day
    horizon = min(left, LONGEST) if horizon_days is None else horizon_days
    if horizon < 1:
        raise FileProblem("A horizon has one day at least.")
    if horizon > left:
        raise FileProblem(f"{horizon} days after {_date(day)} reach past the file's end, {last}: {left} days are left.")
    return Origin(day, horizon)


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day)


def _card(log: OrderLog, origin: Origin) -> Card:
    try:
        return report_card.card(log, origin)
    except ValueError as problem:
        raise CommandError(f"{_date(origin.day)}: {problem}.", returncode=UNUSABLE) from None


def as_json(card: Card) -> dict[str, Any]:
    """The keys that programs may rely on, and what others would have said."""
    figures = card.as_dict()
    return {key: figures[key] for key in KEYS} | {key: figures[key] for key in ("customers", "naive", "raw", "reasons")}


def text(card: Card) -> str:
    """The card as a table with a verdict for each measure."""
    models = f"{card.model}, {card.spend_model}"
    lines = [
        f"{card.origin}, the {card.horizon_days} days after: {card.customers:,} customers; {models}",
        _row("", "predicted", "80 % interval", "actual", "ratio"),
        _total("order days", card.orders),
        *([_total("spend", card.spend)] if card.spend else ["  spend          the file has no amounts"]),
        *_plain("naive", card.naive, card),
        *(_plain("BG/NBD + Gamma-Gamma", card.raw, card) if card.raw else ["  BG/NBD could not be fitted"]),
        f"  error a customer {card.mae:.3f} order days, naive {card.naive_mae:.3f}: {_error_verdict(card)}",
        f"  intervals of customers hold {card.coverage_80:.0%} of them: {_coverage_verdict(card.coverage_80)}",
        *(f"  {reason}" for reason in card.reasons),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, *cells: str) -> str:
    predicted, interval, actual, ratio = cells
    return f"  {name:<30}{predicted:>12}{interval:>26}{actual:>12}{ratio:>7}"


def _total(name: str, total: Total) -> str:
    interval = f"{_amount(total.low)} to {_amount(total.high)}"
    cells = _row(name, _amount(total.predicted), interval, _amount(total.actual), _ratio(total.predicted, total.actual))
    return f"{cells}  {_level_verdict(total)}"


def _plain(name: str, plain: Plain, card: Card) -> list[str]:
    """What the others would have said, line by line under ours."""
    rows = [_row(f"{name}, orders", _amount(plain.orders), "", "", _ratio(plain.orders, card.orders.actual))]
    if card.spend is not None and plain.spend is not None:
        rows.append(_row(f"{name}, spend", _amount(plain.spend), "", "", _ratio(plain.spend, card.spend.actual)))
    return rows


def _amount(value: float) -> str:
    """Whole, but with a digit more where rounding would hide what is said: 0.2 is not 0."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


def _ratio(predicted: float, actual: float) -> str:
    return f"{predicted / actual:.2f}" if actual > 0 else "–"


def _level_verdict(total: Total) -> str:
    if abs(total.predicted - total.actual) <= CLOSE * abs(total.actual):
        return "close: within 10 %"
    if total.low <= total.actual <= total.high:
        return "off by more than 10 %, within the interval"
    return "off, outside of the interval"


def _error_verdict(card: Card) -> str:
    return "better than the baseline" if card.mae < card.naive_mae else "not better than the baseline"


def _coverage_verdict(share: float) -> str:
    if 0.75 <= share <= 0.85:
        return "as they should"
    return "too narrow" if share < 0.75 else "wider than they need to be"
