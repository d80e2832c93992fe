"""What came back: broken cups, the wrong grind, a gift that was not liked, and now and then a whole order."""

from datetime import datetime, timedelta
from typing import Final

import numpy as np

from crm.demo import dice, seasons
from crm.demo.facts import Line, Return
from crm.demo.seasons import Calendar

COMES_BACK: Final = {"Brewing": 0.065, "Teaware": 0.05, "Cups": 0.05, "Gifts": 0.025, "Coffee": 0.012, "Tea": 0.012}
OTHERWISE: Final = 0.004
WHOLE_ORDER: Final = 0.007
DAYS: Final = (3, 25)


def returns(
    random: np.random.Generator, order_id: str, placed_at: datetime, lines: list[Line], calendar: Calendar
) -> list[Return]:
    """At most one return of an order, days later in office hours; none that would lie beyond the calendar."""
    if not any(line.net > 0 for line in lines):
        return []
    pieces = whole(lines) if dice.happens(random, WHOLE_ORDER) else some(random, lines)
    if not pieces:
        return []
    day = seasons.working_day(placed_at.date() + timedelta(days=int(random.integers(*DAYS))), calendar.until)
    if day > calendar.until:
        return []
    return [Return(f"{order_id}-R1", seasons.moment(random, day, "office"), pieces)]


def whole(lines: list[Line]) -> list[tuple[int, int]]:
    return [(position, line.quantity) for position, line in enumerate(lines)]


def some(random: np.random.Generator, lines: list[Line]) -> list[tuple[int, int]]:
    """Lines that came back, each with one piece or all of them. Delivery is not paid back."""
    return [
        (position, line.quantity if dice.happens(random, 0.6) else 1)
        for position, line in enumerate(lines)
        if line.item.kind == "goods" and dice.happens(random, COMES_BACK.get(line.item.category, OTHERWISE))
    ]
