"""Which column of a file holds which field."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from customers.importing.problems import FileProblem

Aliases = Mapping[str, Sequence[str]]  # field → column names, the best first
Positions = Mapping[str, int]
SHOWN: Final = 30


class NoColumn(FileProblem):
    """No column holds one of these fields, and one has to."""

    def __init__(self, message: str, group: Sequence[str]) -> None:
        super().__init__(message)
        self.group = group


def positions(
    header: Sequence[str], *, file: str, aliases: Aliases, required: Sequence[Sequence[str]], mapping: Mapping[str, str]
) -> Positions:
    """Field → position. Of each group in `required` one field must be there. `mapping` (field → column) goes first:
    a column that it names is nothing else besides.

    Raises FileProblem for a missing column, an unknown field, a column that is mapped twice, and a name that two
    columns have.
    """
    names = [plain(name) for name in header]
    _refuse_twice(mapping)
    found = {field: _mapped(names, field, column, file, aliases) for field, column in mapping.items()}
    taken = {plain(column) for column in mapping.values()}
    for field, columns in aliases.items():
        name = next(
            (plain(column) for column in columns if plain(column) in names and plain(column) not in taken), None
        )
        if field not in found and name is not None:
            found[field] = _position(names, name, file)
    for group in required:
        if not any(field in found for field in group):
            raise NoColumn(
                f"{file}, line 1: no column for {_either(group)}. The columns are: {_listed(header)}.", group
            )
    return found


def _refuse_twice(mapping: Mapping[str, str]) -> None:
    fields: dict[str, str] = {}
    for field, column in mapping.items():
        if plain(column) in fields:
            raise FileProblem(f"The column “{column}” is mapped to both {fields[plain(column)]} and {field}.")
        fields[plain(column)] = field


def _mapped(names: Sequence[str], field: str, column: str, file: str, aliases: Aliases) -> int:
    if field not in aliases:
        raise FileProblem(f"There is no field “{field}” to map. The fields are: {', '.join(aliases)}.")
    if plain(column) not in names:
        raise FileProblem(f"{file}, line 1: no column “{column}” for {field}. The columns are: {_listed(names)}.")
    return _position(names, plain(column), file)


def _position(names: Sequence[str], name: str, file: str) -> int:
    if names.count(name) > 1:
        places = " and ".join(str(i) for i, other in enumerate(names, start=1) if other == name)
        raise FileProblem(f"{file}, line 1: columns {places} are both called “{name}”. Rename one of them.")
    return names.index(name)


def plain(name: str) -> str:
    """A column name without case, and with one underscore for spaces, dots and dashes."""
    return re.sub(r"[\s._-]+", "_", name.strip().casefold())


def _either(group: Sequence[str]) -> str:
    return " or ".join(group)


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(name[:60] or "(no name)" for name in names[:SHOWN])
    return listed + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
