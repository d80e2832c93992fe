"""Columns for fields of a business's own: `custom.<key>` in a mapping, for files of people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from customers.importing.presets import Preset
from customers.importing.record import Record
from customers.importing.rows import PersonRow

OWN: Final = "custom"


@dataclass(frozen=True, kw_only=True, slots=True)
class Extra:
    """One field. `clean` gives a value as it is kept, and raises ValueError for one that does not fit."""

    key: str
    label: str
    kind: str  # text, number, date, yes_no or choice
    choices: Sequence[str]
    clean: Callable[[object], str | bool | None]

    @property
    def name(self) -> str:
        return name_of(self.key)


def name_of(key: str) -> str:
    """What the field is called in a mapping."""
    return f"{OWN}.{key}"


def names(extras: Sequence[Extra]) -> dict[str, Sequence[str]]:
    """Field → what a column with it is probably called, spelled by the sender."""
    return {extra.name: (extra.key, extra.label) for extra in extras}


def reading(preset: Preset[PersonRow], extras: Sequence[Extra]) -> Preset[PersonRow]:
    """The preset that reads these fields, too. Dates and numbers are read as the file writes them."""

    def parse(records: Sequence[Record]) -> Sequence[PersonRow]:
        rows = preset.parse(records)
        return [row._replace(custom=_values(record, extras)) for row, record in zip(rows, records, strict=True)]

    return replace(
        preset,
        aliases={**preset.aliases, **{extra.name: (extra.name,) for extra in extras}},
        parse=parse,
        dates=(*preset.dates, *_of_kind(extras, "date")),
        numbers=(*preset.numbers, *_of_kind(extras, "number")),
    )


def _of_kind(extras: Sequence[Extra], kind: str) -> list[str]:
    return [extra.name for extra in extras if extra.kind == kind]


def _values(record: Record, extras: Sequence[Extra]) -> Mapping[str, str | bool]:
    """By key, without those that the row says nothing of. Raises ValueProblem."""
    found = {extra.key: _value(record, extra) for extra in extras if record.text(extra.name)}
    return {key: value for key, value in found.items() if value is not None}


def _value(record: Record, extra: Extra) -> str | bool | None:
    try:
        return extra.clean(_READERS.get(extra.kind, Record.text)(record, extra.name))
    except ValueError:
        raise record.problem(extra.name, _expected(extra)) from None


_READERS: Final[Mapping[str, Callable[[Record, str], object]]] = {
    "number": Record.number,
    "date": lambda record, name: record.moment(name).day.isoformat(),
}


def _expected(extra: Extra) -> str:
    if extra.kind == "choice":
        choices = ", ".join(f"“{choice}”" for choice in extra.choices)
        return f"is not a choice; expected one of {choices}"
    if extra.kind == "yes_no":
        return "is neither yes nor no; expected one of the two"
    return "is too long; expected at most 500 characters"
