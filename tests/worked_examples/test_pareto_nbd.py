"""Pareto/NBD's published figures, each test named after the table or page that it reproduces."""

import numpy as np
import pytest

from analytics.clv import naive, pareto_nbd, triples
from analytics.clv.params import ParetoNbdParams
from tests.analytics import cdnow
from tests.worked_examples.test_cdnow import HOLDOUT_ORDER_DAYS, same_digits

FADER_HARDIE = ParetoNbdParams(r=0.553, alpha=10.578, s=0.606, beta=11.669)


@pytest.fixture(scope="module")
def in_days():
    past = cdnow.history()
    x, t_x, T = past.order_days - 1, past.first_age - past.last_age, past.first_age
    return pareto_nbd.fit(triples.of_days(x=x, t_x=t_x, T=T, days=7.0))


def in_weeks():
    past = cdnow.history()
    return past.order_days - 1, (past.first_age - past.last_age) / 7, past.first_age / 7


def test_fader_hardie_lee_2005_table_2_parameters_of_pareto_nbd(in_days):
    assert same_digits(in_days.params.r, ".553")
    assert same_digits(in_days.params.alpha, "10.578")
    assert same_digits(in_days.params.s, ".606")
    assert same_digits(in_days.params.beta, "11.669")


def test_fader_hardie_lee_2005_table_2_log_likelihood_of_pareto_nbd(in_days):
    assert same_digits(in_days.log_likelihood, "-9595.0")


def test_btyd_vignette_log_likelihood_of_pareto_nbd(in_days):
    assert in_days.log_likelihood == pytest.approx(-9594.976, abs=5e-4)


def test_published_parameters_are_as_likely(in_days):
    at_the_published = pareto_nbd.log_likelihood(FADER_HARDIE, *in_weeks())

    assert at_the_published == pytest.approx(in_days.log_likelihood, abs=1e-3)
    assert at_the_published < in_days.log_likelihood


def test_btyd_vignette_p_alive_of_customer_1516():
    """x = 26, t_x = 30.86, T = 31."""
    assert same_digits(float(pareto_nbd.p_alive(FADER_HARDIE, 26, 30.86, 31)), ".9979")


def test_btyd_vignette_expected_orders_of_customer_1516_in_a_year(in_days):
    assert same_digits(float(pareto_nbd.expected_purchases(in_days.params, 52, 26, 30.86, 31)), "25.46")


def test_btyd_vignette_expected_orders_of_a_new_customer_in_a_year(in_days):
    assert same_digits(float(pareto_nbd.unconditional_expected_purchases(in_days.params, 52)), "1.473")


def test_holdout_of_39_weeks_purchases_predicted_over_actual_pareto_nbd(in_days):
    x, t_x, T = in_weeks()

    predicted = float(np.sum(pareto_nbd.expected_purchases(in_days.params, 39, x, t_x, T)))

    assert predicted / HOLDOUT_ORDER_DAYS == pytest.approx(0.89, abs=0.006)


def test_holdout_of_39_weeks_purchases_predicted_over_actual_naive():
    x, _, T = in_weeks()

    predicted = float(np.sum(naive.expected_purchases(39, x, T)))

    assert same_digits(predicted / HOLDOUT_ORDER_DAYS, "1.56")
