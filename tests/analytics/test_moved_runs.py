"""Runs of the first engine, put in the form in which runs keep what they learned from then on."""

from importlib import import_module

import pytest

from analytics.clv import shop
from tests.analytics.histories import score_one

moved = import_module("analytics.migrations.0012_horizons_of_scores").moved
MBG = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
GAMMA = {"p": 6.25, "q": 3.74, "gamma": 15.44, "log_likelihood": -4055.9, "customers": 946, "evaluations": 12}


def old(**changed):
    """What a run kept."""
    return {
        "model": "MBG/NBD",
        "reason": "",
        "n": 2357,
        "repeat_customers": 946,
        "purchase": MBG,
        "bgnbd": None,
        "mbgnbd": MBG | {"log_likelihood": -9590.0, "customers": 2357, "evaluations": 18},
        "spend_model": "Gamma-Gamma",
        "spend_reason": "",
        "gamma_gamma": GAMMA,
        "mean_spend": 35.0,
        "margin_rate": 0.4,
        "unit": "weeks",
    } | changed


def test_it_works():
    fitted = shop.Fitted.from_dict(moved(old()))
    assert fitted.purchase.as_dict() == MBG
    assert list(fitted.fits) == ["MBG/NBD"]
    assert (fitted.spend.name, fitted.spend.params.gamma, fitted.gamma_gamma.customers) == ("Gamma-Gamma", 15.44, 946)
    assert score_one(fitted)["clv"] > 0


@pytest.mark.parametrize("gamma_gamma", [GAMMA, None])
def test_a_shop_without_a_model_of_spend(gamma_gamma):
    fitted = shop.Fitted.from_dict(moved(old(spend_model="Shrunken mean", gamma_gamma=gamma_gamma)))
    assert (fitted.spend.name, fitted.spend.params.mean_spend) == ("Shrunken mean", 35.0)
