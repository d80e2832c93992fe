"""Files as tables: a header, and rows with the line that each starts on."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from customers.importing import files, sheets
from customers.importing.problems import FileProblem

DELIMITERS: Final = ",;\t|"
LINE_LIMIT: Final = 4 << 20  # characters
RECORD_LINES: Final = 100  # lines that one quoted cell may run over
NOT_TEXT: Final = re.compile("[\x00\ud800-\udfff]")

csv.field_size_limit(LINE_LIMIT * 2)


class Row(NamedTuple):
    """The cells of a row, or the problem that makes it no row."""

    line: int
    cells: list[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    header: list[str]
    rows: Iterator[Row]
    epoch: date | None = None  # of a workbook: the day that its day numbers count from


@contextmanager
def open_table(path: Path, *, sheet: str = "", thorough: bool = True) -> Iterator[Table]:
    """A CSV, CSV.gz or XLSX file. Raises FileProblem, also while the rows are read.

    Without `thorough` the encoding is told by the first bytes alone: enough to show the first rows.
    """
    if files.kind_of(path) is files.Kind.XLSX:
        with sheets.open_sheet(path, sheet=sheet) as opened:
            rows = (Row(line, cells) for line, cells in opened.rows)
            yield _table(path, rows, epoch=opened.epoch)
        return
    with files.open_text(path, thorough=thorough) as text:
        yield _table(path, _read(path, text))


def _table(path: Path, rows: Iterator[Row], *, epoch: date | None = None) -> Table:
    head = next((row for row in rows if any(cell.strip() for cell in row.cells) or row.problem), None)
    if head is None:
        raise FileProblem(f"{path.name} is empty. Expected a line of column names and rows below it.")
    if head.problem:
        raise FileProblem(f"{path.name}, line {head.line}: {head.problem}.")
    header = [cell.strip() for cell in head.cells]
    while header and not header[-1]:
        header.pop()
    return Table(header, _fit(rows, len(header), pad=epoch is not None), epoch)


def _fit(rows: Iterator[Row], width: int, *, pad: bool) -> Iterator[Row]:
    """Rows as wide as the header. Empty rows are none; a row of another width is a problem, if not from a sheet."""
    for row in rows:
        if not any(row.cells) and not row.problem:
            continue
        if row.problem or len(row.cells) == width:
            yield row
        elif not any(row.cells[width:]) and (pad or len(row.cells) > width):
            yield Row(row.line, (row.cells + [""] * width)[:width])
        else:
            yield Row(row.line, row.cells, f"{len(row.cells)} values where the header names {width} columns")


def _read(path: Path, text: TextIO) -> Iterator[Row]:
    records = _records(text)
    first = next(((line, record, problem) for line, record, problem in records if record.strip() or problem), None)
    if first is None:
        return
    line, record, problem = first
    stated = re.fullmatch(r"sep=(.)", record.strip())
    if stated:
        line, record, problem = next(records, (line + 1, "", ""))
    delimiter = stated[1] if stated else _sniff(record)
    yield _row(line, record, problem, delimiter)
    for line, record, problem in records:
        yield _row(line, record, problem, delimiter)


def _row(line: int, record: str, problem: str, delimiter: str) -> Row:
    try:
        cells = _cut(record, delimiter)
    except csv.Error as error:
        return Row(line, [record.strip()], problem or str(error))
    if not problem and (found := NOT_TEXT.search(record)):
        problem = "holds a NUL byte" if found[0] == "\x00" else "holds bytes that are not text in this encoding"
    return Row(line, cells, problem)


def _cut(record: str, delimiter: str) -> list[str]:
    return next(csv.reader([record], delimiter=delimiter), [])


def _sniff(header: str) -> str:
    """The delimiter that cuts the header into the most columns."""
    return max(DELIMITERS, key=lambda delimiter: len(_cut(header, delimiter)))


def _records(text: TextIO) -> Iterator[tuple[int, str, str]]:
    """(line, record, problem): physical lines, joined where a quoted cell runs over several.

    A quote that is never closed costs its own line only, not the rest of the file.
    """
    lines = _Lines(text)
    while (line := lines.take()) is not None:
        number = lines.number
        if len(line) > LINE_LIMIT:
            yield number, line[:200], f"longer than {LINE_LIMIT >> 20} million characters"
        elif '"' in line and _is_open(line):
            yield number, *_join(lines, line)
        else:
            yield number, line, ""


def _join(lines: "_Lines", first: str) -> tuple[str, str]:
    taken = [first]
    size = len(first)
    while len(taken) < RECORD_LINES and size < LINE_LIMIT and (line := lines.take()) is not None:
        taken.append(line)
        size += len(line)
        if '"' in line and not _is_open("".join(taken)):
            return "".join(taken), ""
    lines.give_back(taken[1:])
    return first.replace('"', ""), "a quote is opened and never closed"


def _is_open(record: str) -> bool:
    """Whether the record ends inside a quoted cell, whatever the delimiter: a quote opens only where a cell begins."""
    if record.count('"') % 2 == 0:
        return False
    inside = False
    for part in re.finditer(r'(?:^|(?<=[,;\t|]))\s*"(?:[^"]|"")*("?)', record):
        inside = not part[1]
    return inside


class _Lines:
    """Lines of text with their numbers; lines can be given back."""

    def __init__(self, text: TextIO) -> None:
        self.text, self.number, self.waiting = text, 0, list[str]()

    def take(self) -> str | None:
        line = self.waiting.pop() if self.waiting else self.text.readline(LINE_LIMIT + 1)
        if not line:
            return None
        self.number += 1
        if len(line) > LINE_LIMIT and not line.endswith("\n"):
            self._skip()
        return line

    def give_back(self, lines: list[str]) -> None:
        self.number -= len(lines)
        self.waiting.extend(reversed(lines))

    def _skip(self) -> None:
        while (rest := self.text.readline(LINE_LIMIT)) and not rest.endswith("\n"):
            pass
