"""The value of contracts: by hand, against the published lifetime, against its own draws, and at the edges."""

import numpy as np
import pytest

from analytics.clv import contract_value, renewals, sbg
from analytics.clv.contract_value import Contracts
from analytics.clv.params import SbgParams
from analytics.clv.renewals import Curve

SURE = ((1e-12, 0.0), (0.0, 1e-12))


def curve(alpha=0.668, beta=3.806, spread=SURE):
    return Curve(name="", reason="", params=SbgParams(alpha, beta), decisions=0, renewed=0, spread=spread)


def contracts(**columns):
    """One contract of a year that begins its renewal today: margin 100, nothing left of the old term."""
    facts = {"renewals": 0, "months": 12, "margin": 100, "left": 0, "left_days": 0, "renews": 1} | columns
    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in facts.values()))
    return Contracts(**dict(zip(facts, (np.atleast_1d(one) for one in arrays), strict=True)))


def worth(rate=0.1, of=None, **columns):
    found = contracts(**columns)
    return contract_value.worth(found, [of or curve()] * len(found), rate)


def draws(rate=0.1, of=None, **columns):
    found = contracts(**columns)
    return contract_value.draws(found, [of or curve()] * len(found), range(1, len(found) + 1), rate)[0]


def interval(drawn, expected):
    return contract_value.interval(drawn, np.broadcast_to(np.asarray(expected, dtype=float), len(drawn)))


def test_by_hand():
    """Terms of ten years: two begin within 20 years. The second comes with the chance of a second renewal."""
    found = worth(rate=0.0, months=120, renews=0.5, of=curve(1.0, 3.0), left=30, left_days=100)

    again = 4 / 5
    assert found.stake[0] == pytest.approx(100 * (1 + again))
    assert found.beyond[0] == pytest.approx(50 * (1 + again))
    assert found.value[0] == pytest.approx(30 + 50 * (1 + again))


def test_what_is_left_is_discounted_to_its_middle_and_renewals_to_their_first_day():
    found = worth(rate=0.21, left=50, left_days=365, months=120, of=curve(1e5, 1e-3))

    assert found.left[0] == pytest.approx(50 / 1.1)
    assert found.stake[0] == pytest.approx(100 / 1.21, rel=1e-2)


@pytest.mark.parametrize("n", [0, 1, 6])
def test_it_is_the_published_residual_lifetime(n):
    """At 60 % a year nothing is left beyond 20 years: what is expected is margin × DERL of Fader & Hardie (2010)."""
    chance = sbg.p_renew(curve().params, n)

    assert worth(rate=0.6, renewals=n, renews=chance).beyond[0] == pytest.approx(
        100 * sbg.derl(curve().params, n, 0.6), rel=1e-3
    )


def test_of_twelve_months_the_value_does_not_depend_on_how_they_are_cut():
    """A year paid at once, or a twelfth each month with a chance that multiplies to the same: nearly the same."""
    whole = worth(months=12, margin=1200, of=curve(2_000, 8_000), renews=0.8).beyond[0]
    monthly = 0.8 ** (1 / 12)
    cut = worth(months=1, margin=100, of=curve(1e4 * (1 - monthly), 1e4 * monthly), renews=monthly).beyond[0]

    assert cut == pytest.approx(whole, rel=0.12)


def test_a_cancelled_contract_is_worth_what_is_left():
    found = worth(rate=0.0, renews=0, left=80, left_days=30)

    assert (found.value[0], found.beyond[0]) == (80, 0)
    assert np.all(draws(rate=0.0, renews=0, left=80, left_days=30) == 80)


def test_who_renewed_often_is_worth_more():
    n = np.arange(8)
    values = worth(renewals=n, renews=sbg.p_renew(curve().params, n)).value

    assert np.all(np.diff(values) > 0)


@pytest.mark.parametrize(
    "columns", [{}, {"left": 60, "left_days": 200}, {"months": 1}, {"months": 120}, {"renewals": 9}]
)
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_draws_are_worth_on_average_what_is_expected(columns, rate):
    chance = sbg.p_renew(curve().params, columns.get("renewals", 0))
    many = {"renews": np.full(400, chance)} | columns

    assert np.mean(draws(rate=rate, **many)) == pytest.approx(worth(rate=rate, **many).value[0], rel=0.02)


def test_the_interval_is_the_exact_one_where_the_parameters_are_known():
    """Of one contract, without discount: the percentiles of the number of terms, from the printed survival."""
    params, chance = curve().params, float(sbg.p_renew(curve().params, 0))
    columns = {"rate": 0.0, "renews": np.full(300, chance)}
    low, high = interval(draws(**columns), worth(**columns).value)
    shares = sbg.survival(params, np.arange(1, 21))  # at least so many renewals

    assert np.median(low) == pytest.approx(100 * np.sum(shares > 0.9), abs=100)
    assert np.median(high) == pytest.approx(100 * np.sum(shares > 0.1), abs=100)


def test_four_of_five_outcomes_lie_between():
    columns = {"renewals": np.arange(50) % 4, "months": 1, "renews": 0.95, "of": curve(1.0, 19.0)}
    inside = draws(**columns)
    low, high = interval(inside, worth(**columns).value)

    share = np.mean((inside >= low[:, None]) & (inside <= high[:, None]))
    assert 0.8 <= share <= 0.86  # whole terms: the bounds themselves have a chance


