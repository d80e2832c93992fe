"""A plain correction of the level: what earlier origins were off by, where that has helped later ones.

Models can be off by the same share again and again, because a shop grows or fades. More often they are off by another
share each time: CDNOW's order days of the next quarter are predicted at 1.2, 1.2, 1.0, 0.9, 1.0 of the truth within
1997. So a correction has to prove itself: at each origin it is made of those origins only whose outcome was known by
then, and it has to bring the predictions nearer to what happened. What a few large customers may do by chance, and
would do at all origins alike, is taken off it (James & Stein 1961, the positive part).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analytics.clv.params import FloatArray

FEWEST_TESTS = 2
GAIN = 0.9  # the error has to shrink to this share
FARTHEST = float(np.log(2.0))


class Seen(NamedTuple):
    """One origin: when its outcome was known, ln(actual / predicted), and how far a few customers alone may move it."""

    day: int
    known_on: int
    off: float
    noise: float = 0.0  # standard error over customers


class Level(NamedTuple):
    """The factor for what is to come, 1 where no correction is used, and why."""

    factor: float
    reason: str
    tests: int


NONE = Level(1.0, "", 0)


def learn(seen: Sequence[Seen]) -> Level:
    """The correction that these origins, in order of time, call for."""
    tested = [(one.off, _correction(earlier)) for one in seen if (earlier := _known_before(seen, one.day))]
    if len(tested) < FEWEST_TESTS:
        count = len(tested)
        return Level(1.0, f"Past days to try a correction of the level at: {count}; it takes {FEWEST_TESTS}.", count)
    off = [one for one, _ in tested]
    if not helps(off, [one - correction for one, correction in tested]):
        return Level(1.0, "A correction by earlier errors did not help on later days.", len(tested))
    correction = _correction([one.off for one in seen])
    noise = float(np.mean([one.noise**2 for one in seen]))
    if correction**2 <= noise:
        return Level(1.0, "Earlier errors may be the doing of a few customers.", len(tested))
    factor = float(np.exp(correction * (1.0 - noise / correction**2)))
    times = f"{factor:.2f}"
    return Level(factor, f"Earlier errors call for {times} times what is expected.", len(tested))


def helps(plain: Sequence[float], corrected: Sequence[float]) -> bool:
    """Whether errors (logarithms, 0 is best) shrank by a tenth on the whole, and at most of the origins."""
    before, after = _sizes(plain), _sizes(corrected)
    return bool(np.mean(after) <= GAIN * np.mean(before) and np.mean(after <= before) > 0.5)


def _sizes(errors: Sequence[float]) -> FloatArray:
    return np.abs(np.array(errors, dtype=np.float64))


def _known_before(seen: Sequence[Seen], day: int) -> list[float]:
    return [one.off for one in seen if one.known_on <= day]


def _correction(off: Sequence[float]) -> float:
    """Their mean with one origin that was right added, at most a factor of two."""
    return float(np.clip(np.sum(off) / (len(off) + 1), -FARTHEST, FARTHEST))
