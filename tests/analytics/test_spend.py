"""The models of spend by name: each works on an ordinary shop, and refuses with its reason."""

import json

import numpy as np
import pytest

from analytics.clv import fitting, gamma_gamma, log_normal, spend
from analytics.clv.params import GammaGammaParams, LogNormalParams
from tests.analytics.spenders import log_normal_shop, of_orders

NAMES = ["Credibility", "Log-normal", "Gamma-Gamma", "Shrunken mean"]


@pytest.fixture(scope="module")
def shop():
    return log_normal_shop(4_000, most=6)


@pytest.fixture(scope="module")
def fits(shop):
    return {name: spend.fit(name, shop[0]) for name in NAMES}


def test_the_models_are_known_by_name():
    assert list(spend.MODELS) == NAMES
    assert sorted(spend.PREFERENCE) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_works(shop, fits, name):
    """Near the truth as a whole, and nearer to it than one mean for everybody."""
    history, truth = shop

    expected = spend.expected_spend(fits[name].params, history)

    assert fits[name].customers == np.count_nonzero(history.order_days > 1)
    assert np.sum(expected) == pytest.approx(np.sum(truth), rel=0.1)
    assert np.mean((expected - truth) ** 2) < np.var(truth)


@pytest.mark.parametrize("name", NAMES)
def test_rows_stand_by_themselves(shop, fits, name):
    whole = spend.expected_spend(fits[name].params, shop[0])

    part = spend.expected_spend(fits[name].params, shop[0].take(np.arange(1_000, 1_500)))

    assert part.tobytes() == whole[1_000:1_500].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_draws_have_the_expected_mean(fits, name):
    history = of_orders([[30.0, 60.0, 20.0]] * 50_000)
    expected = spend.expected_spend(fits[name].params, history)[0]

    drawn = spend.draw_spend(fits[name].params, np.full(50_000, 2), history, np.random.default_rng(4))

    assert drawn.mean() == pytest.approx(2 * expected, rel=0.02)
    assert np.std(drawn) > 0.3 * expected


@pytest.mark.parametrize("name", NAMES)
def test_no_orders_draw_nothing(shop, fits, name):
    none = np.zeros(shop[0].order_days.size, dtype=np.int32)

    assert not np.any(spend.draw_spend(fits[name].params, none, shop[0], np.random.default_rng(4)))


@pytest.mark.parametrize("name", NAMES)
def test_json_and_back_is_the_same(fits, name):
    again = spend.SpendFit.from_dict(json.loads(json.dumps(fits[name].as_dict())))

    assert again == fits[name]


def test_gamma_gamma_is_the_published_one(shop, fits):
    history, _ = shop
    x = history.order_days - 1

    direct = gamma_gamma.fit(x, history.repeat_value / np.maximum(x, 1))

    assert fits["Gamma-Gamma"].params == direct.params


def test_preferred_is_the_first_that_fits(shop):
    found, reason = spend.preferred(shop[0])

    assert (found.name, reason) == ("Credibility", "")


def test_small_shop_gets_the_shrunken_mean_and_the_reasons():
    found, reason = spend.preferred(of_orders([[10.0, 20.0]] * 49 + [[30.0]]))

    assert found.name == "Shrunken mean"
    assert "customers who bought again: 49, but Credibility needs 50" in reason
    assert "Gamma-Gamma needs 200" in reason


def test_fifty_who_bought_again_are_enough():
    found, _ = spend.preferred(of_orders([[10.0 + k, 20.0, 5.0] for k in range(50)]))

    assert found.name == "Credibility"


# Whatever money is, the models are finite or refuse

ODD = {
    "bought once": [[10.0 + k] for k in range(300)],
    "one customer": [[10.0, 20.0, 15.0]],
    "nobody": [],
    "everybody refunded": [[]] * 300,
    "no money": [[0.0, 0.0]] * 300,
    "below zero": [[-5.0, -10.0]] * 300,
    "equal": [[20.0, 20.0, 20.0]] * 300,
    "ten million": [[20.0 + k % 7, 31.0, 25.0 + k % 5] for k in range(300)] + [[1e7], [20.0, 1e7]],
    "yen": [[2_000.0 + 100 * (k % 9), 3_100.0] for k in range(300)],
    "cents": [[0.01, 0.01 * (1 + k % 4)] for k in range(300)],
    "both ends": [[1e-2, 1e7] if k % 2 else [1e7, 1e-2] for k in range(300)],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("orders", ODD.values(), ids=ODD.keys())
def test_spend_is_finite_and_not_negative_or_refused(name, orders):
    history = of_orders(orders)
    try:
        params = spend.fit(name, history).params
    except fitting.DidNotConverge:
        params = spend.fit("Shrunken mean", history).params

    expected = spend.expected_spend(params, history)
    drawn = spend.draw_spend(params, history.order_days, history, np.random.default_rng(1))

    assert np.all(np.isfinite(expected) & (expected >= 0))
    assert np.all(np.isfinite(drawn) & (drawn >= 0))


@pytest.mark.parametrize("orders", ODD.values(), ids=ODD.keys())
def test_there_is_always_a_model(orders):
    history = of_orders(orders)

    found, _ = spend.preferred(history)

    assert np.all(np.isfinite(spend.expected_spend(found.params, history)))


def test_ten_million_among_others_does_not_move_them():
    history = of_orders(ODD["ten million"])

    found, _ = spend.preferred(history)
    expected = spend.expected_spend(found.params, history)

    assert np.max(expected[:300]) < 60
    assert np.argmax(expected) >= 300


# What is refused


def test_mean_that_does_not_exist_is_refused(monkeypatch, shop):
    monkeypatch.setattr(
        spend, "MODELS", spend.MODELS | {"Gamma-Gamma": fixed(GammaGammaParams(p=2.0, q=0.9, gamma=40.0))}
    )

    with pytest.raises(fitting.DidNotConverge, match=r"Gamma-Gamma: q = 0.9 ≤ 1"):
        spend.fit("Gamma-Gamma", shop[0])


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_mean_far_from_the_shop_s_is_refused(monkeypatch, shop, factor):
    params = log_normal.fit(shop[0])
    far = LogNormalParams(**(params.as_dict() | {"median": factor * params.median}))
    monkeypatch.setattr(spend, "MODELS", spend.MODELS | {"Log-normal": fixed(far)})

    with pytest.raises(fitting.DidNotConverge, match="far from the shop's"):
        spend.fit("Log-normal", shop[0])


def fixed(params):
    """The model of these parameters, whatever the shop."""
    model = next(model for model in spend.MODELS.values() if model.kind is type(params))
    return spend.SpendModel(model.kind, 0, lambda history: params, model.expected_spend, model.draw_spend)


def test_history_without_logarithms_gets_gamma_gamma(shop):
    """Facts kept before the logarithms were: the variance components cannot be known."""
    history, _ = shop
    short = type(history)(*(getattr(history, name) for name in history.__slots__[:6]))

    found, reason = spend.preferred(short)

    assert found.name == "Gamma-Gamma"
    assert "Credibility: nobody has a repeat order with money in it" in reason
