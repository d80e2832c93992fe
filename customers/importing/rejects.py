"""The rejects file: the rows that were not imported as they stand, and why, to be mended and sent again."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from core import formulas
from customers.importing.columns import plain
from customers.importing.problems import FileProblem, Reject, short

REASONS: Final = ("file", "line", "field", "value", "reason")
NUMBER: Final = re.compile(r"[+-]?[\d.,]+")
UNPRINTABLE: Final = re.compile("[\x00\ud800-\udfff]")


class Writer(Protocol):
    def writerow(self, row: Iterable[Any], /) -> Any: ...


class Rejects:
    """Writes rejects under the columns of all files, each cell under its own name."""

    def __init__(self, writer: Writer, headers: Sequence[Sequence[str]]) -> None:
        self.writer = writer
        self.columns = list(dict.fromkeys(name for header in headers for name in header))
        taken = {plain(name) for name in self.columns}
        own = [f"rejected_{name}" if name in taken else name for name in REASONS]  # a file sent again has them, too
        writer.writerow([*map(safe, self.columns), *own])

    def write(self, reject: Reject, header: Sequence[str]) -> None:
        cells = dict(zip(header, reject.cells, strict=False))
        row = [safe(cells.get(name, "")) for name in self.columns]
        self.writer.writerow(
            [*row, safe(reject.file), reject.line, reject.field, safe(short(reject.value)), reject.reason]
        )


@contextmanager
def open_rejects(path: Path, headers: Sequence[Sequence[str]]) -> Iterator[Rejects]:
    """Raises FileProblem when the file cannot be written."""
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise FileProblem(f"The rejects file {path} cannot be written: {error.strerror}.") from None
    with file:
        yield Rejects(csv.writer(file), headers)


def safe(cell: str) -> str:
    """A cell that a spreadsheet takes for text, not for a formula. Plain numbers stay as they are."""
    text = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", cell)
    return text if NUMBER.fullmatch(text) else formulas.plain(text)
