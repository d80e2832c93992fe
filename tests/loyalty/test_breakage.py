"""Breakage of triangles small enough to work out by hand."""

from datetime import date
from math import sqrt

import pytest

from loyalty import breakage
from loyalty.breakage import Cell, Left

NOW = breakage.number_of(date(2026, 3, 1))


def cohort(age, *months, came=1000):
    """Lots that became active so many months ago; `months` are (used, expired) from the first one on."""
    active = NOW - age
    return [
        Cell(active=active, month=active + i, came=came if i == 0 else 0, used=used, expired=expired)
        for i, (used, expired) in enumerate(months)
    ]


# Each month a tenth of what is there is used, and after the third month the rest expires.
THIRDS = [*cohort(3, (100, 0), (90, 0), (81, 729)), *cohort(4, (100, 0), (90, 0), (81, 729))]
ALIKE = [*THIRDS, *cohort(5, (100, 0), (90, 0), (81, 729))]


def estimate(cells, *left, rest=1.0, **options):
    lots = [
        Left(active=NOW + active, last=None if last is None else NOW + last, points=points)
        for active, last, points in left
    ]
    return breakage.estimate(lots, breakage.seen(cells, until=NOW), now=NOW, rest=rest, **options)


def test_a_lot_that_begins_now_ends_as_earlier_ones_did():
    told = estimate(ALIKE, (0, 2, 500))
    assert told.share == pytest.approx(0.729)
    assert told.months[NOW + 2].expected == pytest.approx(364.5)
    assert (told.known, told.cohorts) == (1.0, 3)
    assert told.error == pytest.approx(0.0)  # all cohorts were alike


def test_an_old_lot_has_only_its_last_months_ahead():
    assert estimate(ALIKE, (-2, 0, 100)).share == pytest.approx(0.9)
    assert estimate(ALIKE, (-2, 0, 100), rest=0.5).share == pytest.approx(sqrt(0.9))


def test_a_pending_lot_waits_for_its_first_month():
    assert estimate(ALIKE, (2, 4, 500)).share == pytest.approx(0.729)


def test_large_cohorts_weigh_more():
    """f = (900 + 900 + 4000) / (1000 + 1000 + 8000): what was left of all, as in Mack (1993)."""
    cells = [*cohort(1, (100, 0)), *cohort(2, (100, 0)), *cohort(3, (4000, 0), came=8000)]
    ages = breakage.rates(breakage.seen(cells, until=NOW))
    assert ages[0].kept == pytest.approx(0.58)
    told = estimate(cells, (0, 1, 10))
    assert told.share is None  # nobody has seen the second month of three cohorts


def test_cohorts_that_differ_make_it_uncertain():
    cells = [
        *cohort(1, (100, 900)),
        *cohort(2, (200, 800)),
        *cohort(3, (300, 700)),
    ]
    told = estimate(cells, (0, 0, 100))
    # Without one of them it is 0.75, 0.8 or 0.85: sqrt(2/3 × (0.05² + 0 + 0.05²)).
    assert told.share == pytest.approx(0.8)
    assert told.error == pytest.approx(sqrt(2 / 3 * 2 * 0.05**2))


def test_what_nobody_has_seen_counts_as_spent():
    known, unknown = (0, 2, 600), (0, 5, 400)
    told = estimate(ALIKE, known, unknown)
    assert told.known == pytest.approx(0.6)
    assert told.share == pytest.approx(0.6 * 0.729)


def test_two_cohorts_are_too_few_to_tell():
    told = estimate(THIRDS, (0, 2, 500))
    assert (told.share, told.error, told.known) == (None, None, 0.0)
    assert told.months[NOW + 2].points == 500


def test_points_on_hold_will_not_expire():
    assert estimate(ALIKE, (0, 2, 500), beside=500).share == pytest.approx(0.729 / 2)


def test_no_points_at_all():
    assert estimate([]).share is None


def test_points_that_never_expire_have_no_breakage_without_any_history():
    told = estimate([], (0, None, 500))
    assert (told.share, told.known, told.months) == (0.0, 1.0, {})


def test_where_the_end_moves_the_share_that_expired_at_each_age_counts():
    """Of what there is a tenth is used in each of three months; in the third one all that was kept expires."""
    told = estimate(ALIKE, (0, 12, 500), ends_move=True)
    assert told.share == pytest.approx(0.729)
    assert told.known == pytest.approx(1.0)
    assert told.months[NOW + 2].expected == pytest.approx(364.5)


def test_what_refunds_took_before_a_lot_was_active_was_never_there():
    cells = [
        Cell(active=NOW - 1, month=NOW - 2, came=0, used=600, expired=0),
        *cohort(1, (100, 0)),
    ]
    (exposure,) = breakage.seen(cells, until=NOW)[0].values()
    assert (exposure.had, exposure.used) == (400, 100)


def test_the_current_month_is_not_over_and_says_nothing():
    assert breakage.seen(cohort(0, (1000, 0)), until=NOW) == {}


def test_more_that_came_back_than_went_keeps_all():
    ages = breakage.rates(breakage.seen([*cohort(1, (-50, 0)), *cohort(2, (0, 0)), *cohort(3, (0, 0))], until=NOW))
    assert ages[0].kept == 1.0


def test_months_have_numbers():
    assert breakage.first_day_of(breakage.number_of(date(2026, 12, 31))) == date(2026, 12, 1)
    assert breakage.number_of(date(2027, 1, 1)) - breakage.number_of(date(2026, 12, 31)) == 1
