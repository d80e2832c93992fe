"""The last day that counts, as people read it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from loyalty.days import last_day, until

DUBLIN, BERLIN = ZoneInfo("Europe/Dublin"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("end", "zone", "said"),
    [
        (datetime(2026, 12, 22, tzinfo=UTC), DUBLIN, "21 December 2026"),
        (datetime(2026, 12, 22, tzinfo=UTC), BERLIN, "22 December 2026, 01:00"),
        (datetime(2026, 12, 21, 23, tzinfo=UTC), BERLIN, "21 December 2026"),
        (datetime(2027, 1, 1, tzinfo=UTC), DUBLIN, "31 December 2026"),
    ],
)
def test_what_ends_at_midnight_ends_with_the_day_before(end, zone, said):
    with timezone.override(zone):
        assert until(end) == said


def test_the_last_day_of_what_ends_at_noon_is_that_day():
    assert last_day(datetime(2026, 12, 22, 12, tzinfo=UTC)) == date(2026, 12, 22)
