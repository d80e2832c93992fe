"""When a term ends: months are counted in the calendar, from the day of the month on which the contract began."""

import calendar
from datetime import date, timedelta


def last_day(*, starts_on: date, months: int, anchor: int) -> date:
    """The last day of a term of so many months.

    The next term begins on the day `anchor` of its month, or on the month's last day where it is shorter: a contract
    from 31 January has monthly terms from 31 January, 28 February and 31 March.
    """
    number = starts_on.year * 12 + starts_on.month - 1 + months
    year, month = number // 12, number % 12 + 1
    day = min(anchor, calendar.monthrange(year, month)[1])
    return date(year, month, day) - timedelta(days=1)
