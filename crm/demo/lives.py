"""When each customer came first, and the days of all later visits."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crm.demo import dice, habits
from crm.demo.habits import Habit
from crm.demo.seasons import Calendar

GROWTH: Final = 1.06  # of new customers, a year
OPENING_DAYS: Final = 32.0  # the rush of the opening halves in about three weeks
OPENING_SHARE: Final = 0.25  # of three years' customers
MOST_VISITS: Final = 400
PAUSE: Final = 0.03  # a subscription rests for two or three deliveries
FORGOTTEN: Final = 0.012  # a second order on the same day


@dataclass(frozen=True)
class Visit:
    day: int
    purpose: str  # first, usual, subscription, gift, wholesale
    comeback: bool = False


@dataclass(frozen=True)
class Life:
    habit: Habit
    taste: str
    channel: str
    visits: list[Visit]


def lives(*, customers: int, calendar: Calendar, seed: int) -> list[Life]:
    """As many lives as customers, in the order in which they began. Each has at least one visit."""
    random = dice.stream(seed, "lives")
    days, opening = joined(random, customers, calendar)
    return [life(random, int(day), bool(first), calendar) for day, first in zip(days, opening, strict=True)]


def joined(
    random: np.random.Generator, customers: int, calendar: Calendar
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """First days of all customers, sorted, and whether they came with the opening."""
    days = np.arange(calendar.length)
    steady = GROWTH ** (days / 365) * (0.45 + 0.55 * calendar.levels)
    rush = np.exp(-days / OPENING_DAYS)
    rush *= OPENING_SHARE / (1 - OPENING_SHARE) * steady[: 3 * 365].sum() / rush.sum() * min(1, calendar.length / 1095)
    chance = steady + rush
    day = np.sort(random.choice(calendar.length, size=customers, p=chance / chance.sum()))
    return day, random.random(customers) < (rush / chance)[day]


def life(random: np.random.Generator, day: int, opening: bool, calendar: Calendar) -> Life:
    date_ = calendar.day(day)
    habit = dice.weighted(random, [(h, habits.share_at(h, date_, opening=opening)) for h in habits.HABITS])
    taste = dice.weighted(random, habits.TASTES)
    channel = dice.weighted(random, habits.channel_weights(habit, day / 365))
    first = [Visit(day, "gift" if habit is habits.CHRISTMAS else "wholesale" if habit is habits.BUSINESS else "first")]
    later = christmases(random, day, calendar) if habit is habits.CHRISTMAS else visits(random, habit, day, calendar)
    return Life(habit, taste, channel, first + later[: MOST_VISITS - 1])


def christmases(random: np.random.Generator, day: int, calendar: Calendar) -> list[Visit]:
    """Some who bought gifts once do so again the year after."""
    found: list[Visit] = []
    year = calendar.day(day).year + 1
    while dice.happens(random, 0.38):
        again = (date(year, 11, 22) - calendar.opened_on).days + int(random.integers(26))
        if again >= calendar.length:
            break
        found.append(Visit(again, "gift"))
        year += 1
    return found


def visits(random: np.random.Generator, habit: Habit, day: int, calendar: Calendar) -> list[Visit]:
    """Visits after the first one until the person leaves for good or the calendar ends."""
    pace = (
        float(dice.weighted(random, habits.SUBSCRIPTION_PACES))
        if habit.spread == 0
        else habit.pace * float(np.exp(habit.spread * random.standard_normal()))
    )
    leaving = float(random.beta(*habit.leaves))
    found: list[Visit] = []
    while len(found) < MOST_VISITS:
        left = dice.happens(random, leaving)
        if left and not dice.happens(random, habit.returns):
            break
        wait = gap(random, habit, pace) + (float(random.uniform(110, 420)) if left else 0.0)
        day = next_day(random, day, wait, calendar, seasonal=habit.seasonal)
        if day >= calendar.length:
            break
        found += same_day(random, Visit(day, habit.purpose, comeback=left))
        pace *= float(random.uniform(0.98, 1.035))
    return found


def gap(random: np.random.Generator, habit: Habit, pace: float) -> float:
    """Days until the next visit. Subscribers come on the day, or skip two or three times."""
    if habit is habits.SUBSCRIBER:
        return round(pace) * (float(random.integers(2, 4)) if dice.happens(random, PAUSE) else 1.0)
    return pace * float(random.gamma(habit.rhythm)) / habit.rhythm


def next_day(random: np.random.Generator, day: int, wait: float, calendar: Calendar, *, seasonal: bool) -> int:
    """The day after `wait`, at least one later. Where the seasons do not matter it is counted on the plain calendar."""
    if seasonal:
        return max(day + 1, calendar.forward(day, wait + float(random.random())))
    return day + max(1, round(wait))


def same_day(random: np.random.Generator, visit: Visit) -> list[Visit]:
    """The visit, now and then with a second one on the same day for what was forgotten."""
    if visit.purpose == "usual" and dice.happens(random, FORGOTTEN):
        return [visit, Visit(visit.day, "forgotten")]
    return [visit]
