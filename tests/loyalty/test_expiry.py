"""When points become active and expire (loyalty.expiry), over months of all lengths and clocks that jump."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty import expiry
from loyalty.expiry import Terms

BERLIN = ZoneInfo("Europe/Berlin")
UTC_ZONE = ZoneInfo("UTC")
days = st.dates(date(1960, 1, 1), date(2100, 12, 31))


class TestMonths:
    @pytest.mark.parametrize(
        ("day", "months", "then"),
        [
            (date(2026, 1, 31), 1, date(2026, 2, 28)),
            (date(2028, 1, 31), 1, date(2028, 2, 29)),
            (date(2028, 2, 29), 12, date(2029, 2, 28)),
            (date(2026, 11, 30), 3, date(2027, 2, 28)),
            (date(2026, 12, 15), 1, date(2027, 1, 15)),
            (date(1969, 12, 31), 2, date(1970, 2, 28)),
        ],
    )
    def test_the_same_day_or_the_last_of_the_month(self, day, months, then):
        assert expiry.add_months(day, months) == then

    @pytest.mark.parametrize(
        ("period", "end"),
        [
            ("day", date(2026, 5, 10)),
            ("month", date(2026, 5, 31)),
            ("quarter", date(2026, 6, 30)),
            ("year", date(2026, 12, 31)),
        ],
    )
    def test_ends_of_periods(self, period, end):
        assert expiry.period_end(date(2026, 5, 10), period) == end

    @given(day=days, months=st.integers(0, 120))
    def test_a_month_is_never_skipped(self, day, months):
        then = expiry.add_months(day, months)
        assert then.year * 12 + then.month == day.year * 12 + day.month + months
        assert then.day == day.day or (then + timedelta(days=1)).day == 1

    @given(day=days, period=st.sampled_from(["day", "month", "quarter", "year"]))
    def test_an_end_is_its_own_end(self, day, period):
        end = expiry.period_end(day, period)
        assert end >= day
        assert expiry.period_end(end, period) == end


class TestActive:
    def test_after_the_return_window(self):
        terms = Terms(zone=BERLIN, pending_days=14)
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        assert expiry.active_at(terms, earned_on=date(2026, 3, 1), at=at) == datetime(2026, 3, 15, 23, tzinfo=UTC)

    def test_the_hour_follows_the_clock_of_the_business(self):
        terms = Terms(zone=BERLIN, pending_days=14)
        at = datetime(2026, 3, 20, 12, tzinfo=UTC)
        assert expiry.active_at(terms, earned_on=date(2026, 3, 20), at=at) == datetime(2026, 4, 3, 22, tzinfo=UTC)

    def test_at_once_without_one(self):
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        assert expiry.active_at(Terms(zone=BERLIN), earned_on=date(2026, 3, 1), at=at) == at

    def test_not_before_they_are_posted(self):
        terms, at = Terms(zone=BERLIN, pending_days=14), datetime(2026, 9, 1, tzinfo=UTC)
        assert expiry.active_at(terms, earned_on=date(2026, 3, 1), at=at) == at


class TestExpiry:
    AT = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def test_never(self):
        assert expiry.expires_at(Terms(zone=BERLIN), active_at=self.AT) is None

    def test_months_through_the_last_day(self):
        terms = Terms(zone=BERLIN, kind="months", months=1)
        assert expiry.expires_at(terms, active_at=self.AT) == datetime(2026, 2, 28, 23, tzinfo=UTC)

    def test_months_rounded_up_to_the_quarter(self):
        terms = Terms(zone=BERLIN, kind="months", months=12, period="quarter")
        assert expiry.expires_at(terms, active_at=self.AT) == datetime(2027, 3, 31, 22, tzinfo=UTC)

    def test_a_date_of_the_calendar(self):
        terms = Terms(zone=UTC_ZONE, kind="date", months=0, month=1, day=31)
        assert expiry.last_day(terms, active_on=date(2026, 1, 31)) == date(2026, 1, 31)
        assert expiry.last_day(terms, active_on=date(2026, 2, 1)) == date(2027, 1, 31)

    def test_a_date_after_a_least_life(self):
        terms = Terms(zone=UTC_ZONE, kind="date", months=6, month=12, day=31)
        assert expiry.last_day(terms, active_on=date(2026, 6, 30)) == date(2026, 12, 31)
        assert expiry.last_day(terms, active_on=date(2026, 7, 1)) == date(2027, 12, 31)

    def test_the_thirtieth_of_february_is_its_last_day(self):
        terms = Terms(zone=UTC_ZONE, kind="date", months=0, month=2, day=30)
        assert expiry.last_day(terms, active_on=date(2027, 3, 1)) == date(2028, 2, 29)

    def test_the_business_s_day_decides_and_not_utc(self):
        terms = Terms(zone=ZoneInfo("Pacific/Auckland"), kind="months", months=1)
        late = datetime(2026, 1, 30, 20, tzinfo=UTC)  # the 31st over there
        assert expiry.expires_at(terms, active_at=late) == datetime(2026, 2, 28, 11, tzinfo=UTC)

    def test_inactivity_moves_the_end(self):
        terms = Terms(zone=UTC_ZONE, kind="inactivity", months=12)
        assert expiry.after_activity(terms, at=self.AT) == datetime(2027, 2, 1, tzinfo=UTC)

    @pytest.mark.parametrize("kind", ["never", "months", "date"])
    def test_activity_moves_no_other_end(self, kind):
        assert expiry.after_activity(Terms(zone=UTC_ZONE, kind=kind), at=self.AT) is None

    @given(
        day=days,
        kind=st.sampled_from(["months", "date", "inactivity"]),
        months=st.integers(1, 60),
        period=st.sampled_from(["day", "month", "quarter", "year"]),
        place=st.tuples(st.integers(1, 12), st.integers(1, 31)),
    )
    def test_nobody_gets_less_than_the_months(self, day, kind, months, period, place):
        terms = Terms(zone=UTC_ZONE, kind=kind, months=months, period=period, month=place[0], day=place[1])
        assert expiry.last_day(terms, active_on=day) >= expiry.add_months(day, months)


class TestMidnight:
    @pytest.mark.parametrize(
        ("zone", "day", "at"),
        [
            ("Europe/Berlin", date(2026, 3, 28), datetime(2026, 3, 28, 23, tzinfo=UTC)),
            ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)),
            # Clocks jump from midnight to one: the day is over at the jump.
            ("America/Santiago", date(2026, 9, 5), datetime(2026, 9, 6, 4, tzinfo=UTC)),
            # One goes back to midnight: the first one counts.
            ("America/Havana", date(2026, 10, 31), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ],
    )
    def test_the_day_is_over(self, zone, day, at):
        assert expiry.midnight_after(day, ZoneInfo(zone)) == at