def test_unknown_parameters_widen_the_interval_of_a_sum():
    """Chance evens out over 200 contracts; what nobody knows of the model does not."""
    sure, unsure = (
        np.ptp(interval(drawn.sum(axis=0, keepdims=True), drawn.mean(axis=1).sum()))
        for drawn in (
            draws(of=curve(spread=spread), renews=np.full(200, 0.85)) for spread in (SURE, ((0.09, 0.0), (0.0, 0.09)))
        )
    )

    assert unsure > 2 * sure


def test_a_contract_s_interval_does_not_depend_on_its_neighbours():
    alone = contract_value.draws(contracts(renews=0.8), [curve()], [7], 0.1)[0]
    beside = contract_value.draws(contracts(renews=[0.3, 0.8]), [curve()] * 2, [3, 7], 0.1)[0]

    assert np.array_equal(alone[0], beside[1])


@pytest.mark.parametrize("margin", [-100.0, 0.0, 1e7, 1e-2])
@pytest.mark.parametrize("months", [1, 12, 120])
@pytest.mark.parametrize("rate", [0.0, 0.1, 5.0])
@pytest.mark.parametrize("params", [(1e-4, 1e5), (1e5, 1e-4), (0.05, 0.05), (1.0, 4.0)])
def test_results_are_finite_and_ordered(margin, months, rate, params):
    of = curve(*params, spread=((2.0, 0.0), (0.0, 2.0)))
    columns = {"margin": margin, "months": months, "renews": float(sbg.p_renew(of.params, 3)), "renewals": 3}
    found, drawn = worth(rate=rate, of=of, **columns), draws(rate=rate, of=of, **columns)
    low, high = interval(drawn, found.value)

    assert np.all(np.isfinite(drawn))
    assert np.isfinite(found.value[0])
    assert low[0] <= found.value[0] <= high[0]
    assert np.sign(found.value[0]) in (0, np.sign(margin))
    assert abs(found.stake[0]) >= abs(found.beyond[0])


def test_what_hardly_ever_goes_wrong_moves_the_expectation_and_the_interval_follows():
    """Nineteen of twenty hold out for all of 20 years: both percentiles are the same outcome, and the mean is less."""
    columns = {"rate": 0.0, "months": 12, "renewals": 30, "renews": 0.9995, "of": curve(0.05, 2.0)}
    found, drawn = worth(**columns), draws(**columns)
    low, high = interval(drawn, found.value)

    assert np.percentile(drawn, [10, 90]).tolist() == [2000, 2000]
    assert (low[0], high[0]) == (pytest.approx(found.value[0]), 2000)
    assert found.value[0] < 2000


CHANCES = (0.0, 1e-6, 0.02, 0.5, 0.97, 1 - 1e-6, 1.0)


@pytest.mark.parametrize("months", [1, 12, 120])
@pytest.mark.parametrize("params", [(1e-3, 5.0), (0.32, 1.53), (1.0, 4.0), (1e3, 1e3)])
@pytest.mark.parametrize("left_days", [0, 17, 400])
def test_every_interval_holds_what_is_expected_and_is_wide_where_chance_plays(months, params, left_days):
    margins = np.repeat([0.0, 4e-3, 120.0, 1e7, -50.0], len(CHANCES))
    chances = np.tile(CHANCES, 5)
    left = np.where(left_days > 0, 30.0, 0.0)
    columns = {"months": months, "margin": margins, "renews": chances, "left": left, "left_days": left_days}
    found = worth(of=curve(*params), **columns)
    low, high = interval(draws(of=curve(*params), **columns), found.value)

    assert np.all((low <= found.value) & (found.value <= high))
    is_random = (margins != 0) & (chances > 0) & (chances < 1)
    assert np.all(high[is_random] > low[is_random])
    is_sure = (margins == 0) | (chances == 0)
    assert np.allclose(low[is_sure], high[is_sure])


def test_of_a_horizon_counts_what_lies_within():
    """€60 left of 146 days; the next year's term of €100 lies in the 365 days for the 219 that remain."""
    found = contracts(left=60, left_days=146, renews=0.5)
    year = contract_value.within(found, [curve()], 0.0, 365)
    month = contract_value.within(found, [curve()], 0.0, 73)

    assert year[0] == pytest.approx(60 + 0.5 * 100 * 219 / 365)
    assert month[0] == pytest.approx(30)


def test_a_longer_horizon_is_worth_more_until_it_is_the_whole():
    found = contracts(left=60, left_days=[0, 90, 500], renews=0.8, months=[1, 12, 36])
    values = [contract_value.within(found, [curve()] * 3, 0.1, days) for days in (90, 365, 1095, 3650, 1e6)]

    assert np.all(np.diff(values, axis=0) >= 0)
    assert values[-1] == pytest.approx(contract_value.worth(found, [curve()] * 3, 0.1).value)


def test_draws_of_a_horizon_are_worth_on_average_what_is_expected_within_it():
    found = contracts(left=60, left_days=100, renews=np.full(300, 0.8), months=6)
    whole, year = contract_value.draws(found, [curve()] * 300, range(300), 0.1, [contract_value.WHOLE, 365])

    assert np.mean(year) == pytest.approx(contract_value.within(found, [curve()] * 300, 0.1, 365)[0], rel=0.01)
    assert np.all(year <= whole + 1e-9)


def test_no_contracts():
    nothing = contracts(renews=[])

    assert len(contract_value.worth(nothing, [], 0.1).value) == 0
    assert contract_value.draws(nothing, [], [], 0.1)[0].shape == (0, contract_value.DRAWS)


def test_a_model_of_real_decisions_values_a_shop():
    learned = renewals.learn({("Care", 12): sbg.of_cohort([1000, 869, 743, 653])})
    found = worth(of=learned.of(("Care", 12)), renews=0.87)

    assert 300 < found.value[0] < 700
