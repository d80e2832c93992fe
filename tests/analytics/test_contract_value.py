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
    return contract_value.draws(found, [of or curve()] * len(found), range(1, len(found) + 1), rate)


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
    low, high = contract_value.interval(draws(rate=0.0, renews=np.full(300, chance)))
    shares = sbg.survival(params, np.arange(1, 21))  # at least so many renewals

    assert np.median(low) == pytest.approx(100 * np.sum(shares > 0.9), abs=100)
    assert np.median(high) == pytest.approx(100 * np.sum(shares > 0.1), abs=100)


def test_four_of_five_outcomes_lie_between():
    inside = draws(renewals=np.arange(50) % 4, months=1, renews=0.95, of=curve(1.0, 19.0))
    low, high = contract_value.interval(inside)

    share = np.mean((inside >= low[:, None]) & (inside <= high[:, None]))
    assert 0.8 <= share <= 0.86  # whole terms: the bounds themselves have a chance


def test_unknown_parameters_widen_the_interval_of_a_sum():
    """Chance evens out over 200 contracts; what nobody knows of the model does not."""
    sure, unsure = (
        np.ptp(contract_value.interval(draws(of=curve(spread=spread), renews=np.full(200, 0.85)).sum(axis=0)[None, :]))
        for spread in (SURE, ((0.09, 0.0), (0.0, 0.09)))
    )

    assert unsure > 2 * sure


def test_a_contract_s_interval_does_not_depend_on_its_neighbours():
    alone = contract_value.draws(contracts(renews=0.8), [curve()], [7], 0.1)
    beside = contract_value.draws(contracts(renews=[0.3, 0.8]), [curve()] * 2, [3, 7], 0.1)

    assert np.array_equal(alone[0], beside[1])


@pytest.mark.parametrize("margin", [-100.0, 0.0, 1e7, 1e-2])
@pytest.mark.parametrize("months", [1, 12, 120])
@pytest.mark.parametrize("rate", [0.0, 0.1, 5.0])
@pytest.mark.parametrize("params", [(1e-4, 1e5), (1e5, 1e-4), (0.05, 0.05), (1.0, 4.0)])
def test_results_are_finite_and_ordered(margin, months, rate, params):
    of = curve(*params, spread=((2.0, 0.0), (0.0, 2.0)))
    columns = {"margin": margin, "months": months, "renews": float(sbg.p_renew(of.params, 3)), "renewals": 3}
    found, drawn = worth(rate=rate, of=of, **columns), draws(rate=rate, of=of, **columns)
    low, high = contract_value.interval(drawn)

    assert np.all(np.isfinite(drawn))
    assert np.isfinite(found.value[0])
    assert low[0] <= high[0]
    assert np.sign(found.value[0]) in (0, np.sign(margin))
    assert abs(found.stake[0]) >= abs(found.beyond[0])


def test_no_contracts():
    nothing = contracts(renews=[])

    assert len(contract_value.worth(nothing, [], 0.1).value) == 0
    assert contract_value.draws(nothing, [], [], 0.1).shape == (0, contract_value.DRAWS)


def test_a_model_of_real_decisions_values_a_shop():
    learned = renewals.learn({("Care", 12): sbg.of_cohort([1000, 869, 743, 653])})
    found = worth(of=learned.of(("Care", 12)), renews=0.87)

    assert 300 < found.value[0] < 700
