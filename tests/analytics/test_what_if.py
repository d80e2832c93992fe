"""What levers do to value: by hand, against processes played out, in order, and finite at the ends of their ranges."""

import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.clv import purchase, shop, what_if
from analytics.clv.params import BgNbdParams, MbgCnbdKParams, MbgNbdParams, ParetoNbdParams
from analytics.clv.spend import ShrunkenMeanParams, SpendFit
from analytics.clv.what_if import AMOUNTS, RANGES, Levers
from tests.analytics.histories import make_customer, make_history, of

SHOPS = (
    BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426),
    MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614),
    ParetoNbdParams(r=0.553, alpha=10.578, s=0.606, beta=11.669),
    MbgCnbdKParams(k=2, r=0.9, alpha=2.5, a=0.6, b=1.9),
)
NAMED = pytest.mark.parametrize("params", SHOPS, ids=lambda params: type(params).__name__)
EACH_LEVER = pytest.mark.parametrize("lever", list(RANGES))
MIXED = (
    *make_customer(order_days=1, first_age=5, last_age=5, value=20.0, repeat_value=0.0, margin=9.0),
    *make_customer(order_days=1, first_age=400, last_age=400, value=50.0, repeat_value=0.0, margin=10.0),
    *make_customer(order_days=2, first_age=300, last_age=290, value=80.0, repeat_value=35.0, margin=50.0),
    *make_customer(order_days=6, first_age=200, last_age=4, value=300.0, repeat_value=260.0, margin=100.0),
    *make_customer(order_days=30, first_age=900, last_age=30, value=900.0, repeat_value=870.0, margin=400.0),
    *make_customer(order_days=9, first_age=900, last_age=700, value=300.0, repeat_value=250.0, margin=90.0),
)
TERMS = shop.Terms()
YEAR = 365 / 7


@functools.cache
def small_shop():
    return shop.fit(make_history(*MIXED), TERMS)


def make_fitted(params, *, widths=False, **changed):
    """What a small shop learned, with these purchase parameters in place of its own."""
    found = small_shop()
    kept = found.widths and dataclasses.replace(found.widths, params=(params, _other(params)))
    return dataclasses.replace(found, purchase=params, widths=kept if widths else None, **changed)


def _other(params):
    return dataclasses.replace(params, r=params.r * 1.1, alpha=params.alpha * 1.2)


def amounts(outcome):
    return np.array([getattr(outcome, name) for name in AMOUNTS])


# By hand: E = E[y / (1 + p·y)] over p ~ Beta(a, b) for r = 1 and x = 0, with y = 1 a year after the first order


@pytest.fixture
def hand():
    """BG/NBD, r = a = b = 1, α a year: of whoever bought today ln(1 + y) orders; 30 an order at .4, no discounting."""
    newcomer = make_history(
        *make_customer(order_days=1, first_age=0, last_age=0, value=30.0, repeat_value=0.0, margin=12)
    )
    fitted = make_fitted(
        BgNbdParams(r=1.0, alpha=YEAR, a=1.0, b=1.0),
        spend=SpendFit("Shrunken mean", ShrunkenMeanParams(30.0), 0),
        mean_spend=30.0,
        margin_rate=0.4,
    )
    return lambda **levers: what_if.simulate(
        fitted, newcomer, shop.Terms(discount_rate=0.0), Levers(**levers), acquisition_cost=18.0
    )


@pytest.mark.parametrize(
    ("levers", "orders"),
    [
        ({}, np.log(2.0)),
        ({"frequency": 2.0}, np.log(3.0)),
        ({"leaving": 0.5}, 2.0 * (np.sqrt(2.0) - 1.0)),  # p ~ Beta(1/2, 3/2)
        ({"leaving": 0.5, "frequency": 3.0}, 2.0),
        ({"leaving": 0.0}, 1.0),
        ({"order_value": 2.0, "margin_rate": 0.5}, np.log(2.0)),
    ],
)
def test_orders_by_hand(hand, levers, orders):
    assert hand(**levers).orders == pytest.approx(orders, rel=1e-8)


