"""BG/BB: the published donations, the printed formulas in many digits, known truth, and what it refuses."""

import csv
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from analytics.clv import bgbb, fitting
from analytics.clv.params import BgBbParams

DONATIONS = BgBbParams(1.204, 0.750, 0.657, 2.783)
HISTORIES = [(0, 0, 6), (1, 1, 6), (1, 6, 6), (3, 4, 6), (6, 6, 6), (2, 17, 40), (0, 0, 40), (1, 1, 1)]
GRID = [(1.204, 0.750, 0.657, 2.783), (0.05, 8.0, 1.0, 0.3), (30.0, 2.0, 12.0, 200.0), (1.0, 1.0, 0.02, 0.02)]


def donations():
    path = Path(__file__).parent.parent / "data" / "donations_summary.csv"
    with path.open() as file:
        rows = [[int(value) for value in row.values()] for row in csv.DictReader(file)]
    return tuple(np.array(rows).T)


def printed_likelihood(alpha, beta, gamma, delta, x, t_x, n):
    """Their eq. 4."""
    a, b, g, d = map(mp.mpf, (alpha, beta, gamma, delta))
    stayed = mp.beta(a + x, b + n - x) * mp.beta(g, d + n)
    left = [mp.beta(a + x, b + t_x - x + i) * mp.beta(g + 1, d + t_x + i) for i in range(n - t_x)]
    return (stayed + mp.fsum(left)) / (mp.beta(a, b) * mp.beta(g, d))


def printed_p_alive(*params, x, t_x, n):
    """Their eq. 11."""
    a, b, g, d = map(mp.mpf, params)
    there = mp.beta(a + x, b + n - x) * mp.beta(g, d + n + 1) / (mp.beta(a, b) * mp.beta(g, d))
    return there / printed_likelihood(*params, x, t_x, n)


def printed_expected(*params, ahead, x, t_x, n):
    """Their eq. 13; at γ = 1 from a distance that the digits can bear."""
    a, b, g, d = map(mp.mpf, params)
    g += mp.mpf(10) ** (-mp.mp.dps // 2) if g == 1 else 0
    ratio = mp.gammaprod([1 + d + n], [g + d + n]) - mp.gammaprod([1 + d + n + ahead], [g + d + n + ahead])
    bought = mp.beta(a + x + 1, b + n - x) / mp.beta(a, b)
    return bought * d / (g - 1) * mp.gammaprod([g + d], [1 + d]) * ratio / printed_likelihood(*params, x, t_x, n)


def printed_dert(*params, rate, x, t_x, n):
    """Their eq. 14."""
    a, b, g, d = map(mp.mpf, params)
    bought = mp.beta(a + x + 1, b + n - x) / mp.beta(a, b)
    there = mp.beta(g, d + n + 1) / (mp.beta(g, d) * (1 + mp.mpf(rate)))
    living = mp.hyp2f1(1, d + n + 1, g + d + n + 1, 1 / (1 + mp.mpf(rate)))
    return bought * there * living / printed_likelihood(*params, x, t_x, n)


def drawn(params, customers, n, *, seed=4):
    chance = np.random.default_rng(seed)
    p = chance.beta(params.alpha, params.beta, customers)
    lived = chance.geometric(chance.beta(params.gamma, params.delta, customers)) - 1
    times = np.arange(1, n + 1)
    bought = (chance.random((customers, n)) < p[:, None]) & (times <= lived[:, None])
    return bought.sum(axis=1), (bought * times).max(axis=1), n


def test_fader_hardie_shang_2010_donations():
    found = bgbb.fit(*donations())

    assert found.params.alpha == pytest.approx(1.204, abs=1e-3)
    assert found.params.beta == pytest.approx(0.750, abs=1e-3)
    assert found.params.gamma == pytest.approx(0.657, abs=1e-3)
    assert found.params.delta == pytest.approx(2.783, abs=1e-3)
    assert found.log_likelihood == pytest.approx(-33225.6, abs=0.05)
    assert found.customers == 11_104


def test_fader_hardie_shang_2010_conditional_expectations_of_five_years():
    """Who never gave again, and who gave each year."""
    found = bgbb.expected_transactions(DONATIONS, 5, [0, 6], [0, 6], 6)

    assert found == pytest.approx([0.07, 3.75], abs=0.005)


def test_fader_hardie_shang_2010_chances_to_be_there():
    assert bgbb.p_alive(DONATIONS, [0, 6], [0, 6], 6) == pytest.approx([0.11, 0.93], abs=0.005)


@pytest.mark.parametrize("params", GRID)
@pytest.mark.parametrize("history", HISTORIES)
def test_likelihood_is_equation_4(params, history):
    with mp.workdps(40):
        truth = mp.log(printed_likelihood(*params, *history))

    assert bgbb.log_likelihood(BgBbParams(*params), *history) == pytest.approx(float(truth), rel=1e-9)


@pytest.mark.parametrize("params", GRID)
@pytest.mark.parametrize(("x", "t_x", "n"), HISTORIES)
def test_what_is_expected_is_equations_11_13_and_14(params, x, t_x, n):
    with mp.workdps(60):
        alive = printed_p_alive(*params, x=x, t_x=t_x, n=n)
        expected = printed_expected(*params, ahead=5, x=x, t_x=t_x, n=n)
        discounted = printed_dert(*params, rate=0.1, x=x, t_x=t_x, n=n)
    own = BgBbParams(*params)

    assert bgbb.p_alive(own, x, t_x, n) == pytest.approx(float(alive), rel=1e-9)
    assert bgbb.expected_transactions(own, 5, x, t_x, n) == pytest.approx(float(expected), rel=1e-9)
    assert bgbb.dert(own, 0.1, x, t_x, n) == pytest.approx(float(discounted), rel=1e-9)


def test_chances_of_all_histories_add_up_to_one():
    """Of three opportunities: every order of taking them has its history, so 8 orders share 1."""
    orders = [[k >> place & 1 for place in range(3)] for k in range(8)]
    x = [sum(one) for one in orders]
    t_x = [max((place + 1 for place in range(3) if one[place]), default=0) for one in orders]

    shares = [np.exp(bgbb.log_likelihood(DONATIONS, *each, 3)) for each in zip(x, t_x, strict=True)]

    assert sum(shares) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("values", [(1.2, 0.75, 0.66, 2.8), (3.0, 0.2, 4.0, 0.9)])
def test_gradient_is_that_of_the_likelihood(values):
    found, _ = bgbb._patterns(*donations())

    _, slope = bgbb._mean_log_likelihood(found, BgBbParams(*values))

    for place in range(4):
        step = 1e-6 * values[place]
        above, below = ([v + sign * step * (k == place) for k, v in enumerate(values)] for sign in (1, -1))
        up, down = (bgbb._mean_log_likelihood(found, BgBbParams(*moved))[0] for moved in (above, below))
        assert slope[place] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-8)


