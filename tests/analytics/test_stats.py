"""The intervals of a night's totals: those of orders and of contracts, put together."""

import math

import numpy as np
import pytest

from analytics.clv import intervals
from analytics.services import stats
from tests.analytics.test_interval_rules import WIDTHS

NO_CONTRACTS = (0.0, 0.0)


def whole(year=100_000, *, contract=0, **changed):
    amounts = {"clv_cents": year, "clv_36m_cents": 2 * year, "clv_lifetime_cents": 4 * year}
    parts = {name: contract * (2**place) for place, name in enumerate(stats.VALUES.values())}
    values = {name: amounts[name] + part for name, part in zip(amounts, parts.values(), strict=True)}
    return {"expected_milli": 2_000_000, **values, **parts} | changed


def ends(found, contracts=NO_CONTRACTS):
    return stats.ends(found, WIDTHS, contracts=contracts)


def test_without_contracts_they_are_those_of_orders():
    low, high = intervals.total_value(WIDTHS, 2_000.0, 100_000)
    assert ends(whole())["clv_cents"] == [round(low), round(high)]


def test_beyond_a_year_by_the_root_of_the_years():
    low, high = intervals.total_value(WIDTHS, 2_000.0, 400_000, years=4.0)
    assert ends(whole())["clv_lifetime_cents"] == [round(low), round(high)]


def test_contracts_that_are_sure_move_both_ends():
    plain, moved = ends(whole())["clv_cents"], ends(whole(contract=50_000))["clv_cents"]
    assert moved == [end + 50_000 for end in plain]


def test_the_distances_add_up_as_sides_of_a_right_triangle():
    low, high = ends(whole())["clv_cents"]
    found = ends(whole(contract=50_000), contracts=(30_000.0, 40_000.0))["clv_cents"]
    assert found[0] == round(150_000 - math.hypot(100_000 - low, 30_000))
    assert found[1] == round(150_000 + math.hypot(high - 100_000, 40_000))


def test_contracts_of_longer_horizons_are_less_certain():
    found = [ends(whole(0, contract=50_000, expected_milli=0), contracts=(100.0, 100.0))[name] for name in stats.VALUES]
    widths = [high - low for low, high in found]
    assert widths == [200, round(200 * 2**1.5), round(200 * 4**1.5)]


def test_without_customers_there_are_none():
    assert stats.ends(whole(), None, contracts=NO_CONTRACTS) == {}


@pytest.mark.parametrize("year", [0, 1, 10**15])
@pytest.mark.parametrize("contract", [0, -500, 10**12])
def test_the_value_lies_within(year, contract):
    found = whole(year, contract=contract)
    for name, (low, high) in ends(found, contracts=(10.0, 20.0)).items():
        assert low <= found[name] <= high


@pytest.mark.parametrize("far", [0, 10**6])  # ids of categories are codes too, and may be large
def test_rows_are_added_up_by_code_and_band(far):
    codes = np.array([2, 0, 2, 2, 1]) + far
    values = {name: np.arange(5) + 10 for name in stats.MEASURES} | {"churn_band": np.array([1, 0, 3, 1, 2])}
    found = stats._by_code(values, codes)
    assert {key: cell["orders"] for key, cell in found.items()} == {
        f"{far}/0": 11,
        f"{1 + far}/2": 14,
        f"{2 + far}/1": 10 + 13,
        f"{2 + far}/3": 12,
    }


def test_no_rows_are_no_codes():
    nothing = np.zeros(0, np.int64)
    assert stats._by_code(dict.fromkeys((*stats.MEASURES, "churn_band"), nothing), nothing) == {}
