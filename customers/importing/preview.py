"""The first rows of a file, to show what is in it. Quick even for large files: nothing is read to its end."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from customers.importing import files, sheets
from customers.importing.problems import FileProblem, short
from customers.importing.tables import open_table

ROWS: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """`sheets` are those of a workbook. Cells are cut to what can be shown."""

    header: list[str]
    rows: list[list[str]]
    sheets: list[str]

    def column(self, number: int) -> list[str]:
        """What stands in a column, without the empty cells."""
        return [row[number] for row in self.rows if row[number]]


def look(path: Path, *, sheet: str = "") -> Preview:
    """Raises FileProblem for what can be no table, and for one without rows."""
    names = sheets.names(path) if files.kind_of(path) is files.Kind.XLSX else []
    with open_table(path, sheet=sheet, thorough=False) as table:
        rows = [[short(cell.strip()) for cell in row.cells] for row in islice(table.rows, ROWS) if not row.problem]
        if not rows and next(table.rows, None) is None:
            raise FileProblem(f"{path.name} has column names and no rows below them.")
    return Preview(header=table.header, rows=rows, sheets=names)
