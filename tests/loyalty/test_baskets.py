"""Baskets: what a line comes to and costs, and refusals in plain words."""

from decimal import Decimal

import pytest

from loyalty import baskets
from loyalty.baskets import BadBasket


def make_line(**fields):
    return baskets.line(
        **{"sku": "MUG", "quantity": Decimal(2), "unit_price": Decimal("9.95"), "exponent": 2, "position": 1} | fields
    )


def test_it_works():
    line = make_line(unit_cost=Decimal("4.10"))

    assert line.net_cents == 1990
    assert line.cost_cents(exponent=2) == 820


def test_without_a_cost_the_margin_rate_of_the_list_price_decides():
    assert make_line(margin_rate=Decimal("0.4")).cost_cents(exponent=2) == 1194
    assert make_line(margin_rate=Decimal("0.4"), list_price=Decimal(20)).cost_cents(exponent=2) == 2400


def test_a_currency_without_decimals():
    assert make_line(unit_price=Decimal(995), exponent=0).net_cents == 1990


def test_half_a_pound_of_tea_is_rounded_once():
    assert make_line(quantity=Decimal("0.333"), unit_price=Decimal("9.99")).net_cents == 333


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"quantity": Decimal(-1)}, "The quantity of line 3 is -1; it has to be more than zero."),
        ({"quantity": Decimal(0)}, "The quantity of line 3 is 0; it has to be more than zero."),
        ({"unit_price": Decimal("-0.01")}, "The price of line 3 is -0.01; a price is not negative."),
        ({"quantity": Decimal("NaN")}, "Line 3 holds something that is no number."),
        ({"unit_price": Decimal("Infinity")}, "Line 3 holds something that is no number."),
        ({"quantity": Decimal(10) ** 10}, "The quantity of line 3 is too large."),
        ({"unit_price": Decimal(10) ** 10}, "Line 3 comes to too much."),
        ({"sku": " "}, "Line 3 names no product."),
    ],
)
def test_a_bad_line_is_refused_in_plain_words(changed, said):
    with pytest.raises(BadBasket) as caught:
        make_line(**changed, position=3)

    assert str(caught.value) == said
    assert caught.value.position == 3


def test_a_free_line_is_fine():
    assert make_line(unit_price=Decimal(0)).net_cents == 0


def test_a_whole_basket():
    baskets.check([make_line()])

    with pytest.raises(BadBasket, match=r"^The basket is empty\.$"):
        baskets.check([])
    with pytest.raises(BadBasket, match="at most 500"):
        baskets.check([make_line()] * 501)
    with pytest.raises(BadBasket, match="too much"):
        baskets.check([make_line(quantity=Decimal(1), unit_price=Decimal(9_999_999_999))] * 2)


def test_shares_add_up():
    assert baskets.split(100, [1, 1, 1]) == [34, 33, 33]
    assert baskets.split(5, [0, 10, 0]) == [0, 5, 0]
