"""Points where the printed formulas break in ordinary arithmetic; the figures were computed with 60 digits."""

import numpy as np
import pytest

from analytics.clv import bgnbd, hypergeometric, mbgnbd, pareto_nbd
from analytics.clv.params import BgNbdParams, MbgNbdParams, ParetoNbdParams

CLOSE = 1e-9


def test_hard_point_a_plus_b_below_one_and_x_zero():
    params = BgNbdParams(r=0.11, alpha=2.24, a=0.31, b=0.5)

    value = float(bgnbd.expected_purchases(params, 30, 0, 0, 1))

    assert value == pytest.approx(0.5645886155327845, rel=CLOSE)


def test_hard_point_a_equal_to_one():
    params = BgNbdParams(r=0.243, alpha=4.414, a=1.0, b=2.426)

    value = float(bgnbd.expected_purchases(params, 52, 3, 20, 30))

    assert value == pytest.approx(2.0283966671056843, rel=CLOSE)


@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9, 1e-12, 1e-15])
@pytest.mark.parametrize("sign", [-1, 1])
def test_nothing_happens_near_a_equal_to_one(step, sign):
    there = BgNbdParams(r=0.243, alpha=4.414, a=1.0, b=2.426)
    near = BgNbdParams(r=0.243, alpha=4.414, a=1.0 + sign * step, b=2.426)

    value = float(bgnbd.expected_purchases(near, 52, 3, 20, 30))

    assert value == pytest.approx(float(bgnbd.expected_purchases(there, 52, 3, 20, 30)), rel=step + 1e-13)


def test_heaviest_buyer_is_finite():
    """x = 5000 in T = 1825 days, where other tools give NaN."""
    params = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426)

    value = float(bgnbd.expected_purchases(params, 365, 5000, 1824, 1825))

    assert 0 < value < 5000 / 1825 * 365


def test_nobody_left_in_the_limit_of_small_a():
    """With a → 0 nobody leaves: orders are those of the negative binomial, R·t/A."""
    value = hypergeometric.expected_events(R=3.0, y=0.5, a=1e-12, beta=2.0)

    assert float(value) == pytest.approx(1.5, rel=1e-10)


def test_everybody_left_after_one_order_in_the_limit_of_large_a():
    """With a → ∞ the next order is the last: the chance that it comes, 1 - (1 + y)^-R."""
    value = hypergeometric.expected_events(R=3.0, y=0.5, a=1e12, beta=2.0)

    assert float(value) == pytest.approx(1 - 1.5**-3, rel=1e-10)


@pytest.mark.parametrize("t", [1e-12, 1e-9, 1e-6])
def test_short_horizon_keeps_its_digits(t):
    """For t → 0 the orders are R·t/A: the printed form would be 1 - 1."""
    value = hypergeometric.expected_events(R=2.5, y=t, a=0.7, beta=1.3)

    assert float(value) == pytest.approx(2.5 * t, rel=10 * t + 1e-14)


def test_no_horizon_no_orders():
    assert float(hypergeometric.expected_events(R=2.5, y=0.0, a=0.7, beta=1.3)) == 0.0


def test_p_alive_of_a_heavy_buyer_long_gone_is_zero_and_not_nan():
    params = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)

    assert float(mbgnbd.p_alive(params, 10_000, 100, 1825)) == 0.0
    assert float(mbgnbd.expected_purchases(params, 52, 10_000, 100, 1825)) == 0.0
    assert float(mbgnbd.p_silent(params, 52, 10_000, 100, 1825)) == 1.0


def test_someone_who_bought_once_is_certainly_alive_for_bg_nbd_only():
    bg = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426)
    mbg = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)

    assert np.all(bgnbd.p_alive(bg, 0, 0, np.array([0.0, 10, 1000])) == 1.0)
    assert np.all(np.diff(mbgnbd.p_alive(mbg, 0, 0, np.array([0.0, 10, 1000]))) < 0)
    assert float(mbgnbd.p_alive(mbg, 0, 0, 0)) == pytest.approx(1.614 / (0.891 + 1.614), rel=1e-14)


