"""Midnight for all accounts: what time has decided by the end of a business day.

The order is: points become active, tiers end, tiers of the new period begin, points expire. The night takes each as a
step of its own (crm.night); tiers stand in loyalty.services.tiers. Readers need not wait for it: they judge by times.
"""

from datetime import date, datetime

from core.models import Business
from loyalty import expiry
from loyalty.services import activity, entering, settling


def end_of(as_of: date, *, business: Business, at: datetime) -> datetime:
    """The moment at which the day was over; now, while it is not."""
    return min(expiry.midnight_after(as_of, business.zone), at)


def activate(*, as_of: date, business: Business, at: datetime) -> int:
    """Points whose return window has passed become active. Returns of how many accounts."""
    activity.catch_up(at=at)
    return settling.activate_all(at=end_of(as_of, business=business, at=at))


def expire(*, as_of: date, business: Business, at: datetime) -> int:
    """Points whose last day is over go, and whatever else is due by then. Returns of how many accounts."""
    return settling.settle_all(at=end_of(as_of, business=business, at=at))


def welcome(*, at: datetime) -> int:
    """Points for customers who are in a segment since the night. Returns how many got some."""
    return entering.credit(at=at)
