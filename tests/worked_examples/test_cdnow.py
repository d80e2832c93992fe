"""CDNOW's published figures, each test named after the table that it reproduces."""

import numpy as np
import pytest

from analytics.clv import beta_geometric, bgnbd, gamma_gamma, mbgnbd, shop
from analytics.clv.params import BgNbdParams, GammaGammaParams, MbgNbdParams
from tests.analytics import cdnow

FADER_HARDIE_LEE = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426)
BATISLAM = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)
NOTE_025 = GammaGammaParams(p=6.25, q=3.74, gamma=15.44)


@pytest.fixture(scope="module")
def in_weeks():
    x, t_x, T, _ = cdnow.summary()
    return beta_geometric.tally(x=x, t_x=t_x, T=T)


def same_digits(value, published):
    """Equal at the digits shown."""
    digits = len(published.partition(".")[2])
    return f"{value:.{digits}f}" == published or f"{value:.{digits}f}" == f"0{published}"


# Fader, Hardie & Lee (2005), table 2: BG/NBD


def test_fader_hardie_lee_2005_table_2_parameters(in_weeks):
    params = bgnbd.fit(in_weeks).params

    assert same_digits(params.r, ".243")
    assert same_digits(params.alpha, "4.414")
    assert same_digits(params.a, ".793")
    assert same_digits(params.b, "2.426")


def test_fader_hardie_lee_2005_table_2_log_likelihood(in_weeks):
    assert same_digits(bgnbd.fit(in_weeks).log_likelihood, "-9582.4")


def test_fader_hardie_lee_2005_log_likelihood_at_the_published_parameters():
    x, t_x, T, _ = cdnow.summary()

    assert bgnbd.log_likelihood(FADER_HARDIE_LEE, x, t_x, T) == pytest.approx(-9582.4268, abs=1e-3)


def test_fader_hardie_lee_2005_log_likelihood_in_whole_days():
    assert cdnow.fitted().fits["BG/NBD"].log_likelihood == pytest.approx(-9582.429, abs=5e-4)


# Batislam, Denizel & Filiztekin (2007): MBG/NBD on the same data


def test_batislam_denizel_filiztekin_2007_parameters(in_weeks):
    params = mbgnbd.fit(in_weeks).params

    assert same_digits(params.r, ".525")
    assert same_digits(params.alpha, "6.183")
    assert same_digits(params.a, ".891")
    assert same_digits(params.b, "1.614")


def test_mbg_nbd_is_slightly_more_likely_than_bg_nbd(in_weeks):
    assert mbgnbd.fit(in_weeks).log_likelihood > bgnbd.fit(in_weeks).log_likelihood


# Fader & Hardie (2013), note 025: Gamma-Gamma


def test_note_025_gamma_gamma_parameters_in_exact_money():
    params = cdnow.fitted().gamma_gamma.params

    assert same_digits(params.p, "6.25")
    assert same_digits(params.q, "3.74")
    assert same_digits(params.gamma, "15.44")


def test_note_025_gamma_gamma_log_likelihood():
    x, _, _, zbar = cdnow.summary()

    assert same_digits(gamma_gamma.fit(x, zbar).log_likelihood, "-4055.92")


def test_note_025_gamma_gamma_customers():
    x, _, _, zbar = cdnow.summary()

    assert gamma_gamma.fit(x, zbar).customers == 946


TEN_CUSTOMERS = (24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17)


def test_hardie_sheet_expected_spend_of_the_first_ten_customers():
    x, _, _, zbar = cdnow.summary()

    spend = gamma_gamma.expected_spend(NOTE_025, x[:10], zbar[:10])

    assert spend == pytest.approx(TEN_CUSTOMERS, abs=0.1)


def test_hardie_sheet_expected_spend_with_our_own_fit():
    x, _, _, zbar = cdnow.summary()

    spend = gamma_gamma.expected_spend(gamma_gamma.fit(x, zbar).params, x[:10], zbar[:10])

    assert spend == pytest.approx(TEN_CUSTOMERS, abs=0.1)


# Hardie's sheet for BG/NBD


def test_hardie_sheet_conditional_expectation():
    value = bgnbd.expected_purchases(FADER_HARDIE_LEE, 39, 2, 30.43, 38.86)

    assert same_digits(float(value), "1.226")


