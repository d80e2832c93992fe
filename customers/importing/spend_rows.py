"""The file of acquisition costs: a channel, a month or a day, and an amount. Rows of one channel and month add up."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from customers.importing import dates, whole
from customers.importing.presets import Preset
from customers.importing.reading import Habits
from customers.importing.record import Record
from customers.importing.rejects import safe
from customers.importing.rows import SpendRow

LONGEST_CHANNEL: Final = 60
LONGEST_NOTE: Final = 200
MOST_CENTS: Final = 10**15
NUMBERED: Final = (
    re.compile(r"(?P<year>\d{4})[-/.]?(?P<month>\d{1,2})"),
    re.compile(r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})"),
)
NAMED: Final = re.compile(r"(?P<name>[A-Za-z]{3,9})\.?[ ,.-]+(?P<year>\d{4})")
NOT_A_MONTH: Final = "is not a month; expected YYYY-MM or YYYY-MM-DD"


class Told(NamedTuple):
    """What a file says of a channel and month. `note` None: the file has no notes."""

    amount_cents: int
    note: str | None


def parse(records: Sequence[Record]) -> list[SpendRow]:
    """Raises ValueProblem for what cannot be used."""
    (record,) = records
    amount = record.unsigned_cents("amount")
    if amount is None:
        raise record.problem("amount", "no amount")
    return [
        SpendRow(
            line=record.line,
            channel=_name(record, "channel", LONGEST_CHANNEL),
            month=_month(record),
            amount_cents=amount,
            note=_name(record, "note", LONGEST_NOTE),
        )
    ]


def _name(record: Record, field: str, longest: int) -> str:
    """A text without the quote that keeps an exported one from being taken for a formula."""
    text = record.key(field, longest=longest + 1)
    text = text[1:] if text[:1] == "'" and safe(text[1:]) == text else text
    if len(text) > longest:
        raise record.problem(field, f"is too long; expected at most {longest} characters")
    return text


def _month(record: Record) -> date:
    text = record.text("month")
    for form in NUMBERED:
        if found := form.fullmatch(text):
            return _first_day(record, int(found["year"]), int(found["month"]))
    if found := NAMED.fullmatch(text):
        return _first_day(record, int(found["year"]), dates.MONTHS.get(found["name"][:3].lower(), 0))
    return record.moment("month").day.replace(day=1)


def _first_day(record: Record, year: int, month: int) -> date:
    if not (dates.FIRST_YEAR <= year <= dates.LAST_YEAR and 1 <= month <= 12):
        raise record.problem("month", NOT_A_MONTH)
    return date(year, month, 1)


SPEND: Final = Preset(
    name="spend",
    aliases={
        "channel": ("channel", "acquisition_channel", "utm_source", "source", "medium"),
        "month": ("month", "date", "day", "period"),
        "amount": ("amount", "spend", "cost", "costs"),
        "note": ("note", "notes", "comment"),
    },
    required=(("channel",), ("month",), ("amount",)),
    parse=parse,
    dates=("month",),
    numbers=("amount",),
)


def read(path: Path, *, habits: Habits) -> dict[tuple[str, date], Told]:
    """What the file says of each channel and month. Raises FileProblem and whole.BadRows."""
    planned, rows = whole.read(path, preset=SPEND, habits=habits)
    found: dict[tuple[str, date], list[SpendRow]] = {}
    for row in rows:
        found.setdefault((row.channel, row.month), []).append(row)
    has_notes = "note" in planned.positions
    return {cell: _added(told, has_notes=has_notes) for cell, told in found.items()}


def _added(told: Sequence[SpendRow], *, has_notes: bool) -> Told:
    notes = "; ".join(dict.fromkeys(row.note for row in told if row.note))
    return Told(sum(row.amount_cents for row in told), notes[:LONGEST_NOTE] if has_notes else None)
