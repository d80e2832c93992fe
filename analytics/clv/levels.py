"""What past days say of the level: the share by which predicted totals have been off, as far as it can be believed.

A shop's totals are off for two reasons. Something lasts: its customers stay longer than the models think, or baskets
grow. And each period is off by itself: a mild winter, a campaign. The mean of the past errors is what lasts and what is
left of the periods, so it is believed as a normal mean is whose prior is normal around no error (Lindley & Smith 1972;
Gelman et al. 2013, Bayesian Data Analysis, section 2.5):

    belief = n / (PRIOR + n · (1 + noise² / SPREAD²))

with n past periods, PRIOR the variance of a period's own error over that of the lasting ones, and noise the standard
error that a few customers cause at all periods alike. Horizons that overlap are one period twice: n counts how many of
them fit into the time they cover.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PRIOR = 4.0  # as many past periods that were right are added
SPREAD = 0.1  # standard deviation of the errors that last, from shop to shop
FARTHEST = float(np.log(2.0))


class Seen(NamedTuple):
    """One origin: when its outcome was known, ln(actual / predicted), and how far a few customers alone may move it."""

    day: int
    known_on: int
    off: float
    noise: float = 0.0  # standard error over customers


class Level(NamedTuple):
    """The factor for what is to come, 1 where nothing is known, and why."""

    factor: float
    reason: str
    tests: int  # past days that it was learned from


NONE = Level(1.0, "", 0)


def learn(seen: Sequence[Seen]) -> Level:
    """The correction that these origins call for: at most a factor of two."""
    if not seen:
        return Level(1.0, "No past day to learn the level from.", 0)
    count, noise = independent(seen), float(np.mean([one.noise**2 for one in seen]))
    belief = count / (PRIOR + count * (1.0 + noise / SPREAD**2))
    off = float(np.mean([one.off for one in seen]))
    factor = float(np.exp(np.clip(belief * off, -FARTHEST, FARTHEST)))
    times = f"{factor:.2f}"
    return Level(factor, f"Earlier errors call for {times} times what is expected.", len(seen))


def independent(seen: Sequence[Seen]) -> float:
    """How many horizons fit into the time that these cover; 0 for none, at most as many as there are."""
    if not seen:
        return 0.0
    days = [one.day for one in seen]
    horizon = max(float(np.mean([one.known_on - one.day for one in seen])), 1.0)
    return min(float(len(seen)), (max(days) - min(days)) / horizon + 1.0)
