"""One entry of a customer's timeline."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Event:
    """`amount_cents` is what came in or, for refunds and returns, what went back; None: no money moved."""

    kind: str
    at: datetime
    date_only: bool
    title: str
    text: str
    amount_cents: int | None = None
    status: str = ""
    url: str = ""
