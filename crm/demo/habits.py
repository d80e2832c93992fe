"""The kinds of customers: how often they come, when they leave, where they came from, what they like."""

from dataclasses import dataclass
from datetime import date
from typing import Final

CHANNELS: Final = ["organic search", "social", "referral", "newsletter", "marketplace", "shop"]
YOUNG_CHANNELS: Final = {"marketplace": 0.75}  # years after the opening


@dataclass(frozen=True)
class Habit:
    """A kind of customer.

    `pace` is the median number of days between orders and `spread` the standard deviation of its logarithm among
    people; `rhythm` is the shape of the gaps (1: no memory, 8: like a clock). After each order a person leaves with a
    probability drawn once from Beta(`leaves`).
    """

    name: str
    share: float
    at_opening: float  # how many times its share among the first customers
    pace: float
    spread: float
    rhythm: float
    leaves: tuple[float, float]
    returns: float  # the probability of coming back after leaving
    seasonal: bool  # whether the pace follows the seasons
    purpose: str
    channels: tuple[float, ...]  # weights, in the order of CHANNELS


CASUAL = Habit("casual", 37, 1.2, 82, 0.55, 1.4, (1.1, 5.2), 0.20, True, "usual", (30, 20, 13, 12, 12, 13))
REGULAR = Habit("regular", 15, 1.7, 34, 0.40, 3.5, (1.2, 17), 0.25, True, "usual", (28, 8, 26, 18, 2, 18))
SUBSCRIBER = Habit("subscriber", 7, 1.2, 28, 0.0, 60, (1.3, 20), 0.22, False, "subscription", (34, 14, 30, 18, 0, 4))
BUSINESS = Habit("business", 1.7, 1.1, 26, 0.3, 9, (1.1, 34), 0.12, False, "wholesale", (34, 4, 40, 4, 0, 18))
CURIOUS = Habit("curious", 36, 0.7, 150, 0.5, 1.2, (6, 2.2), 0.05, True, "usual", (24, 31, 6, 8, 22, 9))
CHRISTMAS = Habit("christmas", 5.5, 0.0, 365, 0.0, 1, (6, 4), 0.0, False, "gift", (26, 26, 8, 8, 24, 8))
HABITS: Final = [CASUAL, REGULAR, SUBSCRIBER, BUSINESS, CURIOUS, CHRISTMAS]

SUBSCRIPTION_PACES: Final = [(14, 15.0), (28, 62.0), (42, 23.0)]
TASTES: Final = [("espresso", 30.0), ("filter", 26.0), ("tea", 26.0), ("both", 18.0)]


def share_at(habit: Habit, day: date, *, opening: bool) -> float:
    """How likely a customer who first comes on `day` is of this habit, up to a factor."""
    if habit is CHRISTMAS:
        return habit.share * (7.0 if (11, 12) <= (day.month, day.day) <= (12, 21) else 0.08)
    return habit.share * (habit.at_opening if opening else 1.0)


def channel_weights(habit: Habit, years_open: float) -> list[tuple[str, float]]:
    """Social media grows by the year, the marketplace was joined later, the opening was told by newsletter."""
    trend = {
        "social": 0.6 + 0.35 * years_open,
        "newsletter": 2.2 if years_open < 0.15 else 1.0,
        "marketplace": 1.0 if years_open >= YOUNG_CHANNELS["marketplace"] else 0.0,
    }
    return [
        (channel, weight * trend.get(channel, 1.0)) for channel, weight in zip(CHANNELS, habit.channels, strict=True)
    ]
