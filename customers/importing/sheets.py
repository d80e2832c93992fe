"""The first sheet with data of an XLSX workbook, as text cells."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from customers.importing.files import BOMB_BYTES, BOMB_RATIO
from customers.importing.problems import FileProblem

MAX_BYTES: Final = 4 << 30
UNREADABLE: Final = (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError, OSError, EOFError)


@contextmanager
def open_sheet(path: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """(line, cells) of each row. Formulas count with the value that was saved with them."""
    _refuse_bomb(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except UNREADABLE:
        raise FileProblem(f"{path.name} is not a readable XLSX workbook. Save it as .xlsx or CSV.") from None
    try:
        yield _rows(path, book)
    finally:
        book.close()


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except zipfile.BadZipFile:
        raise FileProblem(f"{path.name} is a damaged workbook or another kind of archive.") from None
    if size > min(MAX_BYTES, max(BOMB_BYTES, BOMB_RATIO * path.stat().st_size)):
        raise FileProblem(f"{path.name} unpacks to {size >> 20} MB; that is not an order file.")


def _rows(path: Path, book: openpyxl.Workbook) -> Iterator[tuple[int, list[str]]]:
    try:
        for sheet in book.worksheets:
            found = False
            sheet.reset_dimensions()  # writers state them wrong
            for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                texts = [text_of(cell) for cell in cells]
                found = found or any(texts)
                if found:
                    yield line, texts
            if found:
                return
    except UNREADABLE:
        raise FileProblem(f"{path.name} is a damaged workbook.") from None


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