def test_money_by_hand(hand):
    found = hand(order_value=2.0, margin_rate=1.5)

    assert found.revenue == pytest.approx(60.0 * np.log(2.0))
    assert found.clv == pytest.approx(36.0 * np.log(2.0))
    assert found.clv_36m == pytest.approx(36.0 * np.log(4.0))
    assert found.clv_lifetime == pytest.approx(36.0 * np.log(11.0))
    assert found.at_risk == pytest.approx(60.0 * (1.0 - np.log(2.0)))


@pytest.mark.parametrize(
    ("levers", "month"),
    [
        ({}, 8),  # 12 · (1 + ln(1 + m/12)) reaches 18 at m = 7.8
        ({"frequency": 2.0}, 4),  # at 3.9
        ({"leaving": 0.5}, 7),  # 12 · (1 + 2·(√(1 + m/12) - 1)) at 6.75
        ({"order_value": 1.5}, 0),  # the first order brings 18
        ({"margin_rate": 0.5, "acquisition_cost": 1.2}, None),  # 21.6, and ten years bring 6 · (1 + ln 11) = 20.4
        ({"margin_rate": 0.5, "acquisition_cost": 1.1}, 108),  # 19.8, reached with ln(1 + m/12) = 2.3
        ({"acquisition_cost": 0.0}, 0),
        ({"acquisition_cost": 4.0}, None),  # 72, and ten years bring 12 · (1 + ln 11) = 40.8
    ],
)
def test_payback_by_hand(hand, levers, month):
    assert hand(**levers).payback_month == month


# Who leaves


@pytest.mark.parametrize(
    ("levers", "leave"), [({}, 1 / 2), ({"leaving": 0.5}, 1 / 4), ({"leaving": 0.0}, 0.0), ({"frequency": 3.0}, 1 / 2)]
)
def test_chance_to_leave_at_the_next_order_by_hand(hand, levers, leave):
    """p ~ Beta(1, 1) of whoever has ordered once: a half; a pace is no reason to leave."""
    assert hand(**levers).leave == pytest.approx(leave, abs=1e-8)


@pytest.mark.parametrize(("levers", "leave"), [({}, 1 / 2), ({"leaving": 3.0}, 3 / 4), ({"frequency": 2.0}, 1 / 2)])
def test_chance_to_leave_within_a_year_by_hand(levers, leave):
    """Pareto/NBD, s = 1, β a year, of whoever has just ordered: 1 - β/(β + c·t)."""
    newcomer = make_history(*make_customer(order_days=1, first_age=0, last_age=0))
    fitted = make_fitted(ParetoNbdParams(r=1.0, alpha=10.0, s=1.0, beta=YEAR))

    assert what_if.simulate(fitted, newcomer, TERMS, Levers(**levers)).leave == pytest.approx(leave)


@NAMED
@pytest.mark.parametrize("leaving", [1.0, 0.6])
def test_played_out_leaving_agrees(params, leaving):
    """The same share leaves of customers whose rates are drawn and scaled."""
    rng, x, T, size = np.random.default_rng(22), 2, 20.0, 200_000
    if isinstance(params, ParetoNbdParams):
        mu = leaving * rng.gamma(params.s, 1.0 / (params.beta + T), size)
        left = rng.exponential(1.0, size) < mu * YEAR
    else:
        beta = params.b + x + (not isinstance(params, BgNbdParams))
        left = rng.random(size) < rng.beta(leaving * params.a, params.a + beta - leaving * params.a, size)
    model, future = purchase.model_of(params), purchase.model_of(params).future(params, leaving, 1.0)

    expected = float(model.leaves(future.params, future.speed * YEAR, x, T))

    assert expected == pytest.approx(left.mean(), abs=4.0 * left.std() / np.sqrt(size))


def test_those_who_are_gone_already_do_not_leave():
    """One who is there for certain counts alone beside one who is surely gone."""
    there = make_customer(order_days=3, first_age=100, last_age=0)
    gone = make_customer(order_days=60, first_age=3000, last_age=2900)
    fitted = make_fitted(SHOPS[1])
    both, alone = (what_if.simulate(fitted, make_history(*rows), TERMS) for rows in ((*there, *gone), there))

    assert both.leave == pytest.approx(alone.leave, rel=1e-6)


