"""Value by its drivers: the product is the value, the parts add up to the difference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.clv import drivers
from analytics.clv.drivers import Drivers, Totals

SIZES = st.floats(1e-3, 1e6)
SIDES = st.builds(Drivers, customers=SIZES, time=SIZES, frequency=SIZES, money=SIZES)


def make_totals(**changed):
    return Totals(**({"customers": 200.0, "lifetime": 30_000.0, "year": 12_000.0, "orders": 600.0} | changed))


def test_factors_of_a_group():
    found = drivers.drivers(make_totals())
    assert (found.customers, found.time, found.frequency, found.money) == (200.0, 2.5, 3.0, 20.0)
    assert found.value == 30_000.0


@given(customers=st.integers(1, 10**6), orders=st.floats(1e-3, 1e6), year=st.floats(1e-2, 1e9), more=st.floats(0, 1e9))
def test_the_product_is_the_lifetime_value(customers, orders, year, more):
    group = Totals(customers=customers, lifetime=year + more, year=year, orders=orders)
    assert drivers.drivers(group).value == pytest.approx(group.lifetime)


@pytest.mark.parametrize("nothing", [{"customers": 0.0, "lifetime": 0.0, "year": 0.0, "orders": 0.0}, {"orders": 0.0}])
def test_nothing_to_divide_by(nothing):
    assert drivers.drivers(make_totals(**nothing)).value == 0.0


def test_one_driver_that_moves_makes_the_whole_difference():
    before = drivers.drivers(make_totals())
    after = Drivers(before.customers, before.time, before.frequency * 1.1, before.money)
    found = drivers.divide(after, before)
    assert found == pytest.approx({"customers": 0.0, "time": 0.0, "frequency": 3_000.0, "money": 0.0})


def test_two_that_cancel_each_other():
    before = drivers.drivers(make_totals())
    after = Drivers(before.customers, before.time, before.frequency * 2, before.money / 2)
    found = drivers.divide(after, before)
    assert found["frequency"] == pytest.approx(-found["money"])
    assert found["frequency"] > 0


@given(SIDES, SIDES)
def test_parts_add_up(after, before):
    total = sum(drivers.divide(after, before).values())
    assert total == pytest.approx(after.value - before.value, rel=1e-9, abs=1e-9 * max(after.value, before.value))


@given(SIDES, SIDES)
def test_the_way_back_is_the_same_with_the_other_sign(after, before):
    there, back = drivers.divide(after, before), drivers.divide(before, after)
    assert all(there[name] == pytest.approx(-back[name], rel=1e-9, abs=1e-9) for name in drivers.NAMES)


@given(SIDES)
def test_nothing_changed(group):
    assert drivers.divide(group, group) == dict.fromkeys(drivers.NAMES, 0.0)


def test_a_group_that_came_is_its_customers():
    nobody = drivers.drivers(make_totals(customers=0.0, lifetime=0.0, year=0.0, orders=0.0))
    found = drivers.divide(drivers.drivers(make_totals()), nobody)
    assert found == {"customers": 30_000.0, "time": 0.0, "frequency": 0.0, "money": 0.0}


CENTS = st.integers(0, 10**13)
GROUPS = st.builds(
    lambda customers, milli, year, more: Totals(
        customers=customers, lifetime=year + more, year=year, orders=milli / 1000
    ),
    customers=st.integers(0, 10**7),
    milli=st.integers(0, 10**11),
    year=CENTS,
    more=CENTS,
)


@given(GROUPS, GROUPS)
def test_parts_in_whole_units_add_up_to_the_unit(after, before):
    found = drivers.divide_whole(after, before)
    assert list(found) == list(drivers.NAMES)
    assert all(isinstance(part, int) for part in found.values())
    assert sum(found.values()) == after.lifetime - before.lifetime


@given(GROUPS, GROUPS)
def test_whole_units_are_less_than_one_away(after, before):
    now, then = drivers.drivers(after), drivers.drivers(before)
    if now.value and then.value:
        exact, whole = drivers.divide(now, then), drivers.divide_whole(after, before)
        assert all(abs(whole[name] - exact[name]) < 1.0 + 1e-9 * after.lifetime for name in drivers.NAMES)


def test_a_group_without_orders_to_divide_by_is_its_customers():
    found = drivers.divide_whole(make_totals(orders=0.0), make_totals(lifetime=29_999.0))
    assert found == {"customers": 1, "time": 0, "frequency": 0, "money": 0}


def test_within_the_year_time_is_no_part():
    found = drivers.divide_whole(make_totals(lifetime=12_000.0), make_totals(lifetime=9_001.0, year=9_001.0))
    assert found == {"customers": 0, "time": 0, "frequency": 0, "money": 2_999}
