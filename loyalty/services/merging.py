"""Two accounts of points become one."""

from datetime import datetime

from loyalty import ledger
from loyalty.models import Posting


def merge(*, into: int, other: int, key: str, at: datetime, by: int | None = None) -> Posting:
    """The points and lots of the customer `other` go to the customer `into`, and so does what is written for her later.

    The postings say what moved; lifetime counters move along. Raises AccountHasHolds while one of them has points on
    hold, SameAccount when they are one already.
    """
    return ledger.merge(into=into, other=other, key=key, at=at, by=by).posting
