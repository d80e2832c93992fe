"""MBG/CNBD-k: k = 1 is MBG/NBD; the likelihood as printed; regular customers played out, their k found again."""

import numpy as np
import pytest

from analytics.clv import erlang, fitting, mbg_cnbd_k, mbgnbd, regular_likelihood, triples
from analytics.clv.params import MbgCnbdKParams, MbgNbdParams
from tests.analytics import cdnow, reference_regular

SHAPES = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
REGULAR = MbgCnbdKParams(k=3, r=1.2, alpha=3.0, a=0.6, b=2.2)
PLAYED = 300_000
UNTIL = 40.0
CUSTOMERS = (
    (0, 0.0, 0.3, 0.0),
    (0, 0.0, 38.86, 0.0),
    (1, 1.71, 38.86, 0.54),
    (2, 30.43, 38.86, 5.0),
    (7, 12.0, 12.0, 3.1),
    (30, 20.0, 90.0, -15.0),
    (400, 200.0, 260.0, -290.0),
)
SHOPS = ((0.243, 4.414, 0.793, 2.426), (3.0, 0.5, 1.0, 0.4), (0.05, 80.0, 4.0, 9.0))


def play(params, t, *, count=PLAYED, seed=11):
    """Repeat orders, time of the last, Σ ln gap, whether she is there at t, her steps on the way, pace and chance."""
    chance = np.random.default_rng(seed)
    pace = chance.gamma(params.r, 1 / params.alpha, count).clip(1e-12)
    leaves = chance.beta(params.a, params.b, count)
    orders, steps = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
    last, clock, log_gaps = np.zeros(count), np.zeros(count), np.zeros(count)
    alive = chance.random(count) >= leaves
    active = np.flatnonzero(alive)
    while active.size:
        clock[active] += chance.exponential(1 / pace[active])
        active = active[clock[active] <= t]
        steps[active] += 1
        ordered = active[steps[active] == params.k]
        steps[ordered] = 0
        orders[ordered] += 1
        log_gaps[ordered] += np.log(clock[ordered] - last[ordered])
        last[ordered] = clock[ordered]
        alive[ordered] = chance.random(ordered.size) >= leaves[ordered]
        active = active[alive[active]]
    return orders, last, log_gaps, alive, steps, pace, leaves


@pytest.fixture(scope="module")
def played():
    return play(REGULAR, UNTIL)


def next_orders(played, rows, t, seed=5):
    """Orders of these played customers in the t after UNTIL, and 0 of those who left."""
    chance = np.random.default_rng(seed)
    _, _, _, alive, steps, pace, leaves = (column[rows] for column in played)
    orders = (chance.poisson(pace * t) + steps) // REGULAR.k
    return alive * np.minimum(orders, chance.geometric(leaves.clip(1e-12)))


# One step: MBG/NBD


@pytest.mark.parametrize("function", ["p_alive", "p_pause"])
def test_one_step_is_mbg_nbd_now(function):
    x, t_x, T, _ = cdnow.summary()

    value = getattr(mbg_cnbd_k, function)(MbgCnbdKParams(k=1, **SHAPES), x, t_x, T)

    assert value == pytest.approx(getattr(mbgnbd, function)(MbgNbdParams(**SHAPES), x, t_x, T), rel=1e-13)


@pytest.mark.parametrize("function", ["p_silent", "expected_purchases"])
def test_one_step_is_mbg_nbd_later(function):
    x, t_x, T, _ = cdnow.summary()

    value = getattr(mbg_cnbd_k, function)(MbgCnbdKParams(k=1, **SHAPES), 39.0, x, t_x, T)

    assert value == pytest.approx(getattr(mbgnbd, function)(MbgNbdParams(**SHAPES), 39.0, x, t_x, T), rel=1e-13)


def test_one_step_is_mbg_nbd_for_new_customers():
    one, mbg, x = MbgCnbdKParams(k=1, **SHAPES), MbgNbdParams(**SHAPES), np.arange(50)

    assert mbg_cnbd_k.pmf(one, x, 39.0) == pytest.approx(mbgnbd.pmf(mbg, x, 39.0), rel=1e-12)
    assert float(mbg_cnbd_k.unconditional_expected_purchases(one, 39.0)) == pytest.approx(
        float(mbgnbd.unconditional_expected_purchases(mbg, 39.0)), rel=1e-14
    )


