"""Gamma-Gamma: against the printed likelihood, its gradient, known truth, and what it refuses."""

import numpy as np
import pytest

from analytics.clv import fitting, gamma_gamma
from analytics.clv.params import GammaGammaParams
from tests.analytics import cdnow, reference

CDNOW = GammaGammaParams(p=6.25, q=3.74, gamma=15.44)


def spends(params, customers, *, seed=2):
    """Orders and mean spend of customers drawn from the model."""
    chance = np.random.default_rng(seed)
    x = 1 + chance.poisson(2.0, customers)
    rate = chance.gamma(params.q, 1 / params.gamma, customers)
    return x, chance.gamma(params.p * x) / rate / x


@pytest.mark.parametrize("params", [(6.25, 3.74, 15.44), (0.4, 0.9, 200.0), (40.0, 12.0, 1.5)])
@pytest.mark.parametrize("customer", [(1, 11.77), (2, 22.35), (40, 0.05), (3, 1e6)])
def test_likelihood_is_equation_1a(params, customer):
    value = gamma_gamma.log_likelihood(GammaGammaParams(*params), [customer[0]], [customer[1]])

    assert value == pytest.approx(float(reference.gamma_gamma_log_likelihood(*params, *customer)), rel=1e-11)


@pytest.mark.parametrize("values", [(6.25, 3.74, 15.44), (0.7, 1.2, 90.0)])
def test_gradient_is_that_of_the_likelihood(values):
    x, _, _, zbar = cdnow.summary()
    data = gamma_gamma._spends(*gamma_gamma._buyers(x, zbar))

    _, slope = gamma_gamma._mean_log_likelihood(data, *values)

    for place in range(3):
        step = 1e-5 * values[place]
        above, below = ([v + sign * step * (k == place) for k, v in enumerate(values)] for sign in (1, -1))
        rise = gamma_gamma._mean_log_likelihood(data, *above)[0] - gamma_gamma._mean_log_likelihood(data, *below)[0]
        assert slope[place] == pytest.approx(rise / (2 * step), rel=1e-5, abs=1e-8)


def test_true_parameters_are_found_again():
    fit = gamma_gamma.fit(*spends(CDNOW, 60_000))

    assert fit.params.p == pytest.approx(CDNOW.p, rel=0.03)
    assert fit.params.q == pytest.approx(CDNOW.q, rel=0.03)
    assert fit.params.gamma == pytest.approx(CDNOW.gamma, rel=0.05)


def test_a_part_leads_many_customers_to_the_same_maximum(monkeypatch):
    x, zbar = spends(CDNOW, 20_000)
    alone = gamma_gamma.fit(x, zbar)
    monkeypatch.setattr(gamma_gamma, "PART", 1_000)
    monkeypatch.setattr(gamma_gamma, "MANY", 4_000)

    found = gamma_gamma.fit(x, zbar)

    assert found.params.as_dict() == pytest.approx(alone.params.as_dict(), rel=1e-4)
    assert found.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12)
    assert found.evaluations < alone.evaluations


def test_who_starts_at_the_maximum_stays_there():
    x, zbar = spends(CDNOW, 5_000)
    found = gamma_gamma.fit(x, zbar)

    again = gamma_gamma.fit(x, zbar, start=found.params)

    assert again.params.as_dict() == pytest.approx(found.params.as_dict(), rel=1e-9)
    assert again.evaluations == 1


def test_nowhere_near_is_more_likely():
    x, _, _, zbar = cdnow.summary()
    found = gamma_gamma.fit(x, zbar)

    for name in ("p", "q", "gamma"):
        for factor in (0.97, 1.03):
            moved = GammaGammaParams(**(found.params.as_dict() | {name: getattr(found.params, name) * factor}))
            assert gamma_gamma.log_likelihood(moved, x, zbar) < found.log_likelihood


@pytest.mark.parametrize("unit", [1e-3, 100.0, 1e6])
def test_unit_of_money_changes_gamma_only(unit):
    x, _, _, zbar = cdnow.summary()
    plain = gamma_gamma.fit(x, zbar).params

    scaled = gamma_gamma.fit(x, zbar * unit).params

    assert (scaled.p, scaled.q, scaled.gamma / unit) == pytest.approx((plain.p, plain.q, plain.gamma), rel=1e-4)


def test_blocks_do_not_change_the_likelihood(monkeypatch):
    x, _, _, zbar = cdnow.summary()
    whole = gamma_gamma.log_likelihood(CDNOW, x, zbar)

    monkeypatch.setattr(gamma_gamma, "BLOCK", 11)

    assert gamma_gamma.log_likelihood(CDNOW, x, zbar) == pytest.approx(whole, rel=1e-13)


def test_customers_without_repeat_money_are_left_out():
    x, _, _, zbar = cdnow.summary()
    more_x, more_zbar = np.append(x, [0, 3, 2]), np.append(zbar, [50.0, 0.0, -4.0])

    assert gamma_gamma.fit(more_x, more_zbar).params == gamma_gamma.fit(x, zbar).params


def test_expected_spend_lies_between_her_own_mean_and_that_of_all():
    everyone = float(gamma_gamma.expected_spend(CDNOW, 0, 0.0))

    for own in (1.0, 10.0, 30.0, 60.0, 1e4):
        for x in (1, 2, 10):
            spend = float(gamma_gamma.expected_spend(CDNOW, x, own))
            assert min(own, everyone) <= spend <= max(own, everyone)


def test_expected_spend_comes_closer_to_her_own_mean_with_each_order():
    spend = gamma_gamma.expected_spend(CDNOW, np.arange(0, 2000), 80.0)

    assert np.all(np.diff(spend) > 0)
    assert spend[-1] == pytest.approx(80.0, rel=1e-3)


def test_expected_spend_without_repeat_orders_is_the_mean_of_all():
    assert float(gamma_gamma.expected_spend(CDNOW, 0, 0.0)) == pytest.approx(6.25 * 15.44 / 2.74)


def test_expected_spend_predicts_the_next_order():
    """Customers drawn from the model: what is expected after x orders is the mean of the next one."""
    chance = np.random.default_rng(8)
    rate = chance.gamma(CDNOW.q, 1 / CDNOW.gamma, 300_000)
    first_two = chance.gamma(2 * CDNOW.p, size=rate.size) / rate / 2
    following = chance.gamma(CDNOW.p, size=rate.size) / rate

    expected = gamma_gamma.expected_spend(CDNOW, 2, first_two)

    error = 4.5 * np.std(following - expected) / np.sqrt(rate.size)
    assert following.mean() == pytest.approx(expected.mean(), abs=error)


# What it refuses


def test_nobody_with_a_repeat_order_does_not_converge():
    with pytest.raises(fitting.DidNotConverge, match="nobody has a repeat order"):
        gamma_gamma.fit([0, 0, 2], [10.0, 20.0, 0.0])


def test_equal_spend_does_not_converge():
    with pytest.raises(fitting.DidNotConverge, match="spends the same"):
        gamma_gamma.fit([1, 2, 3], [20.0, 20.0, 20.0])


def test_mean_of_all_does_not_exist_for_q_below_one():
    with pytest.raises(ValueError, match="does not exist"):
        gamma_gamma.expected_spend(GammaGammaParams(p=2.0, q=0.9, gamma=4.0), 1, 20.0)