def test_nobody_leaves_where_nobody_is():
    gone = make_history((0, 0, 0, 0.0, 0.0, 0.0))

    assert what_if.simulate(make_fitted(SHOPS[1]), gone, TERMS).leave == 0.0


# As it is


@NAMED
def test_as_it_is_gives_the_sums_of_the_scores_to_the_last_bit(params):
    history = make_history(*MIXED)
    fitted = make_fitted(params, levels=shop.Levels(orders=0.9, spend=1.1))

    found, scores = what_if.simulate(fitted, history, TERMS), shop.score(fitted, history, TERMS)

    assert found.clv == np.sum(scores.clv)
    assert found.clv_36m == np.sum(scores.clv_36m)
    assert found.clv_lifetime == np.sum(scores.clv_lifetime)
    assert found.orders == np.sum(scores.expected_orders)


@NAMED
def test_no_change_is_no_difference(params):
    fitted = make_fitted(params, widths=True)
    first, second = (what_if.simulate(fitted, make_history(*MIXED), TERMS) for _ in range(2))

    found = what_if.differences(fitted, first, second)

    assert all(dataclasses.astuple(each) == (0.0, 0.0, 0.0) for each in found.values())


def test_two_parts_of_a_sample_add_up():
    fitted = make_fitted(SHOPS[1])
    whole, one, two = (
        amounts(what_if.simulate(fitted, make_history(*rows), TERMS, Levers(leaving=0.7, frequency=1.2)))
        for rows in (MIXED, MIXED[:2], MIXED[2:])
    )

    assert one + two == pytest.approx(whole, rel=1e-12)


def test_whoever_has_no_order_day_counts_for_nothing():
    fitted, gone = make_fitted(SHOPS[1]), (0, 0, 0, 0.0, 0.0, 0.0)
    with_her, without = (
        what_if.simulate(fitted, make_history(*rows), TERMS, Levers(frequency=2.0)) for rows in ((*MIXED, gone), MIXED)
    )

    assert np.array_equal(amounts(with_her), amounts(without))


# Against processes that are played out with the chance to leave and the pace scaled


def played_at_orders(params, m, rng, *, leaving, frequency, t, x, T, size):
    """Orders within t of BG/NBD (m = 0) and MBG/NBD (m = 1), one after another: p of Beta with the mean scaled."""
    beta = params.b + x + m
    p = rng.beta(leaving * params.a, params.a + beta - leaving * params.a, size)
    pace = frequency * rng.gamma(params.r + x, 1.0 / (params.alpha + T), size)
    now, there, orders = np.zeros(size), np.ones(size, dtype=bool), np.zeros(size)
    while there.any():
        now = now + rng.exponential(1.0, size) / pace
        there &= now <= t
        orders += there
        there &= rng.random(size) >= p
    return orders


def played_regular(params, rng, *, leaving, frequency, t, x, T, size):
    """MBG/CNBD-k: whole lives from the first order on, of which those with x orders by T are taken."""
    lives = rng.gamma(params.r, 1.0 / params.alpha, size)
    steps = rng.poisson(lives * T)
    fit = steps // params.k == x
    pace, phase = frequency * lives[fit], steps[fit] - params.k * x
    p = rng.beta(leaving * params.a, params.a + params.b + x + 1.0 - leaving * params.a, pace.size)
    orders = (rng.poisson(pace * t) + phase) // params.k
    return np.minimum(orders, rng.geometric(p))


def played_any_time(params, rng, *, leaving, frequency, t, x, T, size):
    """Pareto/NBD: both rates scaled, one order after another until she leaves."""
    pace = frequency * rng.gamma(params.r + x, 1.0 / (params.alpha + T), size)
    leaves = rng.exponential(1.0, size) / (leaving * rng.gamma(params.s, 1.0 / (params.beta + T), size))
    now, orders = np.zeros(size), np.zeros(size)
    while True:
        now = now + rng.exponential(1.0, size) / pace
        there = now <= np.minimum(leaves, t)
        if not there.any():
            return orders
        orders += there


