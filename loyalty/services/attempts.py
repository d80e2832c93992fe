"""Limits on guessing codes: who enters too many wrong ones rests for a while, and nobody else does.

The same wrong code again is no other guess: a till that works out a bill with a typo ten times is not guessing.
Counters stand in Redis by caller. A code worth money has 80 random bits, so nothing else hangs on them: while Redis
does not answer, codes can be entered.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import cache
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from loyalty import codes
from loyalty import offer_refusals as refusals
from loyalty.offer_refusals import Refused

log = logging.getLogger(__name__)
T = TypeVar("T")

WINDOW_SECONDS: Final = 600
MOST_OF_A_PERSON: Final = 10
MOST_OF_MANY: Final = 200  # of a program or an address, behind which there may be many people
WRONG: Final = frozenset({refusals.UNKNOWN, refusals.NOT_FOR_THEM})


class TooManyAttempts(Exception):
    """The message is for people; `seconds` until the next attempt counts."""

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        text = ngettext(
            "Too many codes were wrong. Try again in %(minutes)s minute.",
            "Too many codes were wrong. Try again in %(minutes)s minutes.",
            minutes,
        )
        super().__init__(text % {"minutes": minutes})
        self.seconds = seconds


def entering(who: str, text: str, action: Callable[[], T], *, most: int = MOST_OF_A_PERSON) -> T:
    """What `action` does with the code `text` that `who` (`customer:81`, `address:…`) entered.

    Raises TooManyAttempts, whether or not this code were right. A wrong one counts, once; what was right is never
    counted.
    """
    window, passed = divmod(time.time(), WINDOW_SECONDS)
    name = f"codes:{who}:{window:.0f}"
    if (cache.get(name) or 0) >= most:
        raise TooManyAttempts(int(WINDOW_SECONDS - passed) + 1)
    try:
        return action()
    except Refused as refusal:
        if refusal.code in WRONG:
            _count(name, text)
        raise


def _count(name: str, text: str) -> None:
    kept = hashlib.sha256(codes.normalise(text).encode()).hexdigest()
    try:
        is_new = cache.add(f"{name}:{kept}", 1, WINDOW_SECONDS * 2)
        if is_new and not cache.add(name, 1, WINDOW_SECONDS * 2):
            cache.incr(name)
    except (RedisError, ValueError) as error:
        log.warning("a wrong code is not counted: %s", type(error).__name__)