@pytest.mark.parametrize(
    ("t", "published"),
    [
        (0.1429, ".0078"),
        (1, ".0532"),
        (3, ".1506"),
        (31.8571, "1.0405"),
        (32, "1.0437"),
    ],
)
def test_hardie_sheet_expected_purchases(t, published):
    params = cdnow.fitted().fits["BG/NBD"].params  # the sheet's parameters have more digits than the paper's

    value = float(bgnbd.unconditional_expected_purchases(params, t))

    assert value == pytest.approx(float(published), abs=1e-4)


def test_hardie_sheet_expected_purchases_of_78_weeks():
    """The sheet's 1.8576 is the series of 2F1 cut after 150 terms; in full it is 1.8580."""
    params = cdnow.fitted().fits["BG/NBD"].params
    r, alpha, a, b = params.r, params.alpha, params.a, params.b
    z, term, series = 78 / (alpha + 78), 1.0, 1.0
    for j in range(1, 151):
        term *= (r + j - 1) * (b + j - 1) / ((a + b - 2 + j) * j) * z
        series += term

    cut = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + 78)) ** r * series)
    full = float(bgnbd.unconditional_expected_purchases(params, 78))

    assert same_digits(cut, "1.8576")
    assert same_digits(full, "1.8580")


# R BTYD's help pages


def test_r_btyd_pmf_of_no_purchase():
    assert float(bgnbd.pmf(FADER_HARDIE_LEE, 0, 39)) == pytest.approx(0.5737864, abs=5e-8)


def test_r_btyd_pmf_of_ten_purchases():
    assert float(bgnbd.pmf(FADER_HARDIE_LEE, 10, 2)) == pytest.approx(1.07869e-7, abs=5e-13)


# The night on CDNOW


def test_night_of_1997_09_30_reports_the_published_parameters():
    report = cdnow.fitted().as_dict()

    def shown(model, digits, *names):
        return [f"{model[name]:.{digits}f}" for name in names]

    assert shown(report["fits"]["BG/NBD"], 3, "r", "alpha", "a", "b") == ["0.243", "4.414", "0.793", "2.426"]
    assert shown(report["fits"]["MBG/NBD"], 3, "r", "alpha", "a", "b") == ["0.525", "6.183", "0.891", "1.614"]
    assert shown(report["gamma_gamma"], 2, "p", "q", "gamma") == ["6.25", "3.74", "15.44"]


def test_night_of_1997_09_30_counts_the_customers():
    report = cdnow.fitted().as_dict()

    assert report["n"] == 2357
    assert report["repeat_customers"] == 946
    assert report["unit"] == "weeks"
    assert report["model"] == "MBG/NBD"


def test_published_summary_is_the_days_in_weeks():
    x, t_x, T, zbar = cdnow.summary()
    past = cdnow.history()

    assert np.array_equal(x, past.order_days - 1)
    assert np.max(np.abs(t_x - (past.first_age - past.last_age) / 7)) < 0.0051
    assert np.max(np.abs(T - past.first_age / 7)) < 0.0051
    assert np.max(np.abs(zbar * x - past.repeat_value) / np.maximum(x, 1)) < 0.0051


# Holdout of 39 weeks, 1997-10-01 to 1998-06-30

HOLDOUT_ORDER_DAYS = 1882  # of the 2,357 customers


def test_holdout_of_39_weeks_purchases_predicted_over_actual_bg_nbd():
    x, t_x, T, _ = cdnow.summary()

    predicted = np.sum(bgnbd.expected_purchases(FADER_HARDIE_LEE, 39, x, t_x, T))

    assert same_digits(float(predicted) / HOLDOUT_ORDER_DAYS, ".88")


def test_holdout_of_39_weeks_purchases_predicted_over_actual_mbg_nbd():
    x, t_x, T, _ = cdnow.summary()

    predicted = np.sum(mbgnbd.expected_purchases(BATISLAM, 39, x, t_x, T))

    assert same_digits(float(predicted) / HOLDOUT_ORDER_DAYS, ".84")


def test_value_of_cdnow_is_close_to_a_plain_product():
    """Discounted margin lies between that of orders on the first day and on the last day of the year."""
    terms = shop.Terms()
    found = shop.score(cdnow.fitted(), cdnow.history(), terms)

    undiscounted = found.expected_orders * found.expected_margin_per_order
    assert np.all(found.clv <= undiscounted * (1 + 1e-12))
    assert np.all(found.clv >= undiscounted / 1.1 * (1 - 1e-12))
