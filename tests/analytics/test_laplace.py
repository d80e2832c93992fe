"""How well the parameters are known: against many simulated shops, and where the data hardly tell."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import averages, laplace, purchase
from analytics.clv.params import BgNbdParams, MbgNbdParams
from benchmarks import simulated
from tests.analytics import cdnow

NAMES = ("r", "alpha", "a", "b")


def columns_of(history):
    return purchase.Columns(
        x=history.order_days - 1,
        t_x=history.first_age - history.last_age,
        T=history.first_age,
        log_gaps=history.log_gaps,
    )


def fitted(history, name="BG/NBD"):
    columns = columns_of(history)
    return purchase.MODELS[name].fit(columns).params, columns


@pytest.fixture(scope="module")
def known():
    params, columns = fitted(cdnow.history())
    return params, laplace.uncertainty(params, columns)


def test_it_works(known):
    _, uncertain = known

    assert uncertain.names == NAMES
    assert uncertain.loose == ()
    assert uncertain.covariance == pytest.approx(uncertain.covariance.T)
    assert np.all(np.linalg.eigvalsh(uncertain.covariance) > 0)


def test_covariance_is_the_inverse_of_the_parabola(known):
    """One of its own standard deviations away along an axis the log-likelihood has fallen by a half."""
    params, uncertain = known
    columns = columns_of(cdnow.history())
    model = purchase.MODELS["BG/NBD"]
    top = model.log_likelihood(params, columns)
    spread, axes = np.linalg.eigh(uncertain.covariance)

    for place in range(4):
        falls = []
        for sign in (-1, 1):
            step = np.exp(sign * np.sqrt(spread[place]) * axes[:, place])
            moved = BgNbdParams(*(step * [params.r, params.alpha, params.a, params.b]))
            falls.append(top - model.log_likelihood(moved, columns))
        assert np.mean(falls) == pytest.approx(0.5, rel=0.3)


def test_deviations_are_those_of_parameters_found_in_many_shops():
    found, told = [], []
    for seed in range(30):
        params, columns = fitted(simulated.shop(3_000, seed=seed))
        found.append(np.log(list(params.as_dict().values())))
        told.append(list(laplace.uncertainty(params, columns).deviations().values()))

    assert np.mean(told, axis=0) == pytest.approx(np.std(found, axis=0, ddof=1), rel=0.45)


@pytest.mark.parametrize("name", sorted(purchase.MODELS))
def test_every_purchase_model_has_one(name):
    columns = columns_of(simulated.shop(2_000))
    gaps = columns.x * np.log(np.maximum(columns.t_x, 1) / np.maximum(columns.x, 1)) - 0.3 * np.maximum(
        columns.x - 1, 0
    )
    columns = replace(columns, log_gaps=gaps)
    params = purchase.MODELS[name].fit(columns).params

    uncertain = laplace.uncertainty(params, columns)

    assert np.all(np.isfinite(uncertain.covariance))
    assert all(0 < deviation <= 1.01 * laplace.WIDEST for deviation in uncertain.deviations().values())
    assert "k" not in uncertain.names


def test_four_times_the_customers_halve_it():
    few = laplace.uncertainty(*fitted(simulated.shop(3_000)))
    many = laplace.uncertainty(*fitted(simulated.shop(12_000)))

    ratio = np.array(list(few.deviations().values())) / np.array(list(many.deviations().values()))
    assert ratio == pytest.approx(2.0, rel=0.35)


def test_a_sample_tells_the_same(monkeypatch):
    params, columns = fitted(simulated.shop(12_000))
    sampled = laplace.uncertainty(params, columns)

    monkeypatch.setattr(laplace, "SAMPLE", 12_000)

    whole = laplace.uncertainty(params, columns)
    assert list(sampled.deviations().values()) == pytest.approx(list(whole.deviations().values()), rel=0.15)


def test_a_sample_stands_for_so_many():
    params, columns = fitted(simulated.shop(4_000))
    alone = laplace.uncertainty(params, columns)

    of_many = laplace.uncertainty(params, columns, 400_000)

    assert of_many.covariance == pytest.approx(alone.covariance / 100, rel=0.05)


def test_draws_have_the_covariance(known):
    params, uncertain = known

    drawn = np.log([list(one.as_dict().values()) for one in laplace.draws(params, uncertain, 4_000)])

    scale = np.sqrt(np.diag(uncertain.covariance))
    assert np.cov(drawn.T / scale[:, np.newaxis]) == pytest.approx(
        uncertain.covariance / np.outer(scale, scale), abs=0.06
    )
    assert np.mean(drawn, axis=0) == pytest.approx(np.log(list(params.as_dict().values())), abs=0.02)


def test_draws_are_the_same_each_time(known):
    params, uncertain = known

    assert laplace.draws(params, uncertain, 5) == laplace.draws(params, uncertain, 5)


# Where the data hardly tell


def test_a_parameter_at_its_edge_is_wide_but_finite_and_named():
    """Nobody ever leaves: a runs to its lower edge, where the likelihood is flat."""
    history = simulated.shop(2_000, purchase=BgNbdParams(r=2.0, alpha=10.0, a=1e-6, b=1e4))
    params, columns = fitted(history, "MBG/NBD")

    uncertain = laplace.uncertainty(params, columns)

    assert set(uncertain.loose) & {"a", "b"}
    assert "r" not in uncertain.loose
    assert np.all(np.isfinite(uncertain.covariance))
    assert max(uncertain.deviations().values()) <= 1.01 * laplace.WIDEST


def test_one_customer_tells_next_to_nothing():
    columns = purchase.Columns(*(np.array([value]) for value in (2, 100, 150)), log_gaps=np.array([np.nan]))
    params = averages.pace([150 / 7], [1], 2.0)

    uncertain = laplace.uncertainty(params, columns)

    assert len(uncertain.loose) >= 3
    for one in laplace.draws(params, uncertain, 50):
        assert all(np.isfinite(value) and value > 0 for value in one.as_dict().values())


def test_no_customers_tell_nothing():
    nobody = np.zeros(0, dtype=np.int32)

    uncertain = laplace.uncertainty(
        MbgNbdParams(r=0.5, alpha=6.0, a=0.9, b=1.6), purchase.Columns(nobody, nobody, nobody, np.zeros(0))
    )

    assert uncertain.loose == NAMES
    assert list(uncertain.deviations().values()) == [laplace.WIDEST] * 4


def test_a_likelihood_that_is_not_finite_tells_nothing(monkeypatch, known):
    params, _ = known
    model = replace(purchase.MODELS["BG/NBD"], log_likelihood=lambda *args: -np.inf)
    monkeypatch.setattr(purchase, "model_of", lambda params: model)

    with np.errstate(invalid="ignore"):
        uncertain = laplace.uncertainty(params, columns_of(cdnow.history()))

    assert uncertain.loose == NAMES
    assert np.all(np.isfinite(uncertain.covariance))
