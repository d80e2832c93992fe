"""When people buy: seasons, weekdays, holidays, hours of the day."""

from datetime import date, datetime, time, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

# How keen people are on coffee and tea, by month; the mean is near 1.
SEASON: Final = np.array([0.97, 0.96, 0.97, 0.95, 0.93, 0.88, 0.83, 0.85, 0.98, 1.05, 1.22, 1.42])
WEEKDAYS: Final = np.array([1.10, 1.02, 1.00, 1.00, 0.96, 0.88, 1.04])  # from Monday
QUIET_DAYS: Final = {(1, 1): 0.45, (12, 24): 0.5, (12, 25): 0.15, (12, 26): 0.4, (12, 31): 0.6}
GIFT_RUSH: Final = (date(2000, 11, 20), date(2000, 12, 19))  # the last day that still arrives in time
RUSH: Final = 1.25
BLACK_FRIDAY: Final = 1.9

ONLINE_HOURS: Final = np.array(
    [
        0.7,
        0.3,
        0.1,
        0.05,
        0.05,
        0.15,
        0.8,
        2.2,
        3.6,
        4.4,
        4.8,
        4.8,
        5.4,
        5.0,
        4.2,
        4.0,
        4.0,
        4.3,
        5.0,
        6.4,
        7.8,
        7.6,
        5.0,
        2.2,
    ]
)
SHOP_HOURS: Final = np.array([0] * 9 + [2, 4, 5, 6, 5, 4, 4, 5, 6, 2] + [0] * 5, dtype=float)
OFFICE_HOURS: Final = np.array([0] * 7 + [1, 4, 6, 6, 5, 2, 3, 5, 5, 3, 1] + [0] * 6, dtype=float)
CURVES: Final = {
    name: np.cumsum(curve / curve.sum())
    for name, curve in {"online": ONLINE_HOURS, "shop": SHOP_HOURS, "office": OFFICE_HOURS}.items()
}


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 22)


def is_sale(day: date) -> bool:
    """From Black Friday to the Monday after it."""
    return 0 <= (day - black_friday(day.year)).days <= 3


def keenness(day: date) -> float:
    """How much is bought on a day, beside a mean day of the year."""
    month, share = day.month - 1, (day.day - 15) / 30.0
    beside = (month + (1 if share > 0 else -1)) % 12
    level = SEASON[month] * (1 - abs(share)) + SEASON[beside] * abs(share)
    if GIFT_RUSH[0] <= day.replace(year=2000) <= GIFT_RUSH[1]:
        level *= RUSH
    if is_sale(day):
        level *= BLACK_FRIDAY
    return float(level * WEEKDAYS[day.weekday()] * QUIET_DAYS.get((day.month, day.day), 1.0))


class Calendar:
    """The days from the opening to the last one, and a clock that runs faster when people are keener.

    On that clock a person's pace is even; `forward` turns its time back into days. Days are counted from the opening.
    """

    def __init__(self, opened_on: date, until: date) -> None:
        self.opened_on = opened_on
        self.until = until
        self.length = (until - opened_on).days + 1
        levels = np.array([keenness(opened_on + timedelta(days=day)) for day in range(self.length)])
        self.levels: NDArray[np.float64] = levels
        self.clock: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(levels)])

    def day(self, number: int) -> date:
        return self.opened_on + timedelta(days=number)

    def forward(self, number: int, keen_days: float) -> int:
        """The day that lies so many keen days after another; the calendar's length when it is beyond the end."""
        return int(np.searchsorted(self.clock, self.clock[number] + keen_days, side="right")) - 1


def moment(dice: np.random.Generator, day: date, curve: str) -> datetime:
    """A time on that day, as the curve of its hours has it, to the second."""
    hour = min(int(np.searchsorted(CURVES[curve], dice.random(), side="right")), 23)
    return datetime.combine(day, time(hour, int(dice.integers(60)), int(dice.integers(60))))


def working_day(day: date, until: date) -> date:
    """The day itself, or the Monday after a weekend; the Friday before when Monday lies beyond the last day."""
    return kept_to_week(day, until, last=4)


def open_day(day: date, until: date) -> date:
    """The day itself; for a Sunday, when the shop in town is shut, the Monday after or else the Saturday before."""
    return kept_to_week(day, until, last=5)


def kept_to_week(day: date, until: date, *, last: int) -> date:
    if day.weekday() <= last:
        return day
    monday = day + timedelta(days=7 - day.weekday())
    return monday if monday <= until else day - timedelta(days=day.weekday() - last)
