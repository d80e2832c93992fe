"""What stays of a line's points when something of it came back (loyalty.reversal)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty import reversal


def test_in_proportion_to_what_is_paid_back():
    assert reversal.kept(points=120, net_cents=12_000, refunded_cents=3_000) == 90


def test_what_goes_is_rounded_down():
    assert reversal.kept(points=10, net_cents=300, refunded_cents=100) == 7


def test_nothing_is_kept_of_a_line_that_came_back_whole():
    assert reversal.kept(points=7, net_cents=333, refunded_cents=333) == 0


def test_everything_is_kept_without_a_refund():
    assert reversal.kept(points=7, net_cents=333, refunded_cents=0) == 7


def test_goods_that_came_back_for_no_money_take_nothing():
    assert reversal.kept(points=7, net_cents=300, refunded_cents=0, refunded_quantity=Decimal(1)) == 7


def test_a_line_that_cost_nothing_goes_by_its_pieces():
    free = {"points": 9, "net_cents": 0, "refunded_cents": 0, "quantity": Decimal(3)}
    assert reversal.kept(**free, refunded_quantity=Decimal(1)) == 6
    assert reversal.kept(**free, refunded_quantity=Decimal(3)) == 0


@given(points=st.integers(0, 10**10), parts=st.lists(st.integers(1, 10**9), min_size=1, max_size=8))
def test_parts_that_come_back_add_up_to_what_was_earned(points, parts):
    net, back, stays = sum(parts), 0, points
    for part in parts:
        back += part
        now = reversal.kept(points=points, net_cents=net, refunded_cents=back)
        assert 0 <= now <= stays
        stays = now
    assert stays == 0
