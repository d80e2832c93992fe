"""What can be wrong with a file or a value, in words for the person who sent it."""

from typing import Final, NamedTuple

SHOWN: Final = 80


class FileProblem(Exception):
    """The file cannot be used at all. The message says why and what was expected."""


class ValueProblem(Exception):
    """A value of a row cannot be used. `reason` follows the value in a sentence: “x” is not a date."""

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(field, value, reason)
        self.field, self.value, self.reason = field, value, reason
        self.line = 0  # where several rows are read together: whose value it is, 0 for all of them


class Reject(NamedTuple):
    """A row that was not imported, with its cells as they stand in the file."""

    file: str
    line: int
    field: str
    value: str
    reason: str
    cells: list[str]

    def __str__(self) -> str:
        return sentence(self.line, self.field, self.value, self.reason)


def sentence(line: int, field: str, value: str, reason: str) -> str:
    """line 17, date: “31.02.2024” is not a date; expected YYYY-MM-DD"""
    place = f"line {line}, {field}" if field else f"line {line}"
    return f"{place}: “{short(value)}” {reason}" if value else f"{place}: {reason}"


def short(value: str) -> str:
    """A value as it is shown: one line of at most 80 characters that can be printed."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value[: SHOWN + 1])
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
