"""From a file to rows: the columns are found, the form of dates and numbers is found out, each row is read or refused.

The file is opened anew for each pass and never held in memory.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Generic
from zoneinfo import ZoneInfo

from customers.importing import columns, dates, numbers
from customers.importing.presets import Preset, R
from customers.importing.problems import Reject, ValueProblem
from customers.importing.record import Note, Reader, Record
from customers.importing.tables import open_table

SURVEYED: Final = 10_000  # rows that show how dates and numbers are written


@dataclass(frozen=True, kw_only=True, slots=True)
class Habits:
    """What the business and the sender say about values. `day_first` None: find out."""

    zone: ZoneInfo
    currency: str
    exponent: int
    day_first: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Plan(Generic[R]):
    """A file that can be read, and how."""

    path: Path
    preset: Preset[R]
    header: list[str]
    positions: Mapping[str, int]
    habits: Habits
    comma: bool | None

    @property
    def file(self) -> str:
        return self.path.name


def plan(path: Path, *, preset: Preset[R], mapping: Mapping[str, str], habits: Habits) -> Plan[R]:
    """Open the file and find the columns. Raises FileProblem when it cannot be used."""
    with open_table(path) as table:
        positions = columns.positions(
            table.header, file=path.name, aliases=preset.aliases, required=preset.required, mapping=mapping
        )
        surveyed = list(islice((row.cells for row in table.rows if not row.problem), SURVEYED)) if preset.dates else []
    texts = {field: [cells[positions[field]].strip() for cells in surveyed] for field in positions}
    day_first, comma = habits.day_first, False if not preset.numbers else None
    if day_first is None:
        day_first = dates.day_first_of([text for field in preset.dates for text in texts.get(field, ())])
    if preset.numbers:
        comma = numbers.comma_of([text for field in preset.numbers for text in texts.get(field, ())])
    return Plan(
        path=path,
        preset=preset,
        header=table.header,
        positions=positions,
        habits=Habits(zone=habits.zone, currency=habits.currency, exponent=habits.exponent, day_first=day_first),
        comma=comma,
    )


def rows(plan: Plan[R], *, refuse: Callable[[Reject], Any], note: Note, count: Callable[[], Any]) -> Iterator[R]:
    """The rows that can be used. Each other one goes to `refuse`; `count` is called for each row read."""
    habits = plan.habits
    reader = Reader(
        calendar=dates.Calendar(habits.zone, day_first=habits.day_first),
        numbers=numbers.Numbers(habits.currency, comma=plan.comma),
        currency=habits.currency,
        exponent=habits.exponent,
        note=note,
    )
    parse, positions = plan.preset.parse, plan.positions
    with open_table(plan.path) as table:
        for line, cells, problem in table.rows:
            count()
            if problem:
                refuse(Reject(plan.file, line, "", "", problem, cells))
                continue
            try:
                row = parse(Record(line, cells, positions, reader))
            except ValueProblem as found:
                refuse(Reject(plan.file, line, found.field, found.value, found.reason, cells))
            else:
                yield row


def cells_of(plan: Plan[Any], lines: Collection[int]) -> dict[int, list[str]]:
    """The cells of some rows, by line, for rows that were refused after they were read."""
    with open_table(plan.path) as table:
        return {row.line: row.cells for row in table.rows if row.line in lines}