def test_true_parameters_are_found_again():
    truth = BgBbParams(1.2, 2.0, 1.0, 4.0)

    found = bgbb.fit(*drawn(truth, 60_000, 12)).params

    assert found.alpha / (found.alpha + found.beta) == pytest.approx(1.2 / 3.2, rel=0.03)
    assert found.gamma / (found.gamma + found.delta) == pytest.approx(0.2, rel=0.05)
    assert found.alpha == pytest.approx(1.2, rel=0.1)
    assert found.delta == pytest.approx(4.0, rel=0.15)


def test_a_new_customer_is_expected_what_new_customers_do():
    x, _, n = drawn(DONATIONS, 200_000, 6)

    assert bgbb.expected_by(DONATIONS, [0, n]) == pytest.approx([0, x.mean()], abs=0.02)


def test_nobody_expected_before_anything_happened():
    assert bgbb.expected_transactions(DONATIONS, 4, 0, 0, 0) == pytest.approx(bgbb.expected_by(DONATIONS, 4))
    assert bgbb.expected_transactions(DONATIONS, 0, 3, 4, 6) == 0


def test_customers_keep_their_places():
    together = bgbb.p_alive(DONATIONS, [6, 0, 2, 6], [6, 0, 2, 6], [6, 6, 6, 6])

    assert together[0] == together[3] > together[1] > together[2]
    assert together[2] == bgbb.p_alive(DONATIONS, 2, 2, 6)


def test_counts_weigh_as_many_customers():
    one_by_one = bgbb.log_likelihood(DONATIONS, [0, 0, 0, 6], [0, 0, 0, 6], 6)

    assert bgbb.log_likelihood(DONATIONS, [0, 6], [0, 6], 6, [3, 1]) == pytest.approx(one_by_one)


@pytest.mark.parametrize(("x", "t_x"), [([0, 0], [0, 0]), ([6, 6], [6, 6])])
def test_all_or_none_taken_is_refused(x, t_x):
    with pytest.raises(fitting.DidNotConverge, match="all taken, or none"):
        bgbb.fit(x, t_x, 6)


def test_nobody_is_refused():
    with pytest.raises(fitting.DidNotConverge, match="all taken, or none"):
        bgbb.fit([], [], [])


@pytest.mark.parametrize("history", [(3, 2, 6), (0, 2, 6), (2, 0, 6), (1, 7, 6), (-1, 0, 6)])
def test_a_history_that_cannot_be_is_refused(history):
    with pytest.raises(ValueError, match="0 ≤ x ≤ t_x ≤ n"):
        bgbb.log_likelihood(DONATIONS, *history)


@pytest.mark.parametrize("rate", [0.0, -0.1])
def test_no_discount_is_refused(rate):
    with pytest.raises(ValueError, match="above zero"):
        bgbb.dert(DONATIONS, rate, 1, 1, 6)


def test_long_histories_stay_finite():
    x = np.array([0, 1, 500, 1000])
    alive = bgbb.p_alive(BgBbParams(0.3, 40.0, 0.5, 60.0), x, np.array([0, 3, 900, 1000]), 1000)

    assert np.all((alive >= 0) & (alive <= 1))
    assert alive[3] > 0.99
    assert alive[2] < 1e-20
