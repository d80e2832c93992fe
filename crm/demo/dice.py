"""Random numbers that are the same on every machine: one stream a topic, named, from one seed.

A topic of its own means that another draw for names leaves the orders as they were.
"""

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def stream(seed: int, topic: str) -> np.random.Generator:
    """The stream of a topic. The name is hashed by CRC-32: Python's own hash differs between processes."""
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(topic.encode())]))


def one(dice: np.random.Generator, things: Sequence[T]) -> T:
    """Any of the things, each as likely as the others."""
    return things[int(dice.integers(len(things)))]


def some(dice: np.random.Generator, things: Sequence[T], count: int, shares: Sequence[float] | None = None) -> list[T]:
    """Up to `count` different things, in any order; `shares` add up to one and say how likely each is."""
    if not things:
        return []
    places = dice.choice(len(things), min(count, len(things)), replace=False, p=shares)
    return [things[int(place)] for place in places]


def weighted(dice: np.random.Generator, things: Sequence[tuple[T, float]]) -> T:
    """One of the things, each as likely as its weight says. Weights need not add up to one."""
    left = dice.random() * sum(weight for _, weight in things)
    for thing, weight in things:
        left -= weight
        if left < 0:
            return thing
    return things[-1][0]


def happens(dice: np.random.Generator, probability: float) -> bool:
    return bool(dice.random() < probability)
