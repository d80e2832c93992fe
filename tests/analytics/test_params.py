"""Parameters and fits as values: checked when made, the same after JSON."""

import dataclasses
import json

import pytest

from analytics.clv.params import BgNbdParams, Fit, GammaGammaParams, MbgNbdParams, fit_from_dict

BG = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426)
MBG = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)
SPEND = GammaGammaParams(p=6.25, q=3.74, gamma=15.44)
ALL = pytest.mark.parametrize("params", [BG, MBG, SPEND], ids=lambda params: type(params).__name__)


def make_fit(params):
    return Fit(params=params, log_likelihood=-9582.429, customers=2357, evaluations=19)


@ALL
def test_as_dict_has_the_papers_symbols(params):
    assert type(params)(**params.as_dict()) == params


@ALL
def test_fit_survives_json(params):
    fit = make_fit(params)

    again = fit_from_dict(type(params), json.loads(json.dumps(fit.as_dict())))

    assert again == fit


@ALL
def test_parameters_cannot_be_changed(params):
    name = dataclasses.fields(params)[0].name

    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(params, name, 2.0)


def test_both_purchase_models_are_different_things():
    assert BgNbdParams(1.0, 2.0, 3.0, 4.0) != MbgNbdParams(1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize("name", ["p", "q", "gamma"])
@pytest.mark.parametrize("bad", [0.0, -2.0, float("nan"), float("inf")])
def test_spend_parameters_must_be_finite_and_above_zero(name, bad):
    with pytest.raises(ValueError, match=f"{name} must be finite and above zero"):
        GammaGammaParams(**(SPEND.as_dict() | {name: bad}))


@pytest.mark.parametrize("name", ["r", "alpha", "log_likelihood", "customers"])
def test_missing_figure_is_refused(name):
    figures = make_fit(BG).as_dict()
    del figures[name]

    with pytest.raises(KeyError, match=name):
        fit_from_dict(BgNbdParams, figures)
