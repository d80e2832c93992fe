"""The registry: whoever takes a model by its name may rely on the same things from each."""

import dataclasses
import json

import numpy as np
import pytest

from analytics.clv import discount, fitting, purchase
from analytics.clv.params import BgNbdParams, GammaGammaParams, MbgCnbdKParams, MbgNbdParams, ParetoNbdParams
from tests.analytics import cdnow

PARAMS = {
    "BG/NBD": BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426),
    "MBG/NBD": MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614),
    "Pareto/NBD": ParetoNbdParams(r=0.553, alpha=10.578, s=0.606, beta=11.669),
    "MBG/CNBD-k": MbgCnbdKParams(k=3, r=0.9, alpha=2.5, a=0.6, b=1.9),
}
EACH = pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS.keys())
YEAR = 365 / 7
TEN_PERCENT = np.log(1.1) / YEAR
DRAWS = 200_000


def make_columns(*, x=(0, 1, 2, 0, 5), t_x=(0, 20, 130, 0, 90), T=(30, 200, 180, 7, 97), log_gaps=None):
    known = np.where(np.array(x) > 0, 2.5 * np.array(x), 0.0) if log_gaps is None else np.array(log_gaps)
    return purchase.Columns(x=np.array(x), t_x=np.array(t_x), T=np.array(T), log_gaps=known)


def cdnow_columns():
    past = cdnow.history()
    x, t_x = past.order_days - 1, past.first_age - past.last_age
    return purchase.Columns(x=x, t_x=t_x, T=past.first_age, log_gaps=x * np.log(np.maximum(t_x, 1) / np.maximum(x, 1)))


def test_there_is_one_entry_for_each_model():
    assert list(purchase.MODELS) == list(PARAMS)
    assert [model.name for model in purchase.MODELS.values()] == list(PARAMS)


@EACH
def test_parameters_know_their_model(params):
    model = purchase.model_of(params)

    assert model is purchase.MODELS[model.name]
    assert isinstance(params, model.params)


@EACH
def test_parameters_survive_json(params):
    again = purchase.from_dict(json.loads(json.dumps(purchase.as_dict(params))))

    assert again == params
    assert type(again) is type(params)


# Fits


@pytest.mark.parametrize("name", PARAMS)
def test_fit_finds_the_most_likely_parameters_of_cdnow(name):
    columns, model = cdnow_columns(), purchase.MODELS[name]

    found = model.fit(columns)

    assert isinstance(found.params, model.params)
    assert found.customers == 2357
    assert model.log_likelihood(found.params, columns) == pytest.approx(found.log_likelihood, rel=1e-11)
    for field in ("r", "alpha"):
        moved = dataclasses.replace(found.params, **{field: 1.05 * getattr(found.params, field)})
        assert model.log_likelihood(moved, columns) < found.log_likelihood


@EACH
def test_likelihood_counts_whole_days_in_weeks(params):
    """The same customers in days as the unit: every density of an order is a seventh for each repeat order."""
    in_weeks = make_columns()
    in_days = dataclasses.replace(in_weeks, days=1.0)
    scaled = {"alpha": 7 * params.alpha} | ({"beta": 7 * params.beta} if "beta" in params.as_dict() else {})
    model = purchase.model_of(params)

    value = model.log_likelihood(dataclasses.replace(params, **scaled), in_days)

    assert value == pytest.approx(model.log_likelihood(params, in_weeks) - 8 * np.log(7), rel=1e-11)


@pytest.mark.parametrize("name", PARAMS)
def test_nobody_bought_twice_does_not_converge(name):
    with pytest.raises(fitting.DidNotConverge, match="nobody has bought twice"):
        purchase.MODELS[name].fit(make_columns(x=[0, 0], t_x=[0, 0], T=[3, 90]))


def test_unknown_gaps_stop_the_model_that_needs_them_only():
    columns = dataclasses.replace(cdnow_columns(), log_gaps=np.full(2357, np.nan))

    assert purchase.MODELS["MBG/NBD"].fit(columns).params.r == pytest.approx(0.525, abs=5e-4)
    with pytest.raises(fitting.DidNotConverge, match="gaps"):
        purchase.MODELS["MBG/CNBD-k"].fit(columns)


@pytest.mark.parametrize("name", PARAMS)
@pytest.mark.parametrize(
    "change", [{"x": [1, 1, 2, 0, 5]}, {"t_x": [0, 900, 130, 0, 90]}], ids=["never ordered again", "in the future"]
)
def test_impossible_histories_are_refused(name, change):
    bad = {"x": [1, 1, 2, 0, 5], "t_x": [0, 20, 130, 0, 90]} | change

    with pytest.raises(ValueError, match="a history needs"):
        purchase.MODELS[name].fit(make_columns(**bad))