# R, y = t/A, a, β and the orders of a living customer, from the printed form with 60 to 960 digits
TABLE = [
    (0.01, 1e-06, 0.01, 0.02, 9.999998316667772e-09),
    (0.01, 40.0, 0.01, 0.02, 0.2719591740671109),
    (0.11, 13.4, 0.31, 0.5, 0.7408486672098047),
    (0.11, 13.4, 1.0, 0.5, 0.4014557874170149),
    (0.243, 11.8, 0.793, 2.426, 1.4475722554954527),
    (0.243, 0.0324, 0.793, 2.426, 0.007834540352909326),
    (0.525, 8.4, 0.891, 2.614, 2.201833903010074),
    (0.525, 0.115, 0.891, 2.614, 0.05908112589337242),
    (1.0, 1.0, 1.0, 1.0, 0.6931471805599453),
    (1.0, 1.0, 1.0, 2.0, 0.7725887222397813),
    (1.0, 1e-09, 1.0, 1.0, 9.999999995e-10),
    (1.0, 10000.0, 1.0, 1.0, 9.210440366976517),
    (1.0, 0.5, 0.3, 0.7, 0.44273374664777804),
    (2.243, 0.9, 0.793, 4.426, 1.685434973942724),
    (3.243, 1.511, 1.0, 5.426, 3.423652434769259),
    (3.243, 1.511, 1.000000001, 5.426, 3.4236524337702305),
    (3.243, 1.511, 0.999999999, 5.426, 3.4236524357682874),
    (8.0, 6.5, 1.5, 9.0, 11.491221609802789),
    (8.0, 6.5, 5.0, 0.02, 1.0049997915829183),
    (30.0, 0.2, 5.0, 40.0, 4.39342979696111),
    (60.5, 0.3, 0.793, 62.4, 16.354322667974124),
    (60.5, 12.0, 0.01, 62.4, 713.2980540186293),
    (250.0, 0.05, 2.2, 252.0, 11.855142778864618),
    (700.2, 0.19, 0.793, 702.4, 124.04465159451185),
    (700.2, 3.0, 1.0, 702.4, 972.0803359246194),
    (5000.2, 0.2, 0.793, 5002.4, 929.091060473137),
    (10000.5, 0.0295, 0.891, 10002.6, 291.20892868166567),
    (10000.5, 0.0295, 1.0, 10002.6, 290.74789019120624),
    (10000.5, 9.0, 0.31, 10002.6, 56494.257993939034),
    (10000.5, 1e-05, 5.0, 10002.6, 0.10000250144885878),
]


@pytest.mark.parametrize(("R", "y", "a", "beta", "exact"), TABLE)
def test_table_of_60_digits(R, y, a, beta, exact):
    value = float(hypergeometric.expected_events(R=R, y=y, a=a, beta=beta))

    assert value == pytest.approx(exact, rel=1e-12)


# r, α, s, β; x, t_x, T; t; P(alive), P(no order in t), orders within t: the printed form with 60 digits and more
FADER_HARDIE = (0.553, 10.578, 0.606, 11.669)
PARETO = [
    (FADER_HARDIE, (5000, 1824.0, 1825.0), 52.0, 0.99827595175885, 0.00184493941707, 140.22109905146894),
    (FADER_HARDIE, (10000, 1700.0, 1825.0), 52.0, 7.63394382882854e-303, 1.0, 2.14445876033423e-300),
    ((4.0, 900.0, 1 - 1e-9, 0.05), (10000, 38.85, 38.86), 30.0, 0.99972880718484, 0.00267116476225, 236.9029818422396),
    ((0.11, 60.0, 0.01, 11.669), (700, 0.19, 0.2), 52.0, 0.99999106138521, 8.09631216633495e-5, 598.32849882400592),
    ((30.0, 900.0, 5.0, 2.24), (700, 250.0, 260.0), 365.0, 0.04690575932722, 0.95446754213368, 1.87609074155244),
    ((1.0, 60.0, 1.0, 0.05), (700, 250.0, 260.0), 30.0, 1.17674083868907e-7, 0.99999988253205, 7.31891045405518e-6),
    (
        (0.553, 11.669, 0.606, 11.669),
        (10000, 1824.9, 1825.0),
        52.0,
        0.99995614360998,
        0.00010444670989,
        280.73181906971877,
    ),
    ((0.01, 0.05, 1.5, 900.0), (10000, 37.0, 38.86), 365.0, 3.12702917903894e-208, 1.0, 2.28522637142849e-203),
    (FADER_HARDIE, (0, 0.0, 1825.0), 365.0, 0.00527024849909, 0.99952327526979, 0.00054792567088),
]


@pytest.mark.parametrize(("shop", "customer", "t", "alive", "silent", "orders"), PARETO)
def test_table_of_60_digits_for_pareto_nbd(shop, customer, t, alive, silent, orders):
    """Heavy buyers, where other tools give NaN; s = 1, α = β, and α far above β among them."""
    params = ParetoNbdParams(*shop)

    assert float(pareto_nbd.p_alive(params, *customer)) == pytest.approx(alive, rel=CLOSE)
    assert float(pareto_nbd.p_silent(params, t, *customer)) == pytest.approx(silent, rel=CLOSE)
    assert float(pareto_nbd.expected_purchases(params, t, *customer)) == pytest.approx(orders, rel=CLOSE)
