"""What points are worth as money off a bill, by the programme's rate: so many cents for 100 points. Integers only."""

from typing import Final

RATE_POINTS: Final = 100


def cents_of(points: int, *, worth_cents: int) -> int:
    """What so many points take off, in minor units, rounded down: never more than they are worth."""
    return points * worth_cents // RATE_POINTS


def points_for(cents: int, *, worth_cents: int) -> int:
    """The fewest points that take so much off."""
    return -(-cents * RATE_POINTS // worth_cents)


def most_for(cents: int, *, balance: int, worth_cents: int) -> int:
    """The points that take the most off a bill of `cents`, and none that would take nothing off. 0 without any."""
    spendable = max(0, min(balance, points_for(max(cents, 0), worth_cents=worth_cents)))
    return points_for(min(cents, cents_of(spendable, worth_cents=worth_cents)), worth_cents=worth_cents)
