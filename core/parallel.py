"""Parts of a piece of work at once, each on a connection of its own: a statement keeps one core of the database busy.

Parts may not need each other, and each commits by itself. Inside a transaction, which others cannot look into, they
come one after the other.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from django.db import connection, connections

from core.embedded import tuning

MOST: Final = 4  # parts at once

Part = TypeVar("Part")
Outcome = TypeVar("Outcome")


def each(parts: Sequence[Part], work: Callable[[Part], Outcome]) -> list[Outcome]:
    """What `work` gave for each part, in their order. An error of one is raised when all have ended."""
    width = min(len(parts), tuning.cores(), MOST)
    if width < 2 or connection.in_atomic_block:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(width) as pool:
        return list(pool.map(partial(_alone, work), parts))


def _alone(work: Callable[[Part], Outcome], part: Part) -> Outcome:
    try:
        return work(part)
    finally:
        connections.close_all()
