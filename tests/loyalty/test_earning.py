"""What a basket earns (loyalty.earning): stories with totals, and what holds for any basket."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty import earning
from loyalty.earning import MOST_POINTS, Line, Rule

PER_UNIT = Rule()  # a point for each 1.00
COFFEE, TEA = 1, 2
BEANS = 10


def lines(*cents, **fields):
    return [Line(base_cents=each, **fields) for each in cents]


class TestMoney:
    def test_a_point_for_each_unit_of_money(self):
        assert earning.earned(lines(12_000), [PER_UNIT]) == [120]

    def test_rounds_down_once_for_the_order_and_splits_by_largest_remainder(self):
        assert earning.earned(lines(*[99] * 10), [PER_UNIT]) == [1] * 9 + [0]
        assert earning.earned(lines(150, 199), [PER_UNIT]) == [1, 2]

    def test_an_order_below_the_first_point_earns_nothing(self):
        assert earning.earned(lines(99), [PER_UNIT]) == [0]

    def test_a_rate_that_no_decimal_can_say_is_exact(self):
        a_point_for_three = Rule(points=1, per_cents=300)
        assert earning.earned(lines(300), [a_point_for_three]) == [1]
        assert earning.earned(lines(100, 100, 100), [a_point_for_three]) == [1, 0, 0]

    def test_a_tier_multiplies_before_rounding(self):
        assert earning.earned(lines(150), [PER_UNIT], multiplier=150) == [2]
        assert earning.earned(lines(150), [Rule(is_multiplied=False)], multiplier=150) == [1]

    def test_a_minimum_is_asked_of_what_the_rule_is_for(self):
        rule = Rule(minimum_cents=5_000, category_id=COFFEE)
        basket = [Line(base_cents=4_000, category_id=COFFEE), Line(base_cents=4_000, category_id=TEA)]
        assert earning.earned(basket, [rule]) == [0, 0]
        assert earning.earned([*basket, Line(base_cents=1_000, category_id=COFFEE)], [rule]) == [40, 0, 10]

    def test_one_order_of_ten_million(self):
        assert earning.earned(lines(10**9), [PER_UNIT]) == [10**7]
        assert earning.earned(lines(10**12), [Rule(points=10**9, per_cents=1)]) == [MOST_POINTS]

    def test_currencies_without_decimals_take_amounts_as_they_are(self):
        assert earning.earned(lines(1_980), [Rule(points=1, per_cents=100)]) == [19]


class TestLines:
    def test_a_negative_line_lowers_what_the_others_earn(self):
        assert earning.earned(lines(10_000, -4_000), [PER_UNIT]) == [60, 0]

    def test_an_order_that_pays_money_back_earns_nothing(self):
        assert earning.earned(lines(1_000, -4_000), [PER_UNIT]) == [0, 0]

    def test_a_free_line_earns_nothing(self):
        per_piece = Rule(kind="piece", points=5)
        assert earning.earned([Line(base_cents=0), Line(base_cents=100)], [PER_UNIT, per_piece]) == [0, 6]

    def test_a_line_that_is_no_order_value_earns_nothing(self):
        assert earning.earned([Line(base_cents=500, counts=False), *lines(500)], [PER_UNIT]) == [0, 5]

    def test_no_lines_and_no_rules_earn_nothing(self):
        assert earning.earned([], [PER_UNIT]) == []
        assert earning.earned(lines(100), []) == [0]


class TestPiecesAndOrders:
    def test_points_for_each_piece_and_parts_of_one(self):
        rule = Rule(kind="piece", points=10)
        basket = [Line(base_cents=100, quantity=Decimal("1.25")), Line(base_cents=100, quantity=Decimal("0.7"))]
        assert earning.earned(basket, [rule]) == [12, 7]

    def test_once_for_an_order_split_by_money(self):
        assert earning.earned(lines(3_000, 1_000), [Rule(kind="order", points=50)]) == [38, 12]

    def test_once_for_an_order_with_the_product(self):
        rule = Rule(kind="order", points=50, product_id=BEANS)
        basket = [Line(base_cents=300, product_id=BEANS), Line(base_cents=300, product_id=11)]
        assert earning.earned(basket, [rule]) == [50, 0]
        assert earning.earned(basket[1:], [rule]) == [0]


class TestScopes:
    def test_the_narrowest_scope_counts_alone(self):
        rules = [PER_UNIT, Rule(points=3, category_id=COFFEE), Rule(points=0, product_id=BEANS)]
        basket = [
            Line(base_cents=100, category_id=TEA, product_id=12),
            Line(base_cents=100, category_id=COFFEE, product_id=11),
            Line(base_cents=100, category_id=COFFEE, product_id=BEANS),
        ]
        assert earning.earned(basket, rules) == [1, 3, 0]

    def test_extra_rules_come_on_top(self):
        rules = [PER_UNIT, Rule(points=2, category_id=COFFEE, is_extra=True)]
        assert earning.earned([Line(base_cents=100, category_id=COFFEE), *lines(100)], rules) == [3, 1]

    def test_rules_of_the_same_scope_add_up(self):
        assert earning.earned(lines(100), [PER_UNIT, Rule(kind="order", points=7)]) == [8]

    def test_says_what_each_rule_gives(self):
        assert earning.by_rule(lines(100, 200), [PER_UNIT, Rule(points=2)]) == [[1, 2], [2, 4]]


def test_the_base_is_before_or_after_the_discount():
    facts = {"net_cents": 800, "discount_cents": 200}
    assert earning.base_cents(**facts, before_discount=False) == 800
    assert earning.base_cents(**facts, before_discount=True) == 1_000


some_lines = st.lists(
    st.builds(
        Line,
        base_cents=st.integers(-10_000, 1_000_000),
        quantity=st.decimals(0, 1000, places=3),
        product_id=st.integers(1, 3),
        category_id=st.sampled_from([1, 2, None]),
        counts=st.booleans(),
    ),
    max_size=6,
)
some_rules = st.lists(
    st.builds(
        Rule,
        kind=st.sampled_from(["money", "piece", "order"]),
        points=st.integers(0, 1000),
        per_cents=st.integers(1, 1000),
        minimum_cents=st.sampled_from([0, 5_000]),
        product_id=st.sampled_from([None, 1]),
        is_extra=st.booleans(),
        is_multiplied=st.booleans(),
    ),
    max_size=4,
)


@given(lines=some_lines, rules=some_rules, multiplier=st.integers(1, 500))
def test_no_line_earns_less_than_nothing_and_free_ones_nothing(lines, rules, multiplier):
    points = earning.earned(lines, rules, multiplier=multiplier)
    assert len(points) == len(lines)
    assert all(isinstance(each, int) and each >= 0 for each in points)
    assert all(each == 0 for each, line in zip(points, lines, strict=True) if line.base_cents <= 0 or not line.counts)


@given(lines=some_lines, multiplier=st.integers(1, 500), points=st.integers(1, 100), per=st.integers(1, 1000))
def test_an_order_earns_what_its_money_says_rounded_down(lines, multiplier, points, per):
    rule = Rule(points=points, per_cents=per)
    base = max(sum(line.base_cents for line in lines if line.counts), 0)
    assert sum(earning.earned(lines, [rule], multiplier=multiplier)) == base * points * multiplier // (per * 100)


@given(lines=some_lines, rules=some_rules)
def test_the_order_of_rules_does_not_matter(lines, rules):
    assert earning.earned(lines, rules) == earning.earned(lines, rules[::-1])
