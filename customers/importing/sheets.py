"""One sheet of an XLSX workbook, as text cells: the one that is named, else the first with data."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import repeat
from pathlib import Path
from typing import Any, Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from customers.importing.files import BOMB_BYTES, BOMB_RATIO
from customers.importing.problems import FileProblem

MAX_BYTES: Final = 4 << 30
MAX_TEXTS_BYTES: Final = 64 << 20  # the table of shared texts, which is held in memory
MOST_ROWS: Final = 1_048_576  # what a spreadsheet program can hold
BLOCK: Final = 1 << 20
UNREADABLE: Final = (
    *(zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError, OSError, EOFError),
    *(IndexError, TypeError, AttributeError, NotImplementedError, RuntimeError),  # openpyxl on parts that lie
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` are (line, cells); `epoch` is the day that the workbook's day numbers count from."""

    rows: Iterator[tuple[int, list[str]]]
    epoch: date


@contextmanager
def open_sheet(path: Path, *, sheet: str = "") -> Iterator[Sheet]:
    """A formula counts with the value that was saved with it; one without reads =B2*2, which is no number or date."""
    parts = _parts(path)
    with _book(path, data_only=True) as book:
        if sheet and sheet not in book.sheetnames:
            raise FileProblem(f"{path.name} has no sheet “{sheet}”. Its sheets are: {', '.join(book.sheetnames)}.")
        if not _has_formulas(path, parts):
            yield Sheet(_rows(path, book, None, sheet), book.epoch.date())
            return
        with _book(path, data_only=False) as formulas:
            yield Sheet(_rows(path, book, formulas, sheet), book.epoch.date())


def names(path: Path) -> list[str]:
    """The sheets that can be seen. Raises FileProblem."""
    _parts(path)
    with _book(path, data_only=True) as book:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


@contextmanager
def _book(path: Path, *, data_only: bool) -> Iterator[openpyxl.Workbook]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
    except UNREADABLE:
        raise FileProblem(f"{path.name} is not a readable XLSX workbook. Save it as .xlsx or CSV.") from None
    try:
        yield book
    finally:
        book.close()


def _parts(path: Path) -> list[zipfile.ZipInfo]:
    """What is inside. Refuses what says that it unpacks to too much; more than it says is never unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise FileProblem(f"{path.name} is a damaged workbook or another kind of archive.") from None
    size = sum(part.file_size for part in parts)
    if size > min(MAX_BYTES, max(BOMB_BYTES, BOMB_RATIO * path.stat().st_size)):
        raise FileProblem(f"{path.name} unpacks to {size >> 20} MB; that is not an order file.")
    if any(part.flag_bits & 1 for part in parts):
        raise FileProblem(f"{path.name} is locked. Save it without a password.")
    if any("sharedstrings" in part.filename.lower() and part.file_size > MAX_TEXTS_BYTES for part in parts):
        raise FileProblem(f"{path.name} is too large for a workbook. Save it as CSV.")
    return parts


def _has_formulas(path: Path, parts: list[zipfile.ZipInfo]) -> bool:
    """By the bytes of the sheets: most files have none, and reading twice takes twice as long."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(
                _holds(archive, part.filename) for part in parts if part.filename.lower().startswith("xl/worksheets/")
            )
    except UNREADABLE:
        raise FileProblem(f"{path.name} is a damaged workbook.") from None


def _holds(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        tail = b""
        while block := part.read(BLOCK):
            if b"<f>" in tail + block or b"<f " in tail + block:
                return True
            tail = block[-2:]
    return False


def _rows(
    path: Path, book: openpyxl.Workbook, formulas: openpyxl.Workbook | None, wanted: str
) -> Iterator[tuple[int, list[str]]]:
    chosen = [sheet for sheet in book.worksheets if not wanted or sheet.title == wanted]
    try:
        for sheet in chosen:
            found = False
            for line, texts in enumerate(_texts(sheet, formulas), start=1):
                if line > MOST_ROWS:
                    raise FileProblem(f"{path.name} has more than {MOST_ROWS:,} rows. Save it as CSV.")
                found = found or any(texts)
                if found:
                    yield line, texts
            if found:
                return
    except UNREADABLE:
        raise FileProblem(f"{path.name} is a damaged workbook.") from None


def _texts(sheet: Any, formulas: openpyxl.Workbook | None) -> Iterator[list[str]]:
    for cells, written in _both(sheet, formulas):
        texts = [text_of(cell) for cell in cells]
        if written is not None:
            texts = [text or _formula(cell) for text, cell in zip(texts, written, strict=False)]
        yield texts


def _both(sheet: Any, formulas: openpyxl.Workbook | None) -> Iterator[tuple[Any, Any]]:
    """Rows of values, each with the same row as it was written where there are formulas."""
    sheet.reset_dimensions()  # writers state them wrong
    values = sheet.iter_rows(values_only=True)
    if formulas is None:
        return zip(values, repeat(None))
    written: Any = formulas[sheet.title]
    written.reset_dimensions()
    return zip(values, written.iter_rows(values_only=True), strict=False)


def _formula(cell: object) -> str:
    """The text of a formula; array formulas are objects of their own."""
    text = getattr(cell, "text", cell)
    return text if isinstance(text, str) and text.startswith("=") else ""


def text_of(value: object) -> str:
    """A cell as it would stand in a CSV file: whole numbers without a fraction, midnights as dates."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return str(value)
