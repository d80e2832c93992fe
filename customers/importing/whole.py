"""Files that are taken as a whole or not at all: sums of half a file would be wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from customers.importing.presets import Preset, R
from customers.importing.problems import FileProblem, Reject
from customers.importing.reading import Habits, Plan, plan, rows

MOST_ROWS: Final = 100_000
SHOWN: Final = 20


class BadRows(Exception):
    """Rows that cannot be used, at most SHOWN of `many`."""

    def __init__(self, rejects: Sequence[Reject], many: int) -> None:
        super().__init__(f"{many} rows cannot be used.")
        self.rejects, self.many = rejects, many


def read(path: Path, *, preset: Preset[R], habits: Habits) -> tuple[Plan[R], list[R]]:
    """The file as it was understood, and its rows. Raises FileProblem, and BadRows when a single row is bad."""
    rejects: list[Reject] = []
    read_rows = 0

    def count() -> None:
        nonlocal read_rows
        read_rows += 1
        if read_rows > MOST_ROWS:
            raise FileProblem(f"{path.name} has more than {MOST_ROWS:,} rows; that is no file of costs.")

    planned = plan(path, preset=preset, mapping={}, habits=habits)
    found = list(rows(planned, refuse=rejects.append, note=lambda *_: None, count=count))
    if rejects:
        raise BadRows(rejects[:SHOWN], len(rejects))
    return planned, found
