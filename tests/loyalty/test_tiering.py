"""Windows, periods and what becomes of a tier, on plain values."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty import tiering
from loyalty.expiry import add_months
from loyalty.tiering import Decision, Rules, Span, Stand

KINDS = ("rolling", "year", "lifetime")
DAYS = st.dates(date(1960, 1, 1), date(2090, 12, 31))
DAY = date(2026, 3, 10)
SILVER, GOLD = 1, 2


def rules(**fields):
    return Rules(**{"window": "rolling", "thresholds": (100, 300)} | fields)


class TestWindow:
    def test_the_last_twelve_months_end_with_the_day(self):
        assert tiering.window("rolling", DAY) == Span(date(2025, 3, 11), DAY)

    def test_a_calendar_year_is_whole(self):
        assert tiering.window("year", date(2026, 12, 31)).first == date(2026, 1, 1)
        assert tiering.window("year", date(2027, 1, 1)).first == date(2027, 1, 1)

    def test_all_the_time_has_no_beginning(self):
        assert tiering.window("lifetime", DAY) == Span(None, DAY)

    def test_the_end_of_february(self):
        assert tiering.window("rolling", date(2024, 2, 29)).first == date(2023, 3, 1)
        assert tiering.window("rolling", date(2025, 2, 28)).first == date(2024, 3, 1)
        assert tiering.window("rolling", date(2025, 2, 27)).first == date(2024, 2, 28)

    @settings(deadline=None)
    @given(DAYS)
    def test_twelve_months_are_a_year_of_days(self, day):
        span = tiering.window("rolling", day)
        assert 364 <= (day - span.first).days <= 365

    @settings(deadline=None)
    @given(DAYS)
    def test_it_never_moves_back(self, day):
        assert tiering.window("rolling", day).first <= tiering.window("rolling", day + timedelta(days=1)).first


class TestPeriod:
    def test_it_closes_a_year_later_less_a_day(self):
        assert tiering.period_end("rolling", DAY) == date(2027, 3, 9)
        assert tiering.period_end("rolling", date(2024, 2, 29)) == date(2025, 2, 27)

    def test_it_closes_with_the_year(self):
        assert tiering.period_end("year", DAY) == date(2026, 12, 31)

    def test_it_never_closes(self):
        assert tiering.period_end("lifetime", DAY) is None

    @settings(deadline=None)
    @given(st.sampled_from(["rolling", "year"]), DAYS)
    def test_all_of_it_counts_on_its_last_day(self, kind, day):
        """Who reached a tier by what was earned on the first day still has it in the window that judges the period."""
        assert tiering.window(kind, tiering.period_end(kind, day)).first <= day

    @settings(deadline=None)
    @given(DAYS)
    def test_until_when_the_oldest_counts(self, oldest):
        by = add_months(oldest, 12) - timedelta(days=1)
        assert tiering.window("rolling", by).first <= oldest
        assert tiering.window("rolling", by + timedelta(days=2)).first > oldest


class TestRank:
    @settings(deadline=None)
    @given(st.lists(st.integers(0, 1000), unique=True).map(sorted), st.integers(0, 1100))
    def test_it_is_the_number_of_thresholds_reached(self, thresholds, value):
        assert tiering.rank_for(thresholds, value) == sum(one <= value for one in thresholds)


def decide(stand, *, today=DAY, value_now=0, value_then=0, **fields):
    return tiering.decide(rules(**fields), stand, today=today, value_now=value_now, value_then=value_then)


def kept(rank, *, ends_on, grace_days=0, **fields):
    return Stand(rank, ends_on, ends_on + timedelta(days=grace_days), **fields)


class TestReaching:
    def test_it_works(self):
        assert decide(None, value_now=100) == Decision(kept(SILVER, ends_on=date(2027, 3, 9)), "reached")

    def test_two_tiers_at_once(self):
        assert decide(None, value_now=900).stand.rank == GOLD

    def test_less_is_nothing(self):
        assert decide(None, value_now=99) is None

    def test_a_tier_from_zero_takes_part(self):
        assert decide(None, thresholds=(0, 100)).stand.rank == 1
        assert tiering.decide(rules(thresholds=(0,)), None, today=DAY, value_now=0, has_facts=False) is None

    def test_rising_begins_a_period(self):
        found = decide(kept(SILVER, ends_on=DAY), value_now=300)
        assert found == Decision(kept(GOLD, ends_on=date(2027, 3, 9)), "reached")

    def test_grace_is_added_to_the_end(self):
        assert decide(None, value_now=100, grace_days=30).stand.until == date(2027, 4, 8)

    def test_nobody_falls_within_the_period(self):
        """A refund takes points away, not the tier: that is looked at when the period ends."""
        stand = kept(GOLD, ends_on=DAY)
        assert decide(stand, value_now=0) == Decision(stand)

    def test_no_tiers_at_all(self):
        assert decide(None, value_now=900, thresholds=()) is None


class TestEndOfPeriod:
    ENDED = DAY - timedelta(days=1)

    def test_kept_for_the_next_one(self):
        found = decide(kept(SILVER, ends_on=self.ENDED), value_then=100)
        assert found == Decision(kept(SILVER, ends_on=date(2027, 3, 9)))

    def test_a_year_follows_a_year(self):
        found = decide(kept(SILVER, ends_on=date(2025, 12, 31)), value_then=100, window="year")
        assert found == Decision(kept(SILVER, ends_on=date(2026, 12, 31)))

    def test_one_step_down(self):
        assert decide(kept(GOLD, ends_on=self.ENDED)) == Decision(kept(SILVER, ends_on=date(2027, 3, 9)), "ended")

    def test_recalculated(self):
        assert decide(kept(GOLD, ends_on=self.ENDED), by_step=False) == Decision(Stand(0), "ended")

    def test_a_step_is_not_below_what_was_earned(self):
        found = decide(kept(3, ends_on=self.ENDED), thresholds=(10, 20, 30), value_then=25)
        assert found.stand.rank == 2

    def test_grace_keeps_it_a_while(self):
        stand = kept(GOLD, ends_on=self.ENDED, grace_days=1)
        assert decide(stand, grace_days=1) == Decision(stand)
        assert decide(stand, grace_days=1, today=DAY + timedelta(days=1)).reason == "ended"

    def test_grace_is_time_to_reach_it_anew(self):
        stand = kept(SILVER, ends_on=self.ENDED, grace_days=30)
        found = decide(stand, value_now=100, grace_days=30)
        assert found == Decision(kept(SILVER, ends_on=date(2027, 3, 9), grace_days=30))

    def test_the_lowest_tier_is_lost_to_none(self):
        assert decide(kept(SILVER, ends_on=self.ENDED)) == Decision(Stand(0), "ended")


class TestByHand:
    def test_it_holds_without_points(self):
        stand = kept(GOLD, ends_on=DAY, set_by="raised")
        assert decide(stand) == Decision(stand)

    def test_whoever_is_raised_still_rises(self):
        assert decide(kept(SILVER, ends_on=DAY, set_by="raised"), value_now=300).stand.rank == GOLD

    def test_whoever_is_lowered_stays(self):
        stand = kept(SILVER, ends_on=DAY, set_by="lowered")
        assert decide(stand, value_now=300) == Decision(stand)

    @pytest.mark.parametrize("set_by", ["raised", "lowered"])
    def test_afterwards_the_rules_decide(self, set_by):
        stand = kept(SILVER, ends_on=DAY - timedelta(days=1), set_by=set_by)
        assert decide(stand, value_now=300) == Decision(kept(GOLD, ends_on=date(2027, 3, 9)), "hand-ended")
        assert decide(stand) == Decision(Stand(0), "hand-ended")

    def test_what_was_earned_as_well_is_no_move(self):
        stand = kept(SILVER, ends_on=DAY - timedelta(days=1), set_by="raised")
        assert decide(stand, value_then=100) == Decision(kept(SILVER, ends_on=date(2027, 3, 9)))


STANDS = st.one_of(
    st.none(),
    st.just(Stand(0)),
    st.builds(
        lambda rank, ends, grace, by: kept(rank, ends_on=DAY + timedelta(days=ends), grace_days=grace, set_by=by),
        st.integers(1, 2),
        st.integers(-40, 400),
        st.integers(0, 40),
        st.sampled_from(["rules", "raised", "lowered"]),
    ),
)
RULES = st.builds(
    rules,
    window=st.sampled_from(KINDS),
    thresholds=st.sampled_from([(100, 300), (0, 300)]),
    grace_days=st.integers(0, 40),
    by_step=st.booleans(),
)
VALUES = st.sampled_from([0, 99, 100, 299, 300, 10**12])


class TestAlways:
    @settings(deadline=None)
    @given(RULES, STANDS, VALUES, VALUES)
    def test_twice_the_same_day_is_once(self, own, stand, now, then):
        first = tiering.decide(own, stand, today=DAY, value_now=now, value_then=then)
        if first is None:
            return
        again = tiering.decide(own, first.stand, today=DAY, value_now=now, value_then=then)
        late = first.stand.ends_on is not None and first.stand.ends_on < DAY
        assert again.reason is None or late
        assert late or again.stand == first.stand

    @settings(deadline=None)
    @given(RULES, STANDS, VALUES, VALUES)
    def test_nobody_stands_below_what_is_reached(self, own, stand, now, then):
        found = tiering.decide(own, stand, today=DAY, value_now=now, value_then=then)
        if found is not None and found.stand.set_by != "lowered":
            assert found.stand.rank >= tiering.rank_for(own.thresholds, now)

    @settings(deadline=None)
    @given(RULES, STANDS, VALUES, VALUES)
    def test_a_reason_is_a_change_of_rank(self, own, stand, now, then):
        found = tiering.decide(own, stand, today=DAY, value_now=now, value_then=then)
        if found is not None:
            assert (found.reason is None) == (found.stand.rank == (stand.rank if stand else 0))

    @settings(deadline=None)
    @given(RULES, STANDS, VALUES, VALUES)
    def test_more_is_never_worse(self, own, stand, now, then):
        less, more = (
            tiering.decide(own, stand, today=DAY, value_now=value, value_then=then) for value in (now // 2, now)
        )
        assert (less.stand.rank if less else 0) <= (more.stand.rank if more else 0)


def progress(stand, *, today=DAY, value_now=0, value_kept=0, oldest=None, **fields):
    return tiering.progress(
        rules(**fields), stand, today=today, value_now=value_now, value_kept=value_kept, oldest=oldest
    )


class TestProgress:
    def test_what_is_missing_to_the_next(self):
        found = progress(None, value_now=40, oldest=date(2025, 6, 1))
        assert (found.next_rank, found.next_missing, found.next_by) == (1, 60, date(2026, 5, 31))
        assert (found.keep_missing, found.keep_by) == (0, None)

    def test_what_is_missing_to_keep(self):
        stand = kept(GOLD, ends_on=date(2026, 6, 30))
        found = progress(stand, value_now=280, value_kept=120)
        assert (found.keep_missing, found.keep_by) == (180, date(2026, 6, 30))
        assert (found.next_rank, found.next_missing, found.next_by) == (None, 0, None)

    def test_nothing_is_missing(self):
        assert progress(kept(SILVER, ends_on=DAY), value_now=150, value_kept=100).keep_missing == 0

    def test_in_the_days_of_grace(self):
        stand = kept(SILVER, ends_on=DAY - timedelta(days=1), grace_days=5)
        found = progress(stand, value_now=90, value_kept=80)
        assert (found.keep_missing, found.keep_by) == (10, DAY + timedelta(days=4))

    def test_a_year_ends_on_its_last_day(self):
        assert progress(None, window="year").next_by == date(2026, 12, 31)

    @pytest.mark.parametrize("window", ["rolling", "lifetime"])
    def test_no_day_to_hurry_for(self, window):
        assert progress(None, window=window).next_by is None

    def test_a_tier_for_life_is_kept(self):
        assert progress(Stand(SILVER), window="lifetime", value_now=0).keep_by is None

    def test_no_tiers_at_all(self):
        assert progress(None, thresholds=()).next_rank is None
