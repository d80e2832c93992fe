"""Customers small enough for pencil and paper: with r = a = 1 and whole numbers all fractions come out plain."""

from fractions import Fraction

import numpy as np
import pytest

from analytics.clv import averages, bands, bgnbd, gamma_gamma, mbgnbd, shop
from analytics.clv.params import BgNbdParams, Fit, GammaGammaParams, MbgNbdParams
from analytics.clv.spend import ShrunkenMeanParams, SpendFit
from tests.analytics.histories import make_customer, of

BG = BgNbdParams(r=1.0, alpha=10.0, a=1.0, b=2.0)
MBG = MbgNbdParams(r=1.0, alpha=10.0, a=1.0, b=2.0)
SPEND = GammaGammaParams(p=2.0, q=3.0, gamma=20.0)


def make_fitted(**changed):
    """A shop whose figures are whole numbers."""
    facts = {
        "model": "MBG/NBD",
        "reason": "",
        "n": 1000,
        "repeat_customers": 400,
        "purchase": MBG,
        "fits": {"MBG/NBD": Fit(MBG, log_likelihood=-1.0, customers=1000, evaluations=1)},
        "corrected": {},
        "spend": SpendFit("Gamma-Gamma", SPEND, 400),
        "spend_reason": "",
        "gamma_gamma": Fit(SPEND, log_likelihood=-1.0, customers=400, evaluations=1),
        "mean_spend": 20.0,
        "margin_rate": 0.5,
    }
    return shop.Fitted(**(facts | changed))


def test_p_alive_of_bg_nbd():
    """x = 1 at 10 of 30: odds of having left a/(b + x - 1) · (40/20)^2 = 1/2 · 4 = 2, so one in three is alive."""
    assert float(bgnbd.p_alive(BG, 1, 10, 30)) == pytest.approx(1 / 3, rel=1e-14)


def test_p_alive_of_mbg_nbd():
    """The same history: a/(b + x) · 4 = 4/3, so three in seven."""
    assert float(mbgnbd.p_alive(MBG, 1, 10, 30)) == pytest.approx(3 / 7, rel=1e-14)


def test_p_alive_of_someone_who_bought_once():
    """Odds of having left 1/2 · (40/10)^1 = 2."""
    assert float(mbgnbd.p_alive(MBG, 0, 0, 30)) == pytest.approx(1 / 3, rel=1e-14)


def test_silence_of_a_living_customer():
    """(40 / 80)^2: another 40 weeks without an order."""
    assert float(mbgnbd.p_silent_alive(MBG, 40, 1, 30)) == pytest.approx(1 / 4, rel=1e-14)


def test_no_order_in_the_next_40_weeks():
    """Gone with 4/7, or there with 3/7 and silent with 1/4: 16/28 + 3/28 = 19/28."""
    assert float(mbgnbd.p_silent(MBG, 40, 1, 10, 30)) == pytest.approx(float(Fraction(19, 28)), rel=1e-14)


def test_left_of_the_chance_is_p_alive():
    """(1 - 19/28) / (1 - 1/4) = (9/28) / (3/4) = 3/7."""
    left = bands.chance_left(np.array([19 / 28]), np.array([1 / 4]))

    assert left[0] == pytest.approx(3 / 7, rel=1e-14)


def test_pmf_of_none_and_one_order():
    """At t = 10 the next purchase of a living customer comes with 1/2.

    None: left at once 1/3, or not and slow 2/3 · 1/2. One and there: B(1, 4)/B(1, 2) · 1/4 = 1/2 · 1/4.
    One and left: B(2, 3)/B(1, 2) · P(N ≥ 1) = (1/12)/(1/2) · 1/2 = 1/12.
    """
    assert mbgnbd.pmf(MBG, [0, 1], 10.0) == pytest.approx([2 / 3, 1 / 8 + 1 / 12], rel=1e-13)


def test_pmf_of_bg_nbd():
    """None: slow, 1/2. One and there: B(1, 3)/B(1, 2) · 1/4 = 1/6; one and left: B(2, 2)/B(1, 2) · 1/2 = 1/6."""
    assert bgnbd.pmf(BG, [0, 1], 10.0) == pytest.approx([1 / 2, 1 / 3], rel=1e-13)


def test_expected_orders_with_a_equal_to_one():
    """E over a uniform p of (1 - 1/(1 + p·y))/p = ln(1 + y)/y · y: with R = a = β = 1 it is ln(1 + y)."""
    params = BgNbdParams(r=1.0, alpha=10.0, a=1.0, b=1.0)

    for t in (1.0, 10.0, 500.0):
        value = float(bgnbd.unconditional_expected_purchases(params, t))
        assert value == pytest.approx(np.log1p(t / 10), rel=1e-12)


def test_expected_spend():
    """Two repeat orders of 30: 2 · (20 + 60) / (4 + 2) = 26.67; nobody yet: 2 · 20 / 2 = 20."""
    assert gamma_gamma.expected_spend(SPEND, [2, 0], [30.0, 0.0]) == pytest.approx([80 / 3, 20.0])


def test_shrunken_mean():
    """Two repeat orders worth 60 and one of 20: 80 / 3 by accident too."""
    assert float(averages.shrunken_spend(20.0, 2, 60.0)) == pytest.approx(80 / 3)


def test_margin_of_an_order():
    """Three order days, 100 of revenue, 80 of margin; four order days of 20 at one half are added:
    (80 + 40) / (100 + 80) = 2/3 of an expected spend of 80/3."""
    past = of(make_customer(order_days=3, first_age=210, last_age=70, value=100.0, repeat_value=60.0, margin=80.0))

    found = shop.score(make_fitted(), past, shop.Terms())

    assert found.expected_margin_per_order[0] == pytest.approx(160 / 9)


def test_story_of_one_customer():
    """Orders on day 0 and day 70, today is day 210; in weeks x = 1, t_x = 10, T = 30; the year has 40 weeks."""
    past = of(make_customer(order_days=2, first_age=210, last_age=140, value=50.0, repeat_value=30.0, margin=25.0))
    terms = shop.Terms(horizon_days=280, churn_horizon_days=280, discount_rate=0.0)

    found = shop.score(make_fitted(), past, terms)

    orders = float(mbgnbd.expected_purchases(MBG, 40, 1, 10, 30))
    assert found.p_alive[0] == pytest.approx(3 / 7)
    assert found.churn_risk[0] == pytest.approx(19 / 28)
    assert found.band[0] == bands.MEDIUM
    assert found.usual_gap[0] == 70
    assert found.expected_margin_per_order[0] == pytest.approx(0.5 * 2 * (20 + 30) / (2 + 2))
    assert found.expected_orders[0] == pytest.approx(orders)
    assert found.clv[0] == pytest.approx(12.5 * orders)


def test_fallback_spend_is_used_when_named():
    past = of(make_customer(order_days=2, first_age=210, last_age=140, value=50.0, repeat_value=40.0, margin=25.0))

    found = shop.score(make_fitted(spend=SpendFit("Shrunken mean", ShrunkenMeanParams(20.0), 400)), past, shop.Terms())

    assert found.expected_margin_per_order[0] == pytest.approx(0.5 * (40 + 20) / 2)
