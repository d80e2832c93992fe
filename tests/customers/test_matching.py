"""Which lines a return takes from."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from customers.importing.matching import Back, Sold, match


def sold(line_id, *, day, quantity=10, net=1000, back=0, back_cents=0, document="", margin=400, cost=None):
    return Sold(
        line_id=line_id,
        order_id=line_id,
        document=document or str(line_id),
        position=1,
        at=datetime(2024, 1, day, 9, tzinfo=UTC),
        day=date(2024, 1, day),
        date_only=False,
        quantity=Decimal(quantity),
        net_cents=net,
        margin_cents=margin,
        unit_cost=cost,
        refunded_quantity=Decimal(back),
        refunded_cents=back_cents,
    )


def back(quantity, net, *, day=20, **facts):
    at = datetime(2024, 1, day, 9, tzinfo=UTC)
    return Back(at=at, day=at.date(), quantity=Decimal(quantity), net_cents=net, **{"date_only": False, **facts})


def taken(result):
    return [(part.line.line_id, part.quantity, part.net_cents) for part in result.parts]


def test_the_latest_earlier_line_with_enough_left():
    lines = [sold(1, day=1), sold(2, day=5, back=8), sold(3, day=9), sold(4, day=25)]
    assert taken(match(back(4, 400), lines, exponent=2)) == [(3, 4, 400)]
    assert taken(match(back(7, 700), lines, exponent=2)) == [(1, 7, 700)]


def test_without_a_line_with_enough_the_lines_are_drained_latest_first():
    lines = [sold(1, day=1, quantity=2, net=200), sold(2, day=5, quantity=3, net=300)]
    result = match(back(7, 700), lines, exponent=2)
    assert taken(result) == [(2, 3, 300), (1, 2, 200)]
    assert (result.quantity, result.net_cents, result.reason) == (Decimal(2), 200, "excess")


def test_no_earlier_line():
    result = match(back(1, 100, day=3), [sold(1, day=5)], exponent=2)
    assert not result.parts
    assert (result.quantity, result.net_cents, result.reason) == (Decimal(1), 100, "no-order")


def test_all_came_back_already():
    assert match(back(1, 100), [sold(1, day=5, back=10)], exponent=2).reason == "excess"


def test_no_more_is_paid_back_than_was_paid():
    result = match(back(10, 1500), [sold(1, day=5)], exponent=2)
    assert taken(result) == [(1, 10, 1000)]
    assert (result.quantity, result.net_cents, result.reason) == (Decimal(0), 500, "excess")


def test_a_day_without_a_time_is_not_later_than_the_same_day():
    assert match(back(1, 100, day=5, date_only=True), [sold(1, day=5)], exponent=2).parts


def test_the_order_that_is_named_goes_first():
    lines = [sold(1, day=1, document="A"), sold(2, day=5, document="B")]
    assert taken(match(back(1, 100, of_order="A"), lines, exponent=2)) == [(1, 1, 100)]
    assert taken(match(back(12, 1200, of_order="A"), lines, exponent=2)) == [(1, 9, 900), (2, 3, 300)]


def test_money_without_goods():
    assert taken(match(back(0, 250), [sold(1, day=5)], exponent=2)) == [(1, 0, 250)]


def test_the_margin_of_parts_adds_up_to_the_line():
    line = sold(1, day=1, quantity=3, net=1000, margin=333)
    margins = [match(back(1, cents), [line], exponent=2).parts[0].margin_cents for cents in (333, 333, 334)]
    assert sum(margins) == 333
    line = sold(2, day=1, quantity=3, net=1000, cost=Decimal("2.005"), margin=1000 - 602)
    margins = [match(back(1, cents), [line], exponent=2).parts[0].margin_cents for cents in (333, 333, 334)]
    assert sum(margins) == 398


@given(
    st.lists(st.tuples(st.integers(1, 19), st.integers(1, 9), st.integers(0, 900)), max_size=5),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2000)), min_size=1, max_size=5),
)
def test_nothing_vanishes(lines, returns):
    stock = [sold(i, day=day, quantity=quantity, net=net) for i, (day, quantity, net) in enumerate(lines, start=1)]
    for quantity, cents in returns:
        result = match(back(quantity, cents), stock, exponent=2)
        assert sum(part.quantity for part in result.parts) + result.quantity == quantity
        assert sum(part.net_cents for part in result.parts) + result.net_cents == cents
        assert bool(result.reason) == bool(result.quantity or result.net_cents or not result.parts)
    for line in stock:
        assert 0 <= line.refunded_quantity <= line.quantity
        assert 0 <= line.refunded_cents <= line.net_cents
