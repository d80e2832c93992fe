from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers import pricing


@pytest.mark.parametrize(
    ("amount", "exponent", "minor"),
    [("2.675", 2, 268), ("-2.675", 2, -268), ("0.001", 2, 0), ("12.5", 0, 13), ("1.2345", 3, 1235), ("5", 2, 500)],
)
def test_amounts_round_half_away_from_zero(amount, exponent, minor):
    assert pricing.to_minor(Decimal(amount), exponent=exponent) == minor


def test_a_line_is_rounded_once():
    assert pricing.line_net(quantity=Decimal(3), unit_price=Decimal("0.335"), discount_cents=1, exponent=2) == 100


def test_margin_is_net_less_cost_or_net_by_rate():
    facts: dict[str, Any] = {"net_cents": 1000, "quantity": Decimal(3), "margin_rate": Decimal("0.4"), "exponent": 2}
    assert pricing.margin(unit_cost=Decimal("1.005"), **facts) == 698
    assert pricing.margin(unit_cost=None, **facts) == 400


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (10, [0, 0], [5, 5]),
        (5, [0, 3, 1], [0, 4, 1]),
    ],
)
def test_split(total, weights, shares):
    assert pricing.split(total, weights) == shares


def test_split_refuses_what_it_cannot_split():
    with pytest.raises(ValueError, match="Nothing"):
        pricing.split(1, [])
    with pytest.raises(ValueError, match="negative"):
        pricing.split(1, [2, -1])
    assert pricing.split(0, []) == []


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_shares_add_up_and_are_within_one_of_their_part(total, weights):
    shares = pricing.split(total, weights)
    assert sum(shares) == total
    scale = sum(weights) or len(weights)
    for weight, share in zip(weights if sum(weights) else [1] * len(weights), shares, strict=True):
        assert abs(share - Decimal(total) * weight / scale) < 1
