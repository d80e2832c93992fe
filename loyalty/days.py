"""Ends as people read them: what ends at midnight ends with the day before."""

from datetime import date, datetime, time, timedelta

from django.utils import formats, timezone


def last_day(end: datetime) -> date:
    """The day of the last moment before the end, in the zone of the page."""
    return timezone.localdate(end - timedelta(microseconds=1))


def until(end: datetime) -> str:
    """`21 December 2026` for the midnight after it, else the day and the time."""
    local = timezone.localtime(end)
    if local.time() == time(0):
        return formats.date_format(last_day(end), "DATE_FORMAT")
    return formats.date_format(local, "DATETIME_FORMAT")
