"""What a key may do: areas, each also for reading only. Writing includes reading, and `admin` includes every area."""

from typing import Final

READ: Final = ":read"
AREAS: Final = ("customers", "orders", "loyalty", "feedback", "service", "campaigns", "analytics", "admin")
SCOPES: Final = (*AREAS, *(area + READ for area in AREAS))
ANY: Final = frozenset(SCOPES)


def opening(needed: str) -> frozenset[str]:
    """The scopes of which one is enough for `needed`, as the route table wants them."""
    area, _, reading = needed.partition(":")
    enough = {needed, area, "admin"} | ({"admin" + READ} if reading else set())
    if not enough <= ANY:
        raise ValueError(f"{needed} is not a scope")
    return frozenset(enough)
