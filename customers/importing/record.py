"""One row of a file as fields, and the reading of fields that several presets share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from customers import pricing
from customers.importing.columns import Positions
from customers.importing.dates import Calendar, Moment
from customers.importing.numbers import LARGEST, Numbers
from customers.importing.problems import ValueProblem

LONGEST_NOTE: Final = 200
Note = Callable[[int, str, str, str], None]  # line, field, value, what was done about it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How the values of a file are read: the business's clock and currency, and the file's own habits."""

    calendar: Calendar
    numbers: Numbers
    currency: str
    exponent: int
    note: Note
    prices_include_tax: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    line: int
    cells: Sequence[str]
    positions: Positions
    reader: Reader

    def text(self, field: str) -> str:
        position = self.positions.get(field)
        return "" if position is None else self.cells[position].strip()

    def name(self, field: str, *, longest: int) -> str:
        """Text for people to read: one line, cut to what fits, with a note."""
        text = " ".join(self.text(field).split())
        if len(text) > longest:
            self.reader.note(self.line, field, text, f"is longer than {longest} characters and was cut")
        return text[:longest]

    def key(self, field: str, *, longest: int = 200) -> str:
        """Text that tells things apart: never cut."""
        text = self.text(field)
        if len(text) > longest:
            raise ValueProblem(field, text, f"is too long; expected at most {longest} characters")
        return text

    def moment(self, field: str) -> Moment:
        text = self.text(field)
        if not text:
            raise ValueProblem(field, "", f"no {field}; expected YYYY-MM-DD")
        moment = self.reader.calendar.parse(text, field=field)
        if moment.note:
            self.reader.note(self.line, field, text, moment.note)
        return moment

    def number(self, field: str) -> Decimal | None:
        text = self.text(field)
        return self.reader.numbers.parse(text, field=field) if text else None

    def quantity(self, field: str) -> Decimal | None:
        number = self.number(field)
        if number is not None and number != round(number, 3):
            raise ValueProblem(field, self.text(field), "has more than three decimals")
        return number

    def cents(self, field: str) -> int | None:
        number = self.number(field)
        return None if number is None else self.to_cents(number)

    def unsigned_cents(self, field: str) -> int | None:
        cents = self.cents(field)
        if cents is not None and cents < 0:
            raise ValueProblem(field, self.text(field), "is negative; expected zero or more")
        return cents

    def to_cents(self, amount: Decimal) -> int:
        if abs(amount) >= LARGEST:
            raise ValueProblem("amount", str(amount), "is too large; expected less than 10,000,000,000")
        return pricing.to_minor(amount, exponent=self.reader.exponent)

    def problem(self, field: str, reason: str) -> ValueProblem:
        return ValueProblem(field, self.text(field), reason)