# Forecasts


@EACH
def test_orders_are_those_of_the_living_times_p_alive(params):
    """For MBG/CNBD-k that is the mean over when the last order was: alike over many customers, not for each."""
    model, (x, t_x, T) = purchase.model_of(params), cdnow_columns().times()

    whole = model.expected_purchases(params, 39.0, x, t_x, T)
    product = model.p_alive(params, x, t_x, T) * model.expected_purchases_alive(params, 39.0, x, T)

    assert product.sum() == pytest.approx(whole.sum(), rel=0.02)
    if model.name != "MBG/CNBD-k":
        assert product == pytest.approx(whole, rel=1e-13)


@EACH
def test_silence_is_leaving_or_a_living_customer_s(params):
    model, (x, t_x, T) = purchase.model_of(params), cdnow_columns().times()

    alive, silent = model.p_alive(params, x, t_x, T), model.p_silent(params, 13.0, x, t_x, T)
    both = 1.0 - alive * (1.0 - model.p_silent_alive(params, 13.0, x, T))

    assert both.mean() == pytest.approx(silent.mean(), rel=0.02)
    if model.name != "MBG/CNBD-k":
        assert both == pytest.approx(silent, rel=1e-12)


@EACH
def test_at_least_as_many_orders_as_the_chance_of_one(params):
    """P(some order) ≤ E[orders], Markov's inequality."""
    model, (x, t_x, T) = purchase.model_of(params), cdnow_columns().times()

    some = 1.0 - model.p_silent(params, 26.0, x, t_x, T)

    assert np.all(some <= model.expected_purchases(params, 26.0, x, t_x, T) + 1e-12)


@EACH
def test_longer_pauses_are_rarer(params):
    pauses = purchase.model_of(params).p_pause(params, 3, 20.0, 20.0 + np.arange(60.0))

    assert pauses[0] == 1.0
    assert np.all(np.diff(pauses) < 0)


@EACH
def test_no_time_no_orders(params):
    model = purchase.model_of(params)

    assert float(model.expected_purchases(params, 0.0, 3, 20, 30)) == 0.0
    assert float(model.p_silent(params, 0.0, 3, 20, 30)) == pytest.approx(1.0, abs=1e-15)
    assert np.all(model.draw_orders(params, 0.0, np.arange(5), 30.0, np.random.default_rng(1)) == 0)


@EACH
def test_pmf_is_a_distribution_with_the_expected_mean(params):
    model, x = purchase.model_of(params), np.arange(1500)

    chances = model.pmf(params, x, 39.0)

    assert np.sum(chances) == pytest.approx(1.0, rel=1e-10)
    assert np.sum(x * chances) == pytest.approx(float(model.unconditional_expected_purchases(params, 39.0)), rel=1e-8)


@EACH
def test_each_row_is_its_own_to_the_last_bit(params):
    """A shard of the customers gets the same bits as the whole."""
    model, (x, t_x, T) = purchase.model_of(params), cdnow_columns().times()
    whole = [model.p_alive(params, x, t_x, T), model.p_silent(params, 13.0, x, t_x, T)]
    whole += [model.expected_purchases(params, 52.0, x, t_x, T), model.p_silent_alive(params, 13.0, x, T)]

    for rows in (slice(0, 1), slice(5, 12), slice(1000, 1999)):
        some = x[rows], t_x[rows], T[rows]
        apart = [model.p_alive(params, *some), model.p_silent(params, 13.0, *some)]
        apart += [model.expected_purchases(params, 52.0, *some), model.p_silent_alive(params, 13.0, some[0], some[2])]
        for one, other in zip(whole, apart, strict=True):
            assert one[rows].tobytes() == other.tobytes()


@pytest.mark.parametrize("name", PARAMS)
@pytest.mark.parametrize(
    "shop",
    [
        {"x": [3], "t_x": [50], "T": [90]},
        {"x": [2] * 300, "t_x": [100] * 300, "T": [200] * 300},
        {"x": [364] * 300, "t_x": [364] * 300, "T": [364] * 300, "log_gaps": [0.0] * 300},
        {"x": [10_000] + [0] * 300, "t_x": [12_000] + [0] * 300, "T": [12_000] * 301},
        {"x": [1] + [0] * 999, "t_x": [5] + [0] * 999, "T": [5 + place % 600 for place in range(1000)]},
        {"x": [1] * 300 + [0] * 300, "t_x": [*range(366, 666), *[0] * 300], "T": [730] * 600},
        {"x": [5] * 300, "t_x": [20] * 300, "T": [2000] * 300},
    ],
    ids=["one customer", "all alike", "every day", "one heavy buyer", "one came back", "a year's gap", "all long gone"],
)
def test_odd_shops_are_fitted_or_refused(name, shop):
    """Nothing but DidNotConverge comes out, and what is fitted gives finite figures."""
    model, columns = purchase.MODELS[name], make_columns(**shop)
    try:
        params = model.fit(columns).params
    except fitting.DidNotConverge:
        return
    times = columns.times()

    assert all(0 <= p <= 1 for p in model.p_alive(params, *times))
    assert all(0 <= p <= 1 for p in model.p_silent(params, 13.0, *times))
    orders = model.expected_purchases(params, 52.0, *times)
    assert np.all(np.isfinite(orders) & (orders >= 0))


