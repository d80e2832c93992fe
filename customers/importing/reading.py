"""From a file to rows: the columns are found, the form of dates and numbers is found out, each row is read or refused.

The file is opened anew for each pass and never held in memory.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Final, Generic
from zoneinfo import ZoneInfo

from customers.importing import columns, dates, numbers
from customers.importing.presets import Preset, R
from customers.importing.problems import Reject, ValueProblem
from customers.importing.record import Note, Reader, Record
from customers.importing.tables import Row, open_table

SURVEYED: Final = 10_000  # rows that show how dates and numbers are written
MOST_TOGETHER: Final = 5_000  # rows of one order

Refuse = Callable[[Reject], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Habits:
    """What the business and the sender say about values. `day_first` None: find out."""

    zone: ZoneInfo
    currency: str
    exponent: int
    day_first: bool | None = None
    prices_include_tax: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan(Generic[R]):
    """A file that can be read, and how."""

    path: Path
    preset: Preset[R]
    header: list[str]
    positions: Mapping[str, int]
    habits: Habits
    comma: bool | None
    sheet: str = ""
    epoch: date | None = None  # of a workbook's day numbers
    left_out: Sequence[str] = ()  # columns that are not taken on purpose

    @property
    def file(self) -> str:
        return self.path.name


def plan(
    path: Path,
    *,
    preset: Preset[R],
    mapping: Mapping[str, str],
    habits: Habits,
    sheet: str = "",
    only_mapped: bool = False,
) -> Plan[R]:
    """Open the file and find the columns; with `only_mapped` no column is taken but those in `mapping`.

    Raises FileProblem when the file cannot be used.
    """
    aliases = dict.fromkeys(preset.aliases, ()) if only_mapped else preset.aliases
    with open_table(path, sheet=sheet) as table:
        positions = columns.positions(
            table.header, file=path.name, aliases=aliases, required=preset.required, mapping=mapping
        )
        known = preset.dates or preset.numbers
        surveyed = list(islice((row.cells for row in table.rows if not row.problem), SURVEYED)) if known else []
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
        habits=replace(habits, day_first=day_first),
        comma=comma,
        sheet=sheet,
        epoch=table.epoch,
        left_out=[name for name in table.header if columns.plain(name) in preset.left_out],
    )


def values(plan: Plan[Any], field: str) -> set[str]:
    """What the first rows say in a field; nothing where the file has no such column."""
    if field not in plan.positions:
        return set()
    with open_table(plan.path, sheet=plan.sheet) as table:
        first = islice((row.cells for row in table.rows if not row.problem), SURVEYED)
        return {cells[plan.positions[field]].strip() for cells in first}


def rows(plan: Plan[R], *, refuse: Refuse, note: Note, count: Callable[[], Any]) -> Iterator[R]:
    """The rows that can be used. Each other one goes to `refuse`; `count` is called for each row read."""
    habits, parse = plan.habits, plan.preset.parse
    reader = Reader(
        calendar=dates.Calendar(habits.zone, day_first=habits.day_first, epoch=plan.epoch),
        numbers=numbers.Numbers(habits.currency, comma=plan.comma),
        currency=habits.currency,
        exponent=habits.exponent,
        note=note,
        prices_include_tax=habits.prices_include_tax,
    )
    with open_table(plan.path, sheet=plan.sheet) as table:
        records = _records(plan, table.rows, reader, refuse, count)
        for group in _groups(records, plan.preset.together):
            try:
                yield from parse(group)
            except ValueProblem as found:
                _refuse_all(plan, group, found, refuse)


def _records(
    plan: Plan[Any], table_rows: Iterable[Row], reader: Reader, refuse: Refuse, count: Callable[[], Any]
) -> Iterator[Record]:
    for line, cells, problem in table_rows:
        count()
        if problem:
            refuse(Reject(plan.file, line, "", "", problem, list(cells)))
        else:
            yield Record(line, cells, plan.positions, reader)


def _groups(records: Iterator[Record], field: str) -> Iterator[list[Record]]:
    """Rows next to each other with the same value in the field, or with none in the following ones."""
    if not field:
        for record in records:
            yield [record]
        return
    group: list[Record] = []
    for record in records:
        is_next = group and record.text(field) not in ("", group[0].text(field))
        if is_next or len(group) == MOST_TOGETHER:
            yield group
            group = []
        group.append(record)
    if group:
        yield group


def _refuse_all(plan: Plan[Any], group: Sequence[Record], found: ValueProblem, refuse: Refuse) -> None:
    """The row with the problem, and the others of its order: half an order is not imported."""
    line = found.line or group[0].line
    for record in group:
        if record.line == line:
            reject = Reject(plan.file, line, found.field, found.value, found.reason, list(record.cells))
        else:
            reason = f"belongs to an order that cannot be used because of line {line}"
            reject = Reject(plan.file, record.line, "", "", reason, list(record.cells))
        refuse(reject)


def cells_of(plan: Plan[Any], lines: Collection[int]) -> dict[int, list[str]]:
    """The cells of some rows, by line, for rows that were refused after they were read."""
    with open_table(plan.path, sheet=plan.sheet) as table:
        return {row.line: row.cells for row in table.rows if row.line in lines}
