"""The textbooks' formula and expected costs, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.clv import profit
from analytics.clv.history import History

MONEY = st.floats(-1e10, 1e10)
AGES = st.integers(0, 40_000)


def history(*rows):
    """One customer a row: order days, first age, last age."""
    days, first, last = (
        (np.array(column, np.int32) for column in zip(*rows, strict=True)) if rows else [np.zeros(0, np.int32)] * 3
    )
    zeros = np.zeros(len(rows))
    return History(order_days=days, first_age=first, last_age=last, value=zeros, repeat_value=zeros, margin=zeros)


def shop(**changes):
    return profit.Shop(
        **{"churn": 0.5, "lifespan": 2.0, "margin_rate": 0.4, "order_cost": 3.0, "other_rate": 6.0} | changes
    )


def textbook(**changes):
    return profit.textbook(
        **{"value": [300.0], "orders": [6], "years": [2.0], "lifespan": 4.0, "margin_rate": 0.4} | changes
    )


class TestChurn:
    def test_it_is_the_share_that_did_not_buy_again_for_a_year(self):
        assert profit.yearly_churn(history((2, 500, 100), (1, 500, 500), (3, 900, 400), (2, 800, 364))) == 0.5

    def test_whoever_came_this_year_or_was_silent_for_two_does_not_count(self):
        assert profit.yearly_churn(history((1, 364, 364), (2, 800, 730), (2, 500, 10))) == 0.0

    def test_a_customer_whose_every_order_came_back_does_not_count(self):
        assert profit.yearly_churn(history((0, 0, 0), (1, 500, 500))) == 1.0

    def test_the_limits_are_a_year_and_two(self):
        assert profit.yearly_churn(history((1, 365, 365))) == 1.0
        assert profit.yearly_churn(history((2, 729, 364))) == 0.0
        assert profit.yearly_churn(history((1, 729, 729))) == 1.0

    @pytest.mark.parametrize("rows", [[], [(1, 30, 30)], [(1, 900, 900)], [(0, 0, 0)]])
    def test_without_anybody_to_lose_there_is_none(self, rows):
        assert profit.yearly_churn(history(*rows)) is None


class TestLifespan:
    def test_a_fifth_leaving_each_year_makes_five_years(self):
        assert profit.lifespan(0.2) == pytest.approx(5.0)

    def test_all_leaving_makes_one(self):
        assert profit.lifespan(1.0) == 1.0

    def test_nobody_leaving_is_not_for_ever(self):
        assert profit.lifespan(0.0) == profit.lifespan(0.001) == 20.0


class TestTextbook:
    def test_it_is_the_product_of_its_factors(self):
        found = textbook()
        assert (found.order_value[0], found.frequency[0]) == (50.0, 3.0)
        assert found.value[0] == pytest.approx(50 * 3 * 4 * 0.4)

    def test_a_segment_is_one_customer_of_sums_divided_by_their_number(self):
        whole = textbook(value=[900.0], orders=[9], years=[6.0])
        assert (whole.order_value[0], whole.frequency[0]) == (100.0, 1.5)

    def test_who_has_no_order_has_no_value(self):
        found = textbook(value=[0.0, 300.0], orders=[0, 6], years=[1.0, 2.0])
        assert list(np.isnan(found.value)) == [True, False]

    def test_money_taken_back_makes_no_value_below_zero(self):
        assert textbook(value=[-50.0]).value[0] == 0.0

    def test_somebody_new_has_bought_once_a_year(self):
        years = profit.years_known([0, 7, 365, 730])
        assert list(years) == [1.0, 1.0, 1.0, 2.0]
        assert textbook(value=[50.0], orders=[1], years=years[1:2]).frequency[0] == 1.0

    @given(MONEY, st.integers(0, 10**6), AGES, st.floats(0, 1))
    def test_it_is_finite_and_not_negative(self, value, orders, age, churn):
        found = textbook(
            value=[value], orders=[orders], years=profit.years_known([age]), lifespan=profit.lifespan(churn)
        )
        assert np.isnan(found.value[0]) if orders == 0 else 0 <= found.value[0] < np.inf


class TestExpectedCost:
    def cost(self, shop, *, orders=0.0, other=0.0, age=0):
        return profit.expected_cost(shop, expected_orders=[orders], other_costs=[other], age_days=[age])[0]

    def test_orders_cost_their_handling(self):
        assert self.cost(shop(other_rate=0.0), orders=2.5) == pytest.approx(7.5)

    def test_somebody_new_costs_what_the_shop_s_customers_do(self):
        assert self.cost(shop()) == pytest.approx(6.0)

    def test_her_own_rate_counts_the_more_the_longer_she_is_known(self):
        assert self.cost(shop(), other=24.0, age=365) == pytest.approx((24 + 6) / 2)
        assert self.cost(shop(), other=9 * 24.0, age=9 * 365) == pytest.approx((9 * 24 + 6) / 10)

    def test_a_corrected_cost_does_not_make_money(self):
        assert self.cost(shop(other_rate=0.0), other=-100.0, age=10) == 0.0

    @given(st.floats(0, 1e6), MONEY, AGES)
    def test_it_is_finite_and_not_negative(self, orders, other, age):
        assert 0 <= self.cost(shop(), orders=orders, other=other, age=age) < np.inf


class TestShop:
    def test_it_takes_churn_from_its_customers_and_costs_from_the_books(self):
        plain = profit.shop(history((2, 730, 700), (2, 365, 5)), margin_rate=0.3, order_cost=2.0)
        assert (plain.churn, plain.lifespan, plain.margin_rate, plain.order_cost) == (0.5, 2.0, 0.3, 2.0)
        found = profit.with_costs(plain, other_costs=9.0, days=730 + 365)
        assert (plain.other_rate, found.other_rate) == (0.0, pytest.approx(9 / 3))
        assert profit.Shop.from_dict(found.as_dict()) == found

    def test_costs_that_were_corrected_to_less_than_nothing_are_no_rate(self):
        assert profit.with_costs(shop(), other_costs=-9.0, days=365).other_rate == 0.0

    @pytest.mark.parametrize("rows", [[], [(1, 0, 0)], [(0, 0, 0)]])
    def test_without_time_there_is_no_rate(self, rows):
        plain = profit.shop(history(*rows), margin_rate=0.4, order_cost=0.0)
        found = profit.with_costs(plain, other_costs=50.0, days=0)
        assert (found.churn, found.lifespan, found.other_rate) == (None, None, 0.0)


def test_the_total_adds_what_was_to_what_will_be():
    assert profit.total(profit=-20.0, predicted=100.0, costs=15.0) == 65.0