PLAYED = {
    BgNbdParams: lambda params, rng, **facts: played_at_orders(params, 0, rng, **facts),
    MbgNbdParams: lambda params, rng, **facts: played_at_orders(params, 1, rng, **facts),
    ParetoNbdParams: played_any_time,
    MbgCnbdKParams: played_regular,
}


@NAMED
@pytest.mark.parametrize(("leaving", "frequency"), [(1.0, 1.0), (0.5, 1.0), (1.0, 2.0), (1.6, 0.6)])
@pytest.mark.parametrize(("x", "T"), [(0, 3.0), (2, 8.0)])
def test_played_out_orders_agree(params, leaving, frequency, x, T):
    rng = np.random.default_rng(20)
    facts = {"leaving": leaving, "frequency": frequency, "t": 26.0, "x": x, "T": T, "size": 40_000}
    played = PLAYED[type(params)](params, rng, **facts)
    model = purchase.model_of(params)

    future = model.future(params, leaving, frequency)
    expected = future.times * float(model.expected_purchases_alive(future.params, future.speed * 26.0, x, T))

    assert expected == pytest.approx(played.mean(), abs=4.0 * played.std() / np.sqrt(played.size))


@pytest.mark.parametrize("params", SHOPS[:3], ids=lambda params: type(params).__name__)
@pytest.mark.parametrize(("leaving", "frequency"), [(0.5, 1.5), (1.6, 0.6)])
def test_played_out_new_customers_agree(params, leaving, frequency):
    """MBG/NBD: the first order is a chance to leave too, with the mean scaled."""
    rng = np.random.default_rng(21)
    facts = {"leaving": leaving, "frequency": frequency, "t": 52.0, "x": 0, "T": 0.0, "size": 40_000}
    played = PLAYED[type(params)](params, rng, **facts)
    if isinstance(params, MbgNbdParams):
        played = played * (rng.random(played.size) >= leaving * params.a / (params.a + params.b))
    model = purchase.model_of(params)

    future = model.future(params, leaving, frequency)
    expected = future.times * float(model.unconditional_expected_purchases(future.params, future.speed * 52.0))

    assert expected == pytest.approx(played.mean(), abs=4.0 * played.std() / np.sqrt(played.size))


@pytest.mark.parametrize("params", [SHOPS[1], SHOPS[2]], ids=lambda params: type(params).__name__)
def test_discounted_value_is_that_of_orders_week_by_week(params):
    """One customer who is alive; each week's orders discounted from its middle, at a tenth a year."""
    row = make_customer(order_days=6, first_age=200, last_age=4, value=240.0, repeat_value=200.0, margin=96.0)
    fitted, history = make_fitted(params), make_history(*row)
    scores = shop.score(fitted, history, TERMS)
    model, future = purchase.model_of(params), purchase.model_of(params).future(params, 0.6, 1.7)
    weeks = np.linspace(0.0, 3650 / 7, 20_001)
    orders = future.times * model.expected_purchases_alive(future.params, future.speed * weeks, 5, 200 / 7)
    worth = np.sum(np.diff(orders) * 1.1 ** (-(weeks[1:] + weeks[:-1]) / 2 / YEAR))

    found = what_if.simulate(fitted, history, TERMS, Levers(leaving=0.6, frequency=1.7))

    expected = scores.p_alive[0] * scores.expected_margin_per_order[0] * worth
    assert found.clv_lifetime == pytest.approx(expected, rel=1e-4)


# Each lever moves one way


def check_order(params, lever, data):
    """Twice the same customers with less and with more of a lever, at least a twentieth of its range apart."""
    low, high = RANGES[lever]
    start = data.draw(st.floats(low, high * 0.9))
    factors = start, data.draw(st.floats(start + 0.05 * high, high))
    fitted, history = make_fitted(params), make_history(*MIXED)
    less, more = (
        what_if.simulate(fitted, history, TERMS, Levers(**{lever: factor}), acquisition_cost=60.0) for factor in factors
    )

    slack = 1e-5 * np.abs(amounts(less))  # what discounting by four points may be off
    sign = np.array([-1.0, -1.0, -1.0, -1.0, -1.0, 1.0]) if lever == "leaving" else np.ones(6)
    assert np.all(sign * (amounts(more) - amounts(less)) >= -slack)
    months = [121 if each.payback_month is None else each.payback_month for each in (less, more)]
    assert months == sorted(months, reverse=lever not in ("leaving", "acquisition_cost"))


