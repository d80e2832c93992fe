from datetime import date

import pytest

from analytics import curves

JANUARY = 2026 * 12


def make_line(*cells, first_month=JANUARY, as_of=date(2026, 3, 31)):
    return curves.line(first_month=first_month, cells=dict(enumerate(cells)), as_of=as_of)


def test_a_line_has_a_place_for_each_month_begun():
    line = curves.line(first_month=JANUARY, cells={0: (10, 12, 600), 2: (3, 4, 200)}, as_of=date(2026, 3, 31))
    assert (line.size, line.active) == (10, (10, 0, 3))
    assert (line.orders, line.margin) == ((12, 12, 16), (600, 600, 800))
    assert line.complete == 3


@pytest.mark.parametrize(
    ("as_of", "complete"),
    [(date(2026, 3, 31), 3), (date(2026, 3, 30), 2), (date(2026, 1, 31), 1), (date(2026, 1, 1), 0)],
)
def test_a_month_is_complete_with_its_last_day(as_of, complete):
    assert make_line((10, 10, 0), as_of=as_of).complete == complete


def test_the_measures():
    line = make_line((10, 12, 600), (5, 6, 300))
    assert [cell.value for cell in curves.cells([line], measure="retention", months=2)] == [1.0, 0.5]
    assert [cell.value for cell in curves.cells([line], measure="orders", months=2)] == [1.2, 1.8]
    assert [cell.value for cell in curves.cells([line], measure="margin", months=2)] == [60.0, 90.0]


def test_a_month_is_pooled_over_the_cohorts_that_finished_it():
    old = make_line((10, 10, 0), (5, 5, 0), (2, 2, 0))
    young = make_line((30, 30, 0), (3, 3, 0), first_month=JANUARY + 1)
    first, second, third = curves.cells([old, young], measure="retention", months=12)
    assert (first.value, first.customers) == (1.0, 40)
    assert (second.value, second.customers) == (8 / 40, 40)
    assert (third.value, third.customers) == (2 / 10, 10)


def test_a_month_that_is_not_over_counts_only_where_no_other_is():
    as_of = date(2026, 3, 15)
    old = make_line((10, 10, 0), (5, 5, 0), (1, 1, 0), as_of=as_of)
    young = make_line((30, 30, 0), (3, 3, 0), first_month=JANUARY + 1, as_of=as_of)
    _, second, third = curves.cells([old, young], measure="retention", months=12)
    assert (second.value, second.is_complete) == (0.5, True)  # February's cohort is in its month 1
    assert (third.value, third.is_complete) == (0.1, False)


def test_no_cohort_has_no_cells():
    assert curves.cells([], measure="margin", months=12) == []


def test_payback_is_the_month_that_covers_the_cost():
    line = make_line((10, 10, 600), (5, 5, 300), (2, 2, 100))
    assert curves.payback([line], cost=60.0) == 0
    assert curves.payback([line], cost=60.01) == 1
    assert curves.payback([line], cost=100.0) == 2
    assert curves.payback([line], cost=100.01) is None


def test_losses_pay_nothing_back():
    assert curves.payback([make_line((10, 10, -600), (5, 5, -300))], cost=1.0) is None


@pytest.mark.parametrize(
    ("value", "most", "shade"), [(0, 10, 0), (10, 10, 10), (5, 10, 5), (-3, 10, 0), (5, 0, 0), (5, -1, 0), (20, 10, 10)]
)
def test_shades(value, most, shade):
    assert curves.shade(value, most=most) == shade


def test_months_before_year_one_thousand_are_months():
    assert curves.first_day(curves.number(date(1969, 12, 31))) == date(1969, 12, 1)
