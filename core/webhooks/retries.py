"""When a message that did not arrive is tried again. Pure."""

from datetime import datetime, timedelta
from typing import Final

# As Standard Webhooks suggests: quickly at first, then further and further apart, over 75 hours in all.
PAUSES: Final = tuple(
    timedelta(**pause)
    for pause in (
        {"seconds": 5},
        {"minutes": 5},
        {"minutes": 30},
        *({"hours": hours} for hours in (2, 5, 10, 14, 20, 24)),
    )
)
MOST_ATTEMPTS: Final = len(PAUSES) + 1


def next_try(*, attempts: int, at: datetime, chance: float) -> datetime | None:
    """The time of the next try after so many, None when it is given up.

    `chance` (0 to 1) puts it off by up to a tenth, so that what failed together does not come back together.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    return at + PAUSES[attempts - 1] * (1 + chance / 10)