@NAMED
@pytest.mark.parametrize("lever", ["leaving", "frequency"])
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_more_or_earlier_orders_are_worth_more(params, lever, data):
    check_order(params, lever, data)


@pytest.mark.parametrize("lever", ["order_value", "margin_rate", "acquisition_cost"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_more_money_is_worth_more(lever, data):
    check_order(SHOPS[2], lever, data)


@NAMED
def test_every_lever_moves_what_it_is_about(params):
    fitted, history = make_fitted(params), make_history(*MIXED)
    usual = what_if.simulate(fitted, history, TERMS, acquisition_cost=40.0)
    moved = {
        lever: amounts(what_if.simulate(fitted, history, TERMS, Levers(**{lever: 0.8}))) / amounts(usual)
        for lever in RANGES
    }

    assert moved["order_value"] == pytest.approx([0.8, 0.8, 0.8, 1.0, 0.8, 0.8])
    assert moved["margin_rate"] == pytest.approx([0.8, 0.8, 0.8, 1.0, 1.0, 1.0])
    assert moved["acquisition_cost"] == pytest.approx(np.ones(6))
    assert np.all(moved["leaving"][:5] > 1.001)
    assert moved["leaving"][5] < 0.95
    assert np.all(moved["frequency"] < 0.99)


def test_margin_is_never_more_than_the_revenue():
    fitted, history = make_fitted(SHOPS[1]), make_history(*MIXED)

    found = what_if.simulate(fitted, history, shop.Terms(discount_rate=0.0), Levers(margin_rate=4.0))

    assert found.clv == pytest.approx(found.revenue)


# The interval of a difference


def make_outcome(value, *drawn):
    return what_if.Outcome(*(value,) * 6, leave=0.0, payback_month=None, draws=tuple((one,) * 6 for one in drawn))


def with_errors(**changed):
    fitted = make_fitted(SHOPS[1], widths=True)
    return dataclasses.replace(fitted, widths=dataclasses.replace(fitted.widths, **changed))


def test_level_alone_by_hand():
    """One draw, the fitted one: 20 · e^(±1.886 · .2), the tenths of a t distribution with two degrees of freedom."""
    fitted = with_errors(value_error=0.2, value_freedom=2.0, order_error=1e-9, order_freedom=2.0)

    found = what_if.differences(fitted, make_outcome(100.0, 100.0), make_outcome(120.0, 120.0))

    assert dataclasses.astuple(found["clv"]) == pytest.approx((13.72, 20.0, 29.16), rel=5e-3)
    assert dataclasses.astuple(found["orders"]) == pytest.approx((20.0, 20.0, 20.0))


def test_parameters_alone_by_hand():
    """Eleven draws that differ by -5 to 5 more than the level does: a tenth of them is left out at each end."""
    fitted = with_errors(value_error=1e-9, value_freedom=2.0)
    before, after = [100.0 + one for one in range(11)], [115.0 + 2.0 * one for one in range(11)]

    found = what_if.differences(fitted, make_outcome(105.0, *before), make_outcome(125.0, *after))

    assert dataclasses.astuple(found["clv"]) == pytest.approx((16.0, 20.0, 24.0), abs=1e-6)


def test_a_loss_is_a_gain_the_other_way_round():
    fitted = make_fitted(SHOPS[1], widths=True)
    one, two = (what_if.simulate(fitted, make_history(*MIXED), TERMS, Levers(leaving=c)) for c in (0.8, 1.0))

    gain, loss = what_if.differences(fitted, two, one)["clv"], what_if.differences(fitted, one, two)["clv"]

    assert 0 < gain.low < gain.expected < gain.high
    assert (loss.high, loss.expected, loss.low) == pytest.approx((-gain.low, -gain.expected, -gain.high))


@NAMED
def test_other_parameters_are_expected_with_their_own_chance_to_be_alive(params):
    fitted = make_fitted(params, widths=True)
    other = dataclasses.replace(fitted, purchase=_other(params), widths=None)

    found = what_if.simulate(fitted, make_history(*MIXED), TERMS, Levers(frequency=1.5))
    exact = what_if.simulate(other, make_history(*MIXED), TERMS, Levers(frequency=1.5))

    assert found.draws[0] == pytest.approx(amounts(found))
    assert found.draws[1][3:] == pytest.approx(amounts(exact)[3:])
    assert found.draws[1][:3] == pytest.approx(amounts(exact)[:3], rel=0.02)  # compared undiscounted


# The ends of the ranges, and shops that are hardly one

ODD = {
    "all bought once": of(make_customer(order_days=1, first_age=90, last_age=90, repeat_value=0.0, times=5)),
    "one customer": of(make_customer()),
    "no customers": make_history(),
    "nobody with an order": make_history((0, 0, 0, 0.0, 0.0, 0.0)),
    "all on this day": of(make_customer(order_days=1, first_age=0, last_age=0, repeat_value=0.0, times=4)),
    "no money": of(make_customer(value=0.0, repeat_value=0.0, margin=0.0, times=3)),
    "losses": of(make_customer(value=90.0, margin=-50.0), make_customer(value=-30.0, repeat_value=-40.0, margin=-40.0)),
    "one order of ten million": of(make_customer(times=4), make_customer(value=1e7, repeat_value=9.9e6, margin=1e6)),
    "a gap of a year": of(
        make_customer(order_days=9, first_age=900, last_age=20), make_customer(first_age=900, last_age=500)
    ),
    "sixty years": of(make_customer(order_days=40, first_age=22_000, last_age=3), make_customer(times=3)),
    "yen": of(make_customer(value=1_500_000.0, repeat_value=900_000.0, margin=300_000.0, times=3)),
}
CORNERS = [Levers(**{lever: end}) for lever, ends in RANGES.items() for end in ends] + [
    Levers(**dict(zip(RANGES, ends, strict=True)))
    for ends in ([low for low, _ in RANGES.values()], [high for _, high in RANGES.values()], [0.0, 4.0, 4.0, 4.0, 0.0])
]


@pytest.mark.parametrize("history", ODD.values(), ids=ODD.keys())
def test_odd_shops_stay_finite_and_in_order(history):
    fitted = shop.fit(history, TERMS)
    usual = what_if.simulate(fitted, history, TERMS, acquisition_cost=30.0)

    for levers in CORNERS:
        found = what_if.simulate(fitted, history, TERMS, levers, acquisition_cost=30.0)
        ends = what_if.differences(fitted, usual, found).values()

        assert np.all(np.isfinite(amounts(found))), levers
        assert np.all(amounts(found) >= 0.0), levers
        assert found.clv <= found.clv_36m <= found.clv_lifetime, levers
        assert all(np.isfinite(each.low) and each.low <= each.expected <= each.high < np.inf for each in ends), levers


@NAMED
def test_ends_of_the_ranges_are_finite_for_every_model(params):
    fitted = make_fitted(params)
    for levers in CORNERS:
        found = what_if.simulate(fitted, make_history(*MIXED), TERMS, levers, acquisition_cost=30.0)

        assert np.all(np.isfinite(amounts(found)))
        assert np.all(amounts(found) >= 0.0)


@NAMED
def test_nothing_is_at_risk_where_nobody_leaves(params):
    found = what_if.simulate(make_fitted(params), make_history(*MIXED), TERMS, Levers(leaving=0.0))

    assert found.at_risk == 0.0


@EACH_LEVER
@pytest.mark.parametrize("factor", [-0.1, 4.1, float("nan"), float("inf")])
def test_a_factor_outside_its_range_is_refused(lever, factor):
    with pytest.raises(ValueError, match=f"{lever} must be between"):
        Levers(**{lever: factor})
