"""Dates and times in the forms that exports use. Times without a zone are in the business's."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from customers.importing.problems import ValueProblem

KEPT: Final = 100_000  # texts whose meaning is remembered
FIRST_YEAR, LAST_YEAR = 1900, 2199
_NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS: Final = {name: number for number, name in enumerate(_NAMES, start=1)}

_TIME: Final = (
    r"(?:[T ,]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?"
)
YEAR_FIRST: Final = re.compile(r"(?P<year>\d{4})(?P<sign>[-/.])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})" + _TIME)
COMPACT: Final = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + _TIME)
DOTTED: Final = re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})" + _TIME)
EITHER: Final = re.compile(r"(?P<one>\d{1,2})(?P<sign>[/-])(?P<two>\d{1,2})(?P=sign)(?P<year>\d{4})" + _TIME)
DAY_NAMED: Final = re.compile(r"(?P<day>\d{1,2})[ .-]+(?P<name>[A-Za-z]{3,9})[ .,-]+(?P<year>\d{4})" + _TIME)
MONTH_NAMED: Final = re.compile(r"(?P<name>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})" + _TIME)
FORMS: Final = (YEAR_FIRST, COMPACT, DOTTED, EITHER, DAY_NAMED, MONTH_NAMED)
SERIAL: Final = re.compile(r"[1-9]\d{4}(?:\.\d+)?")  # 10000 is in 1927, 99999 in 2173

NOT_A_DATE: Final = "is not a date; expected YYYY-MM-DD"


class Moment(NamedTuple):
    at: datetime  # in UTC
    day: date  # in the business's zone
    date_only: bool
    note: str  # what had to be decided about the clock, "" mostly


class Calendar:
    """Reads dates for a zone. `day_first` says how 01/02/2024 is meant; None: it cannot be told.

    With an `epoch` (of a workbook) a bare number is a count of days since then, as spreadsheets keep dates.
    """

    def __init__(self, zone: ZoneInfo, *, day_first: bool | None = None, epoch: date | None = None) -> None:
        self.zone, self.day_first, self.epoch = zone, day_first, epoch
        self._known: dict[str, Moment] = {}

    def parse(self, text: str, *, field: str) -> Moment:
        """Raises ValueProblem in the field's name."""
        moment = self._known.get(text)
        if moment is None:
            try:
                moment = self._read(text)
            except ValueError as error:
                raise ValueProblem(field, text, str(error) if error.args and error.args[0] else NOT_A_DATE) from None
            if len(self._known) < KEPT:
                self._known[text] = moment
        return moment

    def _read(self, text: str) -> Moment:
        if self.epoch is not None and SERIAL.fullmatch(text):
            text = _of_serial(float(text), self.epoch)
        found = next((match for form in FORMS if (match := form.fullmatch(text))), None)
        if found is None:
            raise ValueError(NOT_A_DATE)
        day = _day(*self._parts(found))
        if found["hour"] is None:
            start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
            return Moment(start.astimezone(UTC), day, date_only=True, note="")
        naive = _with_time(day, found)
        if found["zone"]:
            at = naive.replace(tzinfo=_offset(found["zone"]))
            return Moment(at.astimezone(UTC), at.astimezone(self.zone).date(), date_only=False, note="")
        return _on_the_clock(naive, self.zone)

    def _parts(self, found: re.Match[str]) -> tuple[int, int, int]:
        """Year, month, day."""
        parts = found.groupdict()
        year = int(parts["year"])
        if "name" in parts:
            return year, MONTHS.get(parts["name"][:3].lower(), 0), int(parts["day"])
        if "one" not in parts:
            return year, int(parts["month"]), int(parts["day"])
        one, two = int(parts["one"]), int(parts["two"])
        if one <= 12 and two <= 12 and one != two and self.day_first is None:
            raise ValueError("can be read in two ways; expected YYYY-MM-DD, or say which comes first")
        day_first = self.day_first if one <= 12 and two <= 12 else one > 12
        if self.day_first is not None and day_first is not self.day_first:
            raise ValueError(NOT_A_DATE + f", or {'the day' if self.day_first else 'the month'} first as in other rows")
        return (year, two, one) if day_first else (year, one, two)


def _of_serial(days: float, epoch: date) -> str:
    at = datetime(epoch.year, epoch.month, epoch.day) + timedelta(seconds=round(days * 86_400))  # noqa: DTZ001
    return at.isoformat(" ") if days % 1 else at.date().isoformat()


def _day(year: int, month: int, day: int) -> date:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"is not between {FIRST_YEAR} and {LAST_YEAR}; expected YYYY-MM-DD")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(NOT_A_DATE) from None


def _with_time(day: date, found: re.Match[str]) -> datetime:
    hour = int(found["hour"])
    if half := found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("has no such hour; expected HH:MM")
        hour = hour % 12 + (12 if half[0] in "Pp" else 0)
    minute, second = int(found["minute"]), int(found["second"] or 0)
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("has no such time; expected HH:MM or HH:MM:SS")
    micro = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    return datetime(day.year, day.month, day.day, hour, minute, min(second, 59), micro)  # noqa: DTZ001


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError("has no such time zone; expected +HH:MM")
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _on_the_clock(naive: datetime, zone: ZoneInfo) -> Moment:
    """A time in the zone. In the hour that is skipped the clock is read as if it had not been put forward; in the hour
    that comes twice the first one is taken. Both are noted.
    """
    local = naive.replace(tzinfo=zone)
    at = local.astimezone(UTC)
    seen = at.astimezone(zone)
    note = ""
    if seen.replace(tzinfo=None) != naive:
        note = f"is skipped by the clocks in {zone.key}; taken as {seen:%H:%M}"
    elif local.utcoffset() != local.replace(fold=1).utcoffset():
        note = f"comes twice on the clocks in {zone.key}; taken as the first"
    return Moment(at, seen.date(), date_only=False, note=note)


def is_ambiguous(texts: list[str]) -> bool:
    """Whether some of these dates can be read in two ways, and none says which is meant."""
    return day_first_of(texts) is None and any(
        match["one"] != match["two"] for text in texts if (match := EITHER.fullmatch(text))
    )


def day_first_of(texts: list[str]) -> bool | None:
    """Whether 01/02/2024 means February in a column of dates: True when a first part is above 12, False when a second
    is; None when neither, or both, occur.
    """
    found = [match for text in texts if (match := EITHER.fullmatch(text))]
    day_first = any(int(match["one"]) > 12 for match in found)
    month_first = any(int(match["two"]) > 12 for match in found)
    return day_first if day_first != month_first else None
