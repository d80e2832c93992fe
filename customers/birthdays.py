"""Birthdays: a month and a day, with the year where somebody told it. Kept as `1990-03-14` or `--03-14`."""

import re
from datetime import date
from typing import Final

LONGEST: Final = 10
LEAP_YEAR: Final = 2000
FIRST_YEAR: Final = 1900
FORM: Final = re.compile(r"(?:(?P<year>\d{4})-|-?-?)(?P<month>\d{1,2})-(?P<day>\d{1,2})")
# For the database: months have their days, and February 29.
CHECK: Final = (
    r"^(|(\d{4}|-)-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|[12]\d)))$"
)


def read(text: str) -> str:
    """`1990-3-14`, `03-14` and `--03-14` as they are kept, nothing as nothing. Raises ValueError."""
    text = text.strip()
    if not text:
        return ""
    found = FORM.fullmatch(text)
    if found is None:
        raise ValueError
    year, month, day = int(found["year"] or LEAP_YEAR), int(found["month"]), int(found["day"])
    return of_day(date(year, month, day)) if found["year"] else f"--{date(year, month, day):%m-%d}"


def of_day(day: date) -> str:
    """Raises ValueError for a year in which nobody who is alive was born."""
    if day.year < FIRST_YEAR:
        raise ValueError
    return day.isoformat()


def shown(birthday: str) -> str:
    """As people write it: `1990-03-14` or `03-14`."""
    return birthday.removeprefix("--")


def keys(day: date) -> list[str]:
    """The birthdays that are kept on `day`, as month and day. 29 February is kept on the 28th in other years."""
    own = f"{day:%m-%d}"
    has_leap_day = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    return [own, "02-29"] if own == "02-28" and not has_leap_day else [own]