def test_one_step_is_as_likely_as_mbg_nbd():
    x, t_x, T, _ = cdnow.summary()

    value = mbg_cnbd_k.log_likelihood(MbgCnbdKParams(k=1, **SHAPES), x, t_x, T, np.full(x.size, np.nan))

    assert value == pytest.approx(mbgnbd.log_likelihood(MbgNbdParams(**SHAPES), x, t_x, T), rel=1e-13)


# The likelihood and its fit


@pytest.mark.parametrize("k", [1, 2, 5, 12])
@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_likelihood_is_the_printed_one(k, shop, customer):
    x, t_x, T, log_gaps = customer

    value = mbg_cnbd_k.log_likelihood(MbgCnbdKParams(k, *shop), [x], [t_x], [T], [log_gaps])

    exact = float(reference_regular.log_likelihood(k, *shop, *customer))
    assert value == pytest.approx(exact, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("values", [(0.3, 0.2, 0.7, 1.3), (2.0, 3.0, 0.05, 8.0), (0.01, 0.01, 5.0, 0.3)])
def test_gradient_is_that_of_the_likelihood(k, values):
    x, t_x, T, _ = cdnow.summary()
    data, at = triples.of(x=x, t_x=t_x, T=T), np.array(values)

    _, slope = regular_likelihood.log_likelihood(data, at, k=k)

    for place in range(4):
        aside = np.zeros(4)
        aside[place] = 1e-5 * at[place]
        above, _ = regular_likelihood.log_likelihood(data, at + aside, k=k)
        below, _ = regular_likelihood.log_likelihood(data, at - aside, k=k)
        assert slope[place] == pytest.approx((above - below) / (2 * aside[place]), rel=1e-5, abs=1e-7)


def test_blocks_do_not_change_the_likelihood(monkeypatch):
    x, t_x, T, _ = cdnow.summary()
    data, at = triples.of(x=x, t_x=t_x, T=T), np.array([0.5, 0.3, 0.9, 2.0])
    whole, slope = regular_likelihood.log_likelihood(data, at, k=3)

    monkeypatch.setattr(regular_likelihood, "BLOCK", 7)

    again, same_slope = regular_likelihood.log_likelihood(data, at, k=3)
    assert again == pytest.approx(whole, rel=1e-13)
    assert same_slope == pytest.approx(slope, rel=1e-10)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_k_and_the_parameters_are_found_again(k):
    truth = MbgCnbdKParams(k=k, r=1.2, alpha=9.0 / k, a=0.6, b=2.2)
    x, t_x, log_gaps, *_ = play(truth, 80.0, count=20_000, seed=k)

    found = mbg_cnbd_k.fit(triples.of(x=x, t_x=t_x, T=np.full(x.size, 80.0)), log_gaps=float(np.sum(log_gaps))).params

    assert found.k == k
    assert found.r == pytest.approx(truth.r, rel=0.08)
    assert found.alpha == pytest.approx(truth.alpha, rel=0.1)
    assert found.a == pytest.approx(truth.a, rel=0.15)
    assert found.b == pytest.approx(truth.b, rel=0.15)


def test_fit_knows_its_own_likelihood(played):
    x, t_x, log_gaps, *_ = (column[:5_000] for column in played)
    T = np.full(x.size, UNTIL)

    found = mbg_cnbd_k.fit(triples.of(x=x, t_x=t_x, T=T), log_gaps=float(np.sum(log_gaps)))

    assert found.params.k == 3
    assert found.log_likelihood == pytest.approx(
        mbg_cnbd_k.log_likelihood(found.params, x, t_x, T, log_gaps), rel=1e-12
    )


@pytest.mark.parametrize("unit", [1 / 7, 1.0, 52.0])
def test_unit_of_time_changes_alpha_only(played, unit):
    x, t_x, log_gaps, *_ = (column[:5_000] for column in played)
    in_weeks = mbg_cnbd_k.fit(triples.of(x=x, t_x=t_x, T=np.full(x.size, UNTIL)), log_gaps=float(np.sum(log_gaps)))

    found = mbg_cnbd_k.fit(
        triples.of(x=x, t_x=t_x / unit, T=np.full(x.size, UNTIL / unit)),
        log_gaps=float(np.sum(log_gaps - x * np.log(unit))),
    )

    assert found.params.k == in_weeks.params.k
    assert found.params.alpha * unit == pytest.approx(in_weeks.params.alpha, rel=1e-4)
    assert found.log_likelihood == pytest.approx(in_weeks.log_likelihood - np.sum(x) * -np.log(unit), rel=1e-10)


def test_cdnow_is_not_regular():
    """Without gaps to tell, every k > 1 needs them; the widest they can be still makes k = 1 the best."""
    past = cdnow.history()
    x, t_x = past.order_days - 1, past.first_age - past.last_age
    widest = np.where(x > 0, x * np.log(np.maximum(t_x, 1) / 7 / np.maximum(x, 1)), 0.0)
    data = triples.of_days(x=x, t_x=t_x, T=past.first_age, days=7.0)

    found = mbg_cnbd_k.fit(data, log_gaps=float(np.sum(widest)) - 0.5 * data.orders)

    assert found.params.k == 1
    assert found.params.r == pytest.approx(0.525, abs=5e-4)


def test_a_k_without_a_maximum_ends_the_search(played, monkeypatch):
    x, t_x, log_gaps, *_ = (column[:5_000] for column in played)
    one = regular_likelihood._fit_one

    def only_to_two(*args, k, **named):
        if k > 2:
            raise fitting.DidNotConverge("a slope")
        return one(*args, k=k, **named)

    monkeypatch.setattr(regular_likelihood, "_fit_one", only_to_two)
    found = mbg_cnbd_k.fit(triples.of(x=x, t_x=t_x, T=np.full(x.size, UNTIL)), log_gaps=float(np.sum(log_gaps)))

    assert found.params.k == 2


def test_search_for_k_ends_at_twelve():
    truth = MbgCnbdKParams(k=30, r=1.2, alpha=0.3, a=0.6, b=2.2)
    x, t_x, log_gaps, *_ = play(truth, 80.0, count=3_000)

    found = mbg_cnbd_k.fit(triples.of(x=x, t_x=t_x, T=np.full(x.size, 80.0)), log_gaps=float(np.sum(log_gaps)))

    assert found.params.k == 12


# Forecasts


@pytest.mark.parametrize("k", [1, 2, 5, 12])
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_p_alive_is_the_printed_one(k, customer):
    x, t_x, T, _ = customer

    value = float(mbg_cnbd_k.p_alive(MbgCnbdKParams(k=k, **SHAPES), x, t_x, T))

    exact = float(reference_regular.p_alive(k, *SHAPES.values(), x, t_x, T))
    assert value == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize(("x", "since", "until"), [(1, 5, 15), (2, 25, 35), (5, 30, 40), (0, 0, 1)])
def test_p_alive_is_that_of_played_customers(played, x, since, until):
    count, last, _, alive, *_ = played
    like_her = (count == x) & (last >= since) & (last <= until)

    expected = mbg_cnbd_k.p_alive(REGULAR, x, last[like_her], UNTIL)

    chance = np.sqrt(np.sum(expected * (1 - expected)))
    assert np.count_nonzero(like_her) > 1_000
    assert np.sum(alive[like_her]) == pytest.approx(np.sum(expected), abs=4.5 * chance)


@pytest.mark.parametrize(("x", "since", "until"), [(0, 0, 1), (1, 10, 40), (3, 20, 30), (3, 38, 40)])
@pytest.mark.parametrize("t", [2.0, 13.0, 52.0])
def test_what_comes_is_that_of_played_customers(played, x, since, until, t):
    """Given (x, t_x, T): orders, and the chance of none; both depend on how long she has been silent."""
    count, last, *_ = played
    rows = np.flatnonzero((count == x) & (last >= since) & (last <= until))
    came = next_orders(played, rows, t)

    expected = mbg_cnbd_k.expected_purchases(REGULAR, t, x, last[rows], UNTIL)
    silent = mbg_cnbd_k.p_silent(REGULAR, t, x, last[rows], UNTIL)

    error = 4.5 * np.std(came - expected) / np.sqrt(rows.size)
    assert came.mean() == pytest.approx(expected.mean(), abs=error)
    assert np.mean(came == 0) == pytest.approx(silent.mean(), abs=4.5 * 0.5 / np.sqrt(rows.size))


@pytest.mark.parametrize("x", [0, 1, 4])
@pytest.mark.parametrize("t", [2.0, 52.0])
def test_living_customers_without_their_last_order_are_those_played(played, x, t):
    """Given (x, T) and alive: the exact mean over when the last order was."""
    count, _, _, alive, *_ = played
    rows = np.flatnonzero((count == x) & alive)
    came = next_orders(played, rows, t)

    expected = float(mbg_cnbd_k.expected_purchases_alive(REGULAR, t, x, UNTIL))
    silent = float(mbg_cnbd_k.p_silent_alive(REGULAR, t, x, UNTIL))

    assert came.mean() == pytest.approx(expected, abs=4.5 * came.std() / np.sqrt(rows.size))
    assert np.mean(came == 0) == pytest.approx(silent, abs=4.5 * 0.5 / np.sqrt(rows.size))


@pytest.mark.parametrize("x", [0, 1, 4])
def test_without_the_last_order_is_the_mean_over_it(played, x):
    count, last, _, alive, *_ = played
    rows = np.flatnonzero((count == x) & alive)

    with_it = mbg_cnbd_k.expected_purchases_alive(REGULAR, 13.0, x, UNTIL, last[rows])

    without = float(mbg_cnbd_k.expected_purchases_alive(REGULAR, 13.0, x, UNTIL))
    assert with_it.mean() == pytest.approx(without, abs=4.5 * with_it.std() / np.sqrt(rows.size) + 1e-12)


def test_regular_customer_orders_when_it_is_time():
    """k = 12, an order every ten weeks: hardly any within three weeks of the last, after nine rather one than none."""
    clock = MbgCnbdKParams(k=12, r=50.0, alpha=42.0, a=0.1, b=10.0)

    just_now, due = (float(mbg_cnbd_k.p_silent_alive(clock, 3.0, 5, 50.0 + since, 50.0)) for since in (0.0, 9.0))

    assert just_now > 0.99
    assert due < 0.5


def test_silence_of_a_regular_customer_says_more():
    x, t_x, T = 5, 50.0, 80.0
    alive = [
        float(mbg_cnbd_k.p_alive(MbgCnbdKParams(k=k, r=2.0, alpha=20.0 / k, a=0.8, b=2.0), x, t_x, T))
        for k in (1, 3, 9)
    ]

    assert alive[0] > alive[1] > alive[2]


@pytest.mark.parametrize("k", [2, 5])
def test_pmf_is_a_distribution_with_the_expected_mean(k):
    params, x = MbgCnbdKParams(k=k, **SHAPES), np.arange(3000)

    chances = mbg_cnbd_k.pmf(params, x, 40.0)

    assert np.sum(chances) == pytest.approx(1.0, rel=1e-12)
    assert np.sum(x * chances) == pytest.approx(
        float(mbg_cnbd_k.unconditional_expected_purchases(params, 40.0)), rel=1e-9
    )


@pytest.mark.parametrize("x", range(5))
def test_pmf_is_that_of_played_customers(played, x):
    p = float(mbg_cnbd_k.pmf(REGULAR, x, UNTIL))

    assert np.mean(played[0] == x) == pytest.approx(p, abs=4.5 * np.sqrt(p / PLAYED))


def test_scalars_and_columns_agree():
    x, t_x, T = np.array([1, 4]), np.array([3.0, 20.0]), np.array([9.0, 30.0])
    column = mbg_cnbd_k.expected_purchases(REGULAR, 52, x, t_x, T)

    for row in range(2):
        assert column[row] == mbg_cnbd_k.expected_purchases(REGULAR, 52, x[row], t_x[row], T[row])


def test_equal_customers_are_computed_once(monkeypatch):
    asked = []
    events = erlang.expected_events

    def counted(**named):
        asked.append(named["y"].size)
        return events(**named)

    monkeypatch.setattr(erlang, "expected_events", counted)

    value = mbg_cnbd_k.expected_purchases(REGULAR, 52, np.full(900, 2), np.linspace(1.0, 30.0, 900), 30.0)

    assert asked == [1, 1, 1]  # one (x, T), three phases
    assert np.unique(value).size == 900


# What it refuses


def test_nobody_bought_twice_does_not_converge():
    with pytest.raises(fitting.DidNotConverge, match="nobody has bought twice"):
        mbg_cnbd_k.fit(triples.of(x=[0, 0], t_x=[0, 0], T=[3, 9]), log_gaps=0.0)


def test_unknown_gaps_do_not_converge():
    with pytest.raises(fitting.DidNotConverge, match="gaps"):
        mbg_cnbd_k.fit(triples.of(x=[1, 0], t_x=[2, 0], T=[3, 9]), log_gaps=float("nan"))


@pytest.mark.parametrize("k", [0, -1, 2.5])
def test_k_must_be_a_whole_number_above_zero(k):
    with pytest.raises(ValueError, match="k must be"):
        MbgCnbdKParams(k=k, **SHAPES)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["r", "alpha", "a", "b"])
def test_parameters_must_be_finite_and_above_zero(name, bad):
    with pytest.raises(ValueError, match=name):
        MbgCnbdKParams(**({"k": 2, **SHAPES} | {name: bad}))