@EACH
def test_no_customers_no_figures(params):
    model, none = purchase.model_of(params), np.empty(0)

    assert model.p_alive(params, none, none, none).shape == (0,)
    assert model.expected_purchases(params, 52.0, none, none, none).shape == (0,)
    assert model.p_silent(params, 13.0, none, none, none).shape == (0,)
    assert model.draw_orders(params, 52.0, none, none, np.random.default_rng(1)).shape == (0,)


# Draws


@EACH
@pytest.mark.parametrize(("x", "T"), [(0, 0.0), (0, 38.86), (3, 10.0), (40, 60.0)])
@pytest.mark.parametrize("t", [3.0, 52.0])
def test_draws_are_the_orders_of_living_customers(params, x, T, t):
    model = purchase.model_of(params)

    drawn = model.draw_orders(params, t, np.full(DRAWS, x), T, np.random.default_rng(7))

    silent = float(model.p_silent_alive(params, t, x, T))
    expected = float(model.expected_purchases_alive(params, t, x, T))
    assert drawn.dtype == np.int64
    assert drawn.mean() == pytest.approx(expected, abs=4.5 * drawn.std() / np.sqrt(DRAWS))
    assert np.mean(drawn == 0) == pytest.approx(silent, abs=4.5 * np.sqrt(silent * (1 - silent) / DRAWS))


@EACH
def test_draws_follow_the_random_numbers_only(params):
    model, x = purchase.model_of(params), np.arange(50)

    one, same, other = (model.draw_orders(params, 52.0, x, 60.0, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@EACH
def test_draws_broadcast(params):
    drawn = purchase.model_of(params).draw_orders(
        params, 52.0, np.zeros((100, 4)), np.array([1.0, 2.0, 3.0, 4.0]), np.random.default_rng(1)
    )

    assert drawn.shape == (100, 4)


@pytest.mark.parametrize(
    "params",
    [
        BgNbdParams(r=1e4, alpha=1e-6, a=1e-4, b=1e4),
        MbgNbdParams(r=1e4, alpha=1e-6, a=1e-4, b=1e-4),
        ParetoNbdParams(r=1e4, alpha=1e-6, s=1e-4, beta=1e-6),
        MbgCnbdKParams(k=12, r=1e4, alpha=1e-6, a=1e-4, b=1e-4),
    ],
    ids=lambda params: type(params).__name__,
)
def test_draws_of_impossible_shops_are_whole_numbers(params):
    drawn = purchase.model_of(params).draw_orders(params, 1e9, np.full(1000, 10_000), 0.0, np.random.default_rng(1))

    assert np.all((drawn >= 0) & (drawn <= 1e16))


# Discounting


def day_by_day(params, x, T, steps=20_000):
    t = np.linspace(0, YEAR, steps + 1)
    orders = np.diff(purchase.model_of(params).expected_purchases_alive(params, t, x, T))
    return float(np.sum(orders * np.exp(-TEN_PERCENT * (t[1:] + t[:-1]) / 2)))


@EACH
@pytest.mark.parametrize(("x", "T"), [(0, 1.0), (0, 40.0), (3, 10.0), (25, 60.0)])
def test_orders_of_every_model_can_be_discounted(params, x, T):
    plain, discounted = discount.discounted_purchases_alive(params, YEAR, TEN_PERCENT, x, T)

    assert float(plain) == float(purchase.model_of(params).expected_purchases_alive(params, YEAR, x, T))
    assert float(discounted) == pytest.approx(day_by_day(params, x, T), rel=1e-5)


# What it refuses


def test_parameters_of_another_kind_have_no_model():
    with pytest.raises(KeyError):
        purchase.model_of(GammaGammaParams(p=6.25, q=3.74, gamma=15.44))


def test_unknown_model_is_refused():
    with pytest.raises(KeyError, match="Crystal ball"):
        purchase.from_dict({"model": "Crystal ball", "r": 1.0})


def test_missing_figure_is_refused():
    figures = purchase.as_dict(PARAMS["Pareto/NBD"])
    del figures["beta"]

    with pytest.raises(TypeError, match="beta"):
        purchase.from_dict(figures)
